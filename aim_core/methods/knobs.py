"""Knob: the one setting of a method that a budget may move, and what the others are at a model's depth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Settings = dict[str, Any]
LEAST_SHARE = 1e-6  # tried where a share must be above 0


@dataclass(frozen=True)
class ModelShape:
    """What settings of a method hang on beside the budget.

    num_layers:      decoder layers.
    l1, l2:          AIM's schedule scaled to them.
    first_droppable: no visual token may be missing from the layers before this one.
    num_views:       views that are reduced together, the most of any medium.
    longest_side:    patches along the longest side of any view.
    """

    num_layers: int
    l1: int
    l2: int
    first_droppable: int = 0
    num_views: int = 1
    longest_side: int = 1


def _none(shape: ModelShape) -> Settings:
    return {}


@dataclass(frozen=True)
class ShareKnob:
    """A setting that is a real number in [low, high]; a larger one never costs less.

    others: settings that are not moved and are not as released: those that are scaled to the model.
    """

    setting: str = "keep_ratio"
    low: float = LEAST_SHARE
    high: float = 1.0
    others: Callable[[ModelShape], Settings] = _none


@dataclass(frozen=True)
class WholeKnob:
    """Settings that are whole numbers.

    candidates: all that a model allows, the ones to prefer first. steps: what they count, one of `reasons.STEPS`.
    """

    candidates: Callable[[ModelShape], list[Settings]]
    steps: str


Knob = ShareKnob | WholeKnob


def _aim(shape: ModelShape) -> Settings:
    return {"l1": shape.l1, "l2": shape.l2}


def _fastv(shape: ModelShape) -> Settings:
    return {"layer": max(2, shape.first_droppable)}


def _pyramid(shape: ModelShape) -> Settings:
    return {"first_layer": max(1, shape.num_layers // 4, shape.first_droppable)}


def _sparsevlm(shape: ModelShape) -> Settings:
    return {"first_layer": shape.first_droppable} if shape.first_droppable else {}


def _schedules(shape: ModelShape) -> list[Settings]:
    """All l1 < l2 up to the model's depth, those first whose shape is closest to the released schedule's."""
    layers = range(max(0, shape.first_droppable - 1), shape.num_layers + 1)
    pairs = [(l1, l2) for l1 in layers for l2 in layers if l1 < l2]
    pairs.sort(key=lambda pair: abs(pair[0] * shape.l2 - pair[1] * shape.l1))
    return [{"l1": l1, "l2": l2} for l1, l2 in pairs]


def _layers(shape: ModelShape) -> list[Settings]:
    return [{"layer": layer} for layer in range(max(1, shape.first_droppable), shape.num_layers)]


def _sides(shape: ModelShape) -> list[Settings]:
    return [{"side": side} for side in range(1, shape.longest_side + 1)]


def _frames(shape: ModelShape) -> list[Settings]:
    return [{"keep_ratio": round(count / shape.num_views, 4)} for count in range(1, shape.num_views + 1)]


SHARE = ShareKnob()
AIM = ShareKnob(others=_aim)
FASTV = ShareKnob(low=0.0, others=_fastv)
PYRAMID = ShareKnob(low=0.0, others=_pyramid)
SPARSEVLM = ShareKnob(others=_sparsevlm)
DYCOKE = ShareKnob(low=0.0)
COST = ShareKnob("cost")
SCHEDULE = WholeKnob(_schedules, "layers")
LAYER = WholeKnob(_layers, "layers")
SIDE = WholeKnob(_sides, "squares")
FRAMES = WholeKnob(_frames, "frames")
