"""AIM Explorer: read arguments, load a model, serve the page."""

from __future__ import annotations

import importlib.util
import logging
import os
import sys
from collections.abc import Sequence

if importlib.util.find_spec("fcntl") is None:  # Windows, where nothing confines the decoder of strangers' files either
    sys.exit(
        "The page runs on Linux and macOS only. On Windows start it in WSL or a container, or use aim_core from Python."
    )
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # before gradio is imported
from page.state.space import is_zero_gpu

if is_zero_gpu():
    import spaces  # noqa: F401  (before torch)

from aim_core.media.kernel import hide_process
from page.build import build_page, serve
from page.server.ending import ended_by_signals
from page.server.folder import OwnFolder
from page.server.process import let_open_many_files
from page.server.settings import SettingError, read_settings
from page.state.choices import Choice, ListError, on_disk, read_list
from page.state.models import Models
from page.state.startup import AUTO, arguments, load
from page.switching import USUAL_FRAMES


def started(name: str, listed: Sequence[Choice], may_any: bool, weights: str) -> Models:
    """The embedded model, and the named one on its way behind it.

    Where a GPU is lent for one call at a time, what runs there has to be in memory before: the named one alone.
    """
    if is_zero_gpu():
        found = next((one.path for one in on_disk(listed)), "") if name == AUTO else name
        return Models(load(found, weights=weights))
    models = Models(load(""), listed, may_any, weights)
    models.begin_with(name, USUAL_FRAMES)
    return models


def main() -> None:
    hide_process()  # its environment, from decoders and others of its user
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)  # what Gradio asks itself when it starts
    options = arguments()
    try:
        settings, listed = read_settings(options.host), read_list()
    except (SettingError, ListError) as error:
        sys.exit(str(error))
    let_open_many_files()
    with ended_by_signals(), OwnFolder.made():
        models = started(options.model, listed, options.allow_any_model, options.weights)
        serve(build_page(models, settings), options.host, options.port)


if __name__ == "__main__":
    main()
