"""Tour steps: the settings of each step for a model of any depth, and what is measured of its run."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np

from aim_core.config import AimConfig
from aim_core.trace import Trace
from page.permalink import LEAST_RATIO
from page.state.store import StoredRun

NUM_FRAMES = 8
SAMPLES = {
    "video": ("crossing.mp4", "how does the cyan star move?"),
    "image": ("shapes.png", "what shape is the blue object?"),
}


@dataclass(frozen=True)
class Step:
    """One step.

    keep_ratio, l1, l2, frames: what the sliders are set to.
    measure: the entry of `measured` that is to be predicted.
    bounds:  ascending; choice i is right where i of them are not above the measure.
    overlay, layer: what the explorer shows of the run.
    tells_answer: whether it is also told if the answer has changed.
    """

    keep_ratio: float
    l1: int
    l2: int
    measure: str
    bounds: tuple[float, ...]
    overlay: str
    layer: int
    tells_answer: bool = False
    frames: int = NUM_FRAMES


def steps(depth: int, usual: AimConfig | None = None, least_l1: int = 0, frames: int = NUM_FRAMES) -> tuple[Step, ...]:
    """Why so many tokens, merge, PageRank, schedule, break it; for a model of `depth` layers.

    usual: the model's own schedule, if it is not `AimConfig.for_depth`; least_l1: its earliest l1.
    """
    usual, everything = usual or AimConfig.for_depth(depth), (depth, depth + 1)
    keep, l1, l2 = usual.keep_ratio, usual.l1, usual.l2
    told = (
        Step(1.0, *everything, "per_text", (5, 20), "original", 0),
        Step(keep, *everything, "largest", (5, 17), "groups", 0, tells_answer=True),
        Step(keep, l1, l2, "later_half", (0.45, 0.55), "scores", l1),
        Step(keep, l1, l2, "share", (0.2, 0.5), "alive", min(l1 + 1, depth - 1), tells_answer=True),
        Step(LEAST_RATIO, least_l1, least_l1 + 1, "changed", (0.5,), "alive", min(least_l1 + 1, depth - 1)),
    )
    return tuple(replace(step, frames=frames) for step in told)


def measured(stored: StoredRun) -> dict:
    """What the steps ask about, and what their sentences say, of one run beside its dense one."""
    dense, aim = stored.dense, stored.aim
    full, less = dense.cost, aim.cost
    return {
        "settings": {
            "keep_ratio": stored.settings.keep_ratio,
            "l1": stored.settings.l1,
            "l2": stored.settings.l2,
            "frames": stored.num_frames,
        },
        "when": time.time(),  # two runs that measure the same are two
        "dense": dense.answer,
        "aim": aim.answer,
        "changed": float(dense.answer != aim.answer),
        "visual": full.visual_per_layer[0],
        "merged": less.visual_per_layer[0],
        "text": full.num_text,
        "per_text": full.visual_per_layer[0] / full.num_text,
        "largest": largest_group(aim.trace),
        "share": less.language_flops / full.language_flops,
        "layer": aim.trace.scored_layers[0] if aim.trace.scored_layers else None,
        "later_half": later_half(aim.trace),
    }


def largest_group(trace: Trace) -> int:
    """Patches behind the merged token that has the most."""
    return max(int(np.bincount(group[group >= 0]).max()) for group in trace.group)


def later_half(trace: Trace) -> float | None:
    """Share of PageRank that the later half of the visual tokens holds in the first measured layer; None without one.

    The later half: in the order of the prompt, so of a video the later half of its frames.
    """
    if not trace.scored_layers:
        return None
    record = trace.layers[trace.scored_layers[0]]
    scores = np.nan_to_num(record.scores.astype(np.float64))
    total = scores.sum()
    return float(scores[record.kept >= trace.num_merged / 2].sum() / total) if total > 0 else None
