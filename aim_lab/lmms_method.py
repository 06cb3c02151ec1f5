"""The method of a document: as its settings say, or moved until the document's prefill costs what the budget says."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from aim_core.budget import Budget, Unreachable, solve
from aim_core.config import AimConfig
from aim_core.engine import Engine
from aim_core.media.frames import Frames
from aim_core.methods.aim import as_method
from aim_core.methods.base import Method
from aim_core.methods.knobs import Settings
from aim_core.methods.registry import make_method
from aim_core.workload import Workload
from aim_lab.lmms_knobs import DENSE, Knobs


@dataclass(frozen=True, eq=False)
class Chosen:
    """What a document is answered with: the method, what a budget made of its settings, and why it is not met."""

    method: Method
    workload: Workload
    settings: Settings = field(default_factory=dict)
    note: str = ""


def choose_method(engine: Engine, knobs: Knobs, frames: Frames | np.ndarray, question: str) -> Chosen:
    """Raises ValueError with a sentence where the method cannot meet the budget or does not fit the model."""
    dense = as_method(AimConfig.dense())
    workload = Workload.of(engine.adapter, engine.planned(frames, question, config=dense))
    if knobs.method == DENSE:
        return Chosen(dense, workload)
    if knobs.budget is None:
        usual = engine.adapter.default_config()
        scaled = {"l1": usual.l1, "l2": usual.l2} if knobs.method in ("aim", "prune_only") else {}
        return Chosen(make_method(knobs.method, **{**scaled, **knobs.settings}), workload)
    budget = Budget(knobs.budget, knobs.of)
    found = solve(
        knobs.method, budget, workload, lambda own: engine.planned(frames, question, config=own).visual_per_layer
    )
    if isinstance(found, Unreachable):
        raise ValueError(found.reason)
    return Chosen(found.method, workload, found.settings, found.note)
