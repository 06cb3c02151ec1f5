"""Milliseconds: from a limit in time to one in FLOPs, by prefills timed here, since time has no closed form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from aim_core.engine import Engine
from aim_core.methods.registry import make_method
from aim_core.workload import Workload
from aim_lab.documents import Document

KEEP_RATIOS = (0.1, 0.25, 0.5)  # that are timed, with the schedule scaled to the model
REPEATS = 3


@dataclass(frozen=True)
class Clock:
    """Time of a prefill as a line in its FLOPs, fitted to medians.

    fixed: milliseconds that no setting takes away; per_gflop: of a thousand million operations; miss: the largest
    distance of a median from the line, relative to it.
    """

    fixed: float
    per_gflop: float
    miss: float

    def flops(self, ms: float) -> float:
        """What fits into so many milliseconds. Raises ValueError if not even the least prefill does."""
        if ms <= self.fixed or self.per_gflop <= 0:
            raise ValueError(f"no prefill takes {ms:g} ms here: {self.fixed:.0f} ms are spent whatever is left of it")
        return 1e9 * (ms - self.fixed) / self.per_gflop


def clock(engine: Engine, document: Document, workloads: Mapping[int, Workload]) -> Clock:
    """Time AIM at KEEP_RATIOS and every number of frames, in turns, on one document."""
    points: list[tuple[float, float]] = []
    for num_frames, workload in workloads.items():
        shape = workload.shape
        methods = [make_method("aim", keep_ratio=ratio, l1=shape.l1, l2=shape.l2) for ratio in KEEP_RATIOS]
        frames = document.clip.frames(num_frames)
        times = engine.time_prefills(frames, document.question, configs=methods, repeats=REPEATS, vision=False)
        for method, own in zip(methods, times, strict=True):
            points.append((workload.flops(workload.visual_per_layer(method)) / 1e9, float(np.median(own.ms))))
    return fitted(*np.array(points).T)


def fitted(gflops: np.ndarray, ms: np.ndarray) -> Clock:
    """The line through medians, each (n,). Where more work took no longer, as beside other work, or less than nothing
    would be fixed, a line through 0: it has one number only to be wrong in, and `miss` tells how far it is off."""
    slope, fixed = (float(own) for own in np.polyfit(gflops, ms, 1))
    if slope <= 0 or fixed < 0:
        slope, fixed = float((gflops * ms).sum() / (gflops**2).sum()), 0.0
    return Clock(fixed, slope, float(np.abs(ms / (fixed + slope * gflops) - 1).max()))
