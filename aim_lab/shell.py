"""Shell: all settings whose cost lies within one per cent below a budget, by closed form; nothing is run for it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from aim_core.budget import Budget, Unreachable, solve
from aim_core.methods.counts import is_counted
from aim_core.methods.registry import METHODS, make_method
from aim_core.workload import Workload
from aim_lab.code import DENSE
from aim_lab.equal_cost import AIM, keep_ratios
from aim_lab.settings import Setting

WIDTH = 0.01  # of the budget
COSTS = ("flops", "kv")  # what has a closed form


@dataclass(frozen=True)
class Limit:
    """What a setting may cost at most: FLOPs of the prefill, or bytes of the KV cache that it leaves.

    of: one of COSTS. Raises ValueError for another, or a limit that is not above 0.
    """

    most: float
    of: str = "flops"

    def __post_init__(self):
        if self.of not in COSTS or not self.most > 0:
            raise ValueError(f"a limit is above 0 and of {' or '.join(COSTS)}, got {self.most} of {self.of}")

    def cost(
        self, workload: Workload, visual_per_layer: Sequence[int], others_per_layer: Sequence[int] | None = None
    ) -> float:
        """others_per_layer: as in `Workload.flops`."""
        told = workload.flops if self.of == "flops" else workload.kv_bytes
        return float(told(visual_per_layer, others_per_layer))

    def dense(self, workload: Workload) -> float:
        """What the dense model costs."""
        return self.cost(workload, [workload.num_visual] * workload.shape.num_layers)


@dataclass(frozen=True)
class Shell:
    """Settings that cost what is allowed, or up to WIDTH less.

    settings:  each with its cost, as they come; those of AIM by frames, l1, l2 and keep ratio.
    default:   AIM with the released schedule, scaled to the depth, at most frames that allow it; None if none is here.
    left_out:  sentences on what was not considered.
    """

    settings: dict[Setting, float]
    default: Setting | None
    left_out: tuple[str, ...] = ()

    def thinned(self, most: int) -> list[Setting]:
        """So many of the settings, spread over keep ratio, layers and frames; all if they are no more.

        The default and other methods stay.
        """
        held = [own for own in self.settings if own == self.default or own.method != AIM]
        others = [own for own in self.settings if own not in held]
        room = max(0, most - len(held))
        if len(others) <= room:
            return [*held, *others]
        return [*held, *_spread_out(others, [own for own in held if own.method == AIM], room)]


def shell(
    workloads: Mapping[int, Workload], limit: Limit, methods: Sequence[str] = (AIM,), default: Setting | None = None
) -> Shell:
    """All settings of AIM in the shell, and of every other method the one that its knob gives.

    workloads: the dense prefill at each number of frames to choose among, as of one prompt.
    default:   to compare with, if it is in the shell; else the released schedule at most frames that is.
    Where even the dense model costs less than the shell, it is there, at most frames, since it is allowed.
    Raises ValueError for an unknown method, or where nothing costs as little as the limit.
    """
    if unknown := set(methods) - {*METHODS}:
        raise ValueError(f"there is no method {min(unknown)!r}: choose among {', '.join(METHODS)}")
    found: dict[Setting, float] = {}
    left_out: list[str] = []
    for num_frames, workload in sorted(workloads.items(), reverse=True):
        dense = limit.dense(workload)
        if dense <= limit.most:
            if not any(own.method == DENSE for own in found):
                found[Setting.of(DENSE, num_frames)] = dense
            continue
        for name in methods:
            own = _of_aim(workload, num_frames, limit) if name == AIM else _of(name, workload, num_frames, limit)
            before = len(found)
            try:
                found |= own
            except ValueError as error:
                left_out.append(f"{num_frames} frames: {error}")
            if name == AIM and len(found) == before:
                left_out.append(f"{num_frames} frames: no setting of AIM is within {WIDTH:.0%} of the budget")
    if not found:
        raise ValueError(" ".join(["Nothing costs so little.", *dict.fromkeys(left_out)]))
    return Shell(found, default if default in found else _default(found, workloads), tuple(dict.fromkeys(left_out)))


def _of_aim(workload: Workload, num_frames: int, limit: Limit) -> Iterator[tuple[Setting, float]]:
    """By bisection over the keep ratios that leave different numbers of tokens, for each l1 and l2."""
    ratios = keep_ratios(workload)
    for l1, l2 in _schedules(workload):

        @cache
        def cost(index: int, l1: int = l1, l2: int = l2) -> float:
            method = make_method(AIM, keep_ratio=ratios[index], l1=l1, l2=l2)
            return limit.cost(workload, workload.visual_per_layer(method))

        most = bisect_right(range(len(ratios)), limit.most, key=cost)
        for index in range(most - 1, -1, -1):
            if cost(index) < (1 - WIDTH) * limit.most:
                break
            yield Setting.of(AIM, num_frames, keep_ratio=ratios[index], l1=l1, l2=l2), cost(index)


def _schedules(workload: Workload) -> list[tuple[int, int]]:
    """All l1 < l2 that prune as the model allows, and one that prunes nothing."""
    depth, least = workload.shape.num_layers, max(0, workload.shape.first_droppable - 1)
    pruning = [(l1, l2) for l1 in range(least, depth - 1) for l2 in range(l1 + 1, depth + 1)]
    return [*pruning, (depth, depth + 1)]


def _of(name: str, workload: Workload, num_frames: int, limit: Limit) -> Iterator[tuple[Setting, float]]:
    """The one setting of a method's knob, if it is in the shell. Raises ValueError, in a sentence, if it is not."""
    if not is_counted(make_method(name)):
        raise ValueError(f"what {METHODS[name].title} costs depends on the video: there is no closed form")
    share = limit.most / limit.dense(workload)
    solved = solve(name, Budget(share * (1 - WIDTH / 2), limit.of), workload)
    if isinstance(solved, Unreachable):
        raise ValueError(solved.reason)
    cost = limit.cost(workload, solved.visual_per_layer, workload.others_per_layer(solved.method))
    if not (1 - 2 * WIDTH) * limit.most <= cost <= limit.most:
        raise ValueError(f"{METHODS[name].title} comes no nearer than {cost / limit.most:.1%} of the budget")
    yield Setting.of(name, num_frames, **solved.settings), cost


def _default(found: Mapping[Setting, float], workloads: Mapping[int, Workload]) -> Setting | None:
    for own in found:
        shape = workloads[own.num_frames].shape
        if own.method == AIM and (own.settings["l1"], own.settings["l2"]) == (shape.l1, shape.l2):
            return own
    return None


def _spread_out(settings: Sequence[Setting], held: Sequence[Setting], number: int) -> list[Setting]:
    """One after the other the setting farthest from those chosen, as they were drawn by chance to begin with."""
    places = np.array([_place(own) for own in [*settings, *held]])
    places = (places - places.min(0)) / np.maximum(np.ptp(places, axis=0), 1e-9)
    inside, chosen = places[: len(settings)], [*range(len(settings), len(places))]
    near = np.full(len(settings), np.inf)
    for index in chosen:
        near = np.minimum(near, np.linalg.norm(inside - places[index], axis=1))
    taken: list[int] = []
    while len(taken) < number:
        index = int(near.argmax())
        taken.append(index)
        near = np.minimum(near, np.linalg.norm(inside - places[index], axis=1))
    return [settings[index] for index in sorted(taken)]


def _place(setting: Setting) -> tuple[float, ...]:
    own = setting.settings
    return (np.log(own["keep_ratio"]), own["l1"], own["l2"], np.log(setting.num_frames))
