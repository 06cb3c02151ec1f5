"""Estimate: what a sweep costs before it starts: cells, operations and time."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from aim_core.config import AimConfig
from aim_core.engine import Engine
from aim_core.media.frames import Frames
from aim_core.methods.aim import as_method
from aim_core.methods.counts import is_counted
from aim_core.methods.registry import make_method
from aim_core.workload import Workload
from aim_lab.code import DENSE
from aim_lab.documents import Document
from aim_lab.equal_cost import dense_flops
from aim_lab.measure import Task
from aim_lab.settings import Setting
from aim_lab.sweep import Plan


@dataclass(frozen=True)
class Estimate:
    """What is left of a sweep.

    cells:   settings times questions; done: how many of them the file holds.
    flops:   of the language model's prefills that are left, as if all videos and questions were like the first;
             where a method decides by what it sees, as much as the dense model.
    seconds: of one process, by two runs about the first video; None where nothing is left.
    """

    cells: int
    done: int
    flops: float
    seconds: float | None = None

    def __str__(self) -> str:
        told = f"{self.cells:,} cells, {self.done:,} of them done; left: {self.cells - self.done:,}"
        if self.seconds is None:
            return told
        return f"{told}, {self.flops / 1e12:,.3f} TFLOPs of prefill, about {spelled(self.seconds)} in one process"


def spelled(seconds: float) -> str:
    """Roughly, in the unit that fits."""
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.0f} s"


def estimate(engine: Engine, plan: Plan, tasks: Sequence[Task]) -> Estimate:
    """Asks the model about the first video that is left: dense, then at the least cost.

    tasks: of `Plan.tasks`. Raises MediaError, with a sentence, if that video cannot be read.
    """
    cells = len(plan.cells) * len({(own.clip.content(), own.question) for own in plan.documents})
    left = Counter(setting for task in tasks for setting in task.settings)
    done = cells - left.total()
    if not left:
        return Estimate(cells, done, 0)
    first = tasks[0].document
    flops = _flops(engine, first, list(left))
    total = sum(flops[own] * number for own, number in left.items())
    videos = len({(task.document.clip, own.num_frames) for task in tasks for own in task.settings})
    fixed, slope, new_video = _seconds(engine, plan, first, max(own.num_frames for own in left))
    runs = (fixed * left.total() + slope * total) * (1 + plan.recipe.timed)
    return Estimate(cells, done, total, runs + new_video * videos)


def _flops(engine: Engine, document: Document, settings: Sequence[Setting]) -> dict[Setting, float]:
    """Of one prefill about a document under each setting."""
    counts = {count for own in settings for count in (own.num_frames, own.as_dense) if count}
    workloads = {count: workload_of(engine, document, count) for count in counts}
    return {own: _one(workloads, own) for own in settings}


def workload_of(engine: Engine, document: Document, num_frames: int) -> Workload:
    """The dense prefill of a document at a number of frames."""
    frames = document.clip.frames(num_frames)
    dense = engine.planned(frames, document.question, config=as_method(AimConfig.dense()))
    return Workload.of(engine.adapter, dense)


def _one(workloads: Mapping[int, Workload], setting: Setting) -> float:
    workload = workloads[setting.num_frames]
    dense = float(dense_flops(workload))
    if setting.method == DENSE:
        return dense
    if setting.as_dense is not None:
        return min(dense, float(dense_flops(workloads[setting.as_dense])))
    if setting.budget is not None:
        return setting.budget * dense
    method = make_method(setting.method, **setting.complete(workload.shape))
    try:
        if not is_counted(method):
            return dense
        return workload.flops(workload.visual_per_layer(method), workload.others_per_layer(method))
    except ValueError:  # it will be refused
        return 0.0


def _seconds(engine: Engine, plan: Plan, document: Document, num_frames: int) -> tuple[float, float, float]:
    """Of a run: what no setting changes, and each operation; and what a new video takes beside."""
    begun = time.perf_counter()
    frames = document.clip.frames(num_frames)
    settings: dict[str, Any] = {"config": AimConfig.dense(), "max_new_tokens": plan.recipe.max_new_tokens}
    engine.run(frames, document.question, **settings)
    video = time.perf_counter() - begun
    dense, dense_flops = _timed(engine, frames, document.question, settings)
    least = AimConfig.for_depth(engine.num_layers, 0.1)
    cheap, cheap_flops = _timed(engine, frames, document.question, settings | {"config": least})
    slope = max(0.0, dense - cheap) / max(1, dense_flops - cheap_flops)
    return max(0.0, dense - slope * dense_flops), slope, max(0.0, video - dense)


def _timed(engine: Engine, frames: Frames | np.ndarray, question: str, settings: dict[str, Any]) -> tuple[float, int]:
    begun = time.perf_counter()
    result = engine.run(frames, question, **settings)
    return time.perf_counter() - begun, result.cost.language_flops
