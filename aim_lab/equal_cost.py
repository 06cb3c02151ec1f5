"""Equal cost: the settings at which a method costs what is asked for, such as the dense model with fewer frames."""

from __future__ import annotations

import math
from bisect import bisect_left

from aim_core.budget import TOLERANCE, Budget, Count, Solved, Unreachable, solve
from aim_core.methods import knobs
from aim_core.methods.knobs import ModelShape, Settings
from aim_core.methods.registry import METHODS, make_method
from aim_core.workload import Workload

AIM = "aim"


def at_cost(name: str, flops: float, workload: Workload, count: Count | None = None) -> Solved:
    """A method that costs so many FLOPs of prefill, to within TOLERANCE.

    Its knob is moved as for a `Budget`. With many frames one token of each more or less may cost over TOLERANCE; then
    AIM takes the schedule nearest to its own with which some keep ratio fits.
    count: as in `solve`. Raises ValueError, with a sentence, where nothing comes so near.
    """
    dense = dense_flops(workload)
    budget = Budget(min(1.0, flops / dense))
    if dense < (1 - TOLERANCE) * flops:
        raise ValueError(
            f"{_title(name)} cannot cost so much: all tokens of these frames cost {dense / flops:.1%} of it"
        )
    found = _aim(budget, workload) if name == AIM else solve(name, budget, workload, count)
    if isinstance(found, Unreachable):
        raise ValueError(found.reason)
    if abs(found.miss) > TOLERANCE:
        raise ValueError(f"{_title(name)} comes no nearer than {1 + found.miss:.1%} of that cost")
    return found


def dense_flops(workload: Workload) -> int:
    """Of the prefill with all visual tokens."""
    return workload.flops([workload.num_visual] * workload.shape.num_layers)


def keep_ratios(workload: Workload) -> list[float]:
    """Those that leave different numbers of tokens, ascending."""
    patches = max(rows * columns for _, (rows, columns) in workload.blocks)
    return [
        math.floor(count / patches * 1e6) / 1e6 for count in range(1, patches + 1)
    ]  # rounded up they leave one more


def _aim(budget: Budget, workload: Workload) -> Solved:
    """The schedule nearest to the released one with a keep ratio within TOLERANCE; else what comes nearest in cost."""
    ratios, tried = keep_ratios(workload), list[Solved]()
    for schedule in _by_nearness(workload.shape):

        def at(ratio: float, schedule: Settings = schedule) -> Solved:
            settings = {"keep_ratio": ratio, **schedule}
            method = make_method(AIM, **settings)
            counts = workload.visual_per_layer(method)
            shares = workload.shares(counts)
            return Solved(AIM, settings, method, counts, shares, budget.miss(shares))

        tried.append(at(ratios[-1]))
        if tried[-1].miss > 0:
            above = bisect_left(ratios, 0.0, key=lambda ratio: at(ratio).miss)
            tried += map(at, ratios[max(0, above - 1) : above + 1])
        nearest = min(tried, key=lambda own: abs(own.miss))
        if abs(nearest.miss) <= TOLERANCE:
            return nearest
    return nearest


def _by_nearness(shape: ModelShape) -> list[Settings]:
    """All schedules that a model allows, by how many layers l1 and l2 together are away from the released one's."""
    schedules = knobs.SCHEDULE.candidates(shape)
    return sorted(schedules, key=lambda own: abs(own["l1"] - shape.l1) + abs(own["l2"] - shape.l2))


def _title(name: str) -> str:
    return METHODS[name].title
