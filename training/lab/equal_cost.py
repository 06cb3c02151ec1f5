"""Equal cost: AIM inside frames, across them and with text pruned, set to cost the same within one per cent."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from aim_core.budget import TOLERANCE, Budget, Unreachable, solve
from aim_core.methods.registry import make_method
from aim_core.workload import Workload
from aim_lab.settings import Setting

WITHIN, TEXT = "within", "text"
ACROSS: dict[str, dict[str, Any]] = {  # settings of across_frames, by what they are called here
    "across": {"within": 0.0, "places": "any"},
    "same": {"within": 0.0, "places": "same"},
    "both": {"within": 0.5, "places": "any"},
}
TOME, DYCOKE = "tome_over_frames", "dycoke"


@dataclass(frozen=True)
class Cell:
    """One setting at one budget.

    budget: share of the dense FLOPs that AIM was to cost; kept: tokens that this one keeps of a frame, in the mean.
    share:  what it costs of the dense FLOPs, text included, as of a usual prompt.
    """

    variant: str
    num_frames: int
    budget: float
    kept: float
    share: float
    setting: Setting


def merging_cells(workload: Workload, num_frames: int, budget: float, rivals: bool) -> list[Cell]:
    """AIM's own merging at the step nearest a budget, then other ways to merge at as many tokens, pruned as AIM does.

    workload: of a usual prompt with so many frames, all of one grid. Windows are of all frames.
    rivals:   also ToMe over all frames and DyCoke at the same FLOPs, where they come within TOLERANCE of them.
    """
    cell = partial(_cell, workload, num_frames, budget)
    layers, kept = _layers(workload), _nearest(workload, num_frames, budget)
    shared = {"keep_ratio": kept / _patches(workload), **layers}
    first = cell(WITHIN, "aim", **shared)
    found = [cell(name, "across_frames", window=num_frames, **own, **shared) for name, own in ACROSS.items()]
    for method in (TOME, DYCOKE) if rivals else ():
        solved = solve(method, Budget(first.share), workload)
        if not isinstance(solved, Unreachable):
            window = {"window": num_frames} if method == TOME else {}
            found.append(cell(method, method, **solved.settings, **window))
    return [first, *(own for own in found if _is_equal(own, first))]


def text_cells(workload: Workload, num_frames: int, budget: float) -> list[Cell]:
    """AIM at the step nearest a budget, then AIM with one token more of each frame, paid for by text that leaves.

    The latter alone is left out where all the text is too little to pay for it.
    """
    cell = partial(_cell, workload, num_frames, budget)
    layers, kept = _layers(workload), _nearest(workload, num_frames, budget)
    first = cell(WITHIN, "aim", keep_ratio=kept / _patches(workload), **layers)
    more, rest = (kept + 1) / _patches(workload), workload.num_text - 1  # the last one stays
    tried = [cell(TEXT, "aim_text", keep_ratio=more, text_floor=left / rest, **layers) for left in range(rest + 1)]
    best = min(tried, key=lambda own: abs(own.share - first.share))
    return [first, best] if _is_equal(best, first) else [first]


def _cell(workload: Workload, num_frames: int, budget: float, variant: str, method: str, **settings) -> Cell:
    made = make_method(method, **settings)
    visual = workload.visual_per_layer(made)
    share = workload.shares(visual, workload.others_per_layer(made)).flops
    kept = (visual[0] - workload.num_separators) / num_frames
    return Cell(variant, num_frames, budget, kept, share, Setting.of(method, num_frames, **settings))


def _nearest(workload: Workload, num_frames: int, budget: float) -> int:
    """How many tokens AIM keeps of a frame to cost as near a budget as it can."""
    patches, layers = _patches(workload), _layers(workload)

    def miss(count: int) -> float:
        cell = _cell(workload, num_frames, budget, WITHIN, "aim", keep_ratio=count / patches, **layers)
        return abs(cell.share - budget)

    return min(range(1, patches), key=miss)


def _patches(workload: Workload) -> int:
    """Of a frame."""
    ((_, (rows, columns)),) = workload.blocks
    return rows * columns


def _layers(workload: Workload) -> dict[str, int]:
    return {"l1": workload.shape.l1, "l2": workload.shape.l2}


def _is_equal(one: Cell, other: Cell) -> bool:
    return abs(one.share / other.share - 1) <= TOLERANCE
