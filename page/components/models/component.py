"""Models panel: which model answers, which others there are with what they need, and how far one is being loaded."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from aim_core.checkpoint import ReadSoFar
from aim_core.footprint import Footprint
from aim_core.low_bits import WEIGHTS
from aim_core.memory import SHARE
from page.components.base import Panel
from page.state.choices import Choice, family_of
from page.state.models import Models
from page.state.startup import Loaded, with_bits

ADDRESS = "gradio_api/models"  # of `state_record`, beside that of the page
EMBEDDED = "embedded"  # the first model's key


class ModelsPanel(Panel):
    """value: `models_record`; the script sends {"frames", "weights"} with "look"; with "choose" also "key" or "stop",
    and the owner's "secret"; nothing with "fit", once another model answers than the page is made for."""

    def __init__(self, **kwargs):
        super().__init__(
            "models",
            "MODELS",
            events=("look", "choose", "fit"),
            fixed={"address": ADDRESS, "embedded": EMBEDDED, "weights": WEIGHTS},
            **kwargs,
        )


def models_record(
    models: Models, num_frames: int, switchers: str, is_fitted: bool = False, weights: str = ""
) -> dict[str, Any]:
    """The panel's record: who may switch ("all", "key", "nobody"), and a row for each model.

    weights:   how a model would keep them, "" as the server has it.
    is_fitted: whether the page comes with it as it is for the model that answers; then without rows, to be there at
    once.
    """
    weights = weights or models.weights
    choices = [replace(choice, weights=weights) for choice in models.listed]
    rows = [] if is_fitted else [_first(models), *(_row(models, choice, num_frames) for choice in choices)]
    return {
        "serial": models.serial,
        "isFitted": is_fitted,
        "switchers": switchers,
        "mayAny": models.may_any,
        "frames": num_frames,
        "weights": weights,
        "free": models.free(),
        "share": SHARE,
        "rows": rows,
        "now": _now(models),
    }


def state_record(models: Models) -> dict[str, Any]:
    """What changes while a model is loaded. Small, since every page asks for it."""
    return {"serial": models.serial, "loading": _loading(models), "unloaded": _unloaded(models)}


def _now(models: Models) -> dict[str, Any]:
    """The model that answers, as the head of the page names it."""
    now = models.now
    name = next((with_bits(one.name, now.weights) for one in models.listed if one.path == now.path), now.name)
    return {
        "name": None if now is models.first and now.is_embedded else name,
        "layers": now.engine.num_layers,
        "parameters": num_parameters(now),
    }


def num_parameters(loaded: Loaded) -> int:
    return sum(one.numel() for one in loaded.engine.adapter.model.parameters())


def _first(models: Models) -> dict[str, Any]:
    first = models.first
    return {
        "key": EMBEDDED,
        "name": None if first.is_embedded else first.name,
        "family": family_of(first.engine.adapter),
        "parameters": num_parameters(first),
        "knows": "shapes" if first.is_embedded else "",
        "isHere": True,
        "isKept": True,
        "answers": models.now is first,
        "needs": None,
        "least": 0,
        "fits": True,
    }


def _row(models: Models, choice: Choice, num_frames: int) -> dict[str, Any]:
    """A model of the list. needs: of one that is here; least: bytes of the weights of one that is not, by the list."""
    told, free = models.needed(choice, num_frames), models.free()
    needs, adapter = told or (None, None)
    least = needs.total if needs else models.bytes_of(choice)
    return {
        "key": choice.key,
        "name": choice.name,
        "family": family_of(adapter) if adapter else choice.family,
        "parameters": sum(one.numel() for one in adapter.model.parameters()) if adapter else choice.parameters,
        "knows": choice.knows,
        "isHere": needs is not None,
        "isKept": models.is_kept(choice),
        "answers": (models.now.path, models.now.weights) == (choice.path, choice.weights),
        "needs": _bytes(needs),
        "least": least,
        "fits": models.is_kept(choice) or free is None or least <= SHARE * free,
    }


def _bytes(needs: Footprint | None) -> dict[str, int] | None:
    if needs is None:
        return None
    return {"weights": needs.weights, "kv": needs.kv, "activations": needs.activations, "total": needs.total}


def _loading(models: Models) -> dict[str, Any] | None:
    loading = models.loading
    if loading is None:
        return None
    read = loading.read or ReadSoFar(0, 0, 0, 0)
    return {
        "name": with_bits(loading.choice.name, loading.choice.weights),
        "stage": loading.stage,
        "shard": read.shard,
        "shards": read.num_shards,
        "done": read.num_bytes,
        "all": read.all_bytes,
        "left": loading.seconds_left,
    }


def _unloaded(models: Models) -> dict[str, Any] | None:
    unloaded = models.unloaded
    if unloaded is None:
        return None
    return {
        "name": with_bits(unloaded.choice.name, unloaded.choice.weights),
        "why": unloaded.why,
        "sentence": unloaded.sentence,
        "needs": _bytes(unloaded.needed),
        "free": unloaded.free,
        "share": SHARE,
        "frames": unloaded.frames,
        "fewer": unloaded.fewer,
        "smaller": unloaded.smaller,
        "bits": unloaded.bits,
    }
