"""The entry point that tells lmms-eval of the model `aim`: what lmms-eval loads before it knows whether it is wanted.

If an entry point raises, lmms-eval drops the models of all plugins with one line in its log. So nothing is imported
here but what lmms-eval has imported itself.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

NAME, ALIASES = "aim", ("aim_explorer",)
CLASS = "aim_lab.lmms_model.AimModel"


def manifests() -> list[Any]:
    """The `ModelManifest` of `aim_lab.lmms_model.AimModel`: a chat model, `--model aim` or `--model aim_explorer`."""
    from lmms_eval.models.registry_v2 import ModelManifest

    _list()
    return [ModelManifest(NAME, chat_class_path=CLASS, aliases=ALIASES)]


def _list() -> None:
    """Let `lmms-eval models` name it: as of 0.7.3 that reads these tables, which plugins are not in, by themselves."""
    with suppress(ImportError):
        from lmms_eval.models import AVAILABLE_CHAT_TEMPLATE_MODELS, MODEL_ALIASES

        AVAILABLE_CHAT_TEMPLATE_MODELS[NAME], MODEL_ALIASES[NAME] = CLASS, ALIASES
