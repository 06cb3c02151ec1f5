"""Budget: one cost for all methods, and the setting at which each of them meets it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from aim_core.methods.base import Method
from aim_core.methods.counts import is_counted
from aim_core.methods.knobs import Settings, ShareKnob, WholeKnob
from aim_core.methods.registry import METHODS, make_method
from aim_core.reasons import MEASURES, Reason, because
from aim_core.workload import Shares, Workload

TOLERANCE = 0.01  # relative to the budget
_NEAR_ENOUGH = TOLERANCE / 2  # where every try is a merge of the video at hand
_NARROW = 1e-9  # a range of shares in which no count changes any more

Count = Callable[[Method], Sequence[int]]


@dataclass(frozen=True)
class Budget:
    """A share of what the dense prefill costs.

    share: in (0, 1]. of: one of MEASURES, see `Shares`. Raises ValueError for another value.
    """

    share: float = 0.25
    of: str = "flops"

    def __post_init__(self):
        if not 0 < self.share <= 1:
            raise ValueError(f"a budget is a share of the dense cost in (0, 1], got {self.share}")
        if self.of not in MEASURES:
            raise ValueError(f"a budget is of one of {', '.join(MEASURES)}, got {self.of!r}")

    def miss(self, shares: Shares) -> float:
        """How far a cost lies from the budget, relative to it; above 0 if it costs more."""
        return getattr(shares, self.of) / self.share - 1


@dataclass(frozen=True, eq=False)
class Solved:
    """A method whose cost meets a budget, or comes as near as its settings can.

    settings:         all that differ from those released, by keyword of `make_method`.
    visual_per_layer: visual tokens entering each layer.
    shares:           what it costs, by every measure.
    miss:             how far that is from the budget, relative to it; above 0 if it costs more.
    why:              why it comes no nearer; None within TOLERANCE of the budget.
    """

    name: str
    settings: Settings
    method: Method
    visual_per_layer: tuple[int, ...]
    shares: Shares
    miss: float
    why: Reason | None = None

    @property
    def note(self) -> str:
        """`why` as an English sentence; "" within TOLERANCE of the budget."""
        return str(self.why or "")


@dataclass(frozen=True)
class Unreachable:
    """A method that cannot meet a budget.

    limit: the nearest share of the dense cost that it can meet, if it can meet any.
    """

    name: str
    why: Reason
    limit: float | None = None

    @property
    def reason(self) -> str:
        """`why` as an English sentence."""
        return str(self.why)


def solve(name: str, budget: Budget, workload: Workload, count: Count | None = None) -> Solved | Unreachable:
    """Move the knob of a method of the registry until it costs what the budget says.

    count: visual tokens entering each layer under a method, on the video at hand (`Engine.planned`); asked only for a
           method that has no closed form.
    Raises ValueError for a name that there is none of, and where `count` is needed and not given.
    """
    default, knob = make_method(name), METHODS[name].knob
    if is_counted(default):
        search = _Search(name, budget, workload, workload.visual_per_layer)
    elif count is None:
        raise ValueError(f"how many tokens {default.name} leaves depends on the video: say how to count them there")
    else:
        search = _Search(name, budget, workload, count, _NEAR_ENOUGH, 0.02 / workload.num_visual)
    return search.shares(knob) if isinstance(knob, ShareKnob) else search.whole(knob)


@dataclass(frozen=True)
class _Search:
    """A search over shares stops `near_enough` to the budget, relative to it, or in a range that is this `narrow`."""

    name: str
    budget: Budget
    workload: Workload
    count: Count
    near_enough: float = 0.0
    narrow: float = _NARROW

    def shares(self, knob: ShareKnob) -> Solved | Unreachable:
        """By bisection, then rounded to as few digits as cost nothing."""
        if knob.setting not in METHODS[self.name].settings:
            return self._refused("no_knob")
        fixed = knob.others(self.workload.shape)

        def at(value: float) -> Solved:
            return self._try({knob.setting: value, **fixed})

        try:
            low, high = at(knob.low), at(knob.high)
        except ValueError as error:
            return self._refused("does_not_fit", because=because(error))
        if wrong := self._out_of_reach(low, high):
            return wrong
        ends = [(knob.low, low), (knob.high, high)]
        level, step = max(0.0, low.miss), 0  # the largest share that costs the least, if that is above the budget
        while ends[1][0] - ends[0][0] > self.narrow and min(abs(own.miss) for _, own in ends) > self.near_enough:
            halve = step % 3 > 1 or step > 6  # a line does not help where counts jump
            middle = _between(ends[0][0], ends[1][0], ends[0][1].miss, ends[1][1].miss, halve)
            tried, step = at(middle), step + 1
            ends[tried.miss > level] = (middle, tried)
        value, best = min(ends, key=lambda end: abs(end[1].miss))
        short = (min(knob.high, max(knob.low, number)) for number in _shorter(value))
        better = (tried for tried in map(at, short) if abs(tried.miss) <= max(abs(best.miss), self.near_enough))
        return self._with_note(next(better, best), ends[0][1], ends[1][1], None if self.near_enough else "tokens")

    def whole(self, knob: WholeKnob) -> Solved | Unreachable:
        """By trying all of them: the first within TOLERANCE, else the nearest."""
        tried = [self._try(settings) for settings in knob.candidates(self.workload.shape)]
        if not tried:
            return self._refused("no_setting")
        by_cost = sorted(tried, key=lambda own: own.miss)
        if wrong := self._out_of_reach(by_cost[0], by_cost[-1]):
            return wrong
        allowed = max(TOLERANCE, min(abs(own.miss) for own in tried) + TOLERANCE / 10)
        best = next(own for own in tried if abs(own.miss) <= allowed)
        low = next((own for own in reversed(by_cost) if own.miss <= 0), best)
        high = next((own for own in by_cost if own.miss > 0), best)
        return self._with_note(best, low, high, knob.steps)

    def _refused(self, code: str, **fields) -> Unreachable:
        return Unreachable(self.name, Reason(code, {"title": METHODS[self.name].title, **fields}))

    def _try(self, settings: Settings) -> Solved:
        method = make_method(self.name, **settings)
        counts = tuple(self.count(method))
        shares = self.workload.shares(counts, self.workload.others_per_layer(method))
        return Solved(self.name, settings, method, counts, shares, self.budget.miss(shares))

    def _out_of_reach(self, least: Solved, most: Solved) -> Unreachable | None:
        """Why no setting meets the budget, by the one that costs least and the one that costs most; None if one may."""
        if least.miss > TOLERANCE:
            return self._unreachable("under", least, self._kept(least))
        if most.miss < -TOLERANCE:
            return self._unreachable("over", most, Reason("most_kept", {"mean": most.shares.mean}))
        return None

    def _unreachable(self, side: str, limit: Solved, why: Reason) -> Unreachable:
        share = getattr(limit.shares, self.budget.of)
        return replace(self._refused(side, share=share, of=self.budget.of, because=why), limit=share)

    def _kept(self, least: Solved) -> Reason:
        """What it keeps at the least."""
        counts = least.visual_per_layer
        if num_whole := counts.count(self.workload.num_visual):
            code = "whole_layer" if num_whole == 1 else "whole_layers"
            kept = Reason(code, {"num_whole": num_whole, "num_layers": len(counts)})
        else:
            kept = Reason("least_entering", {"entering": least.shares.entering})
        left = self.workload.others_per_layer(least.method)
        text = getattr(self.workload.shares([0] * len(counts), left), self.budget.of)
        return Reason("text_alone", {"because": kept, "text": text}) if text >= TOLERANCE else kept

    def _with_note(self, best: Solved, low: Solved, high: Solved, steps: str | None) -> Solved:
        """`best` as it is within TOLERANCE; else with the costs on both sides of the budget.

        steps: what it moves by, of `reasons.STEPS`; None for what this video allows.
        """
        if abs(best.miss) <= TOLERANCE:
            return best
        below, above = (getattr(own.shares, self.budget.of) for own in (low, high))
        costs = {"below": below, "above": above}
        why = Reason("nearest", {"steps": steps} | costs) if steps else Reason("nearest_here", costs)
        return replace(best, why=why)


def _between(low: float, high: float, low_miss: float, high_miss: float, halve: bool) -> float:
    """Where to look next for a miss of 0: halfway, or on the line between both ends, not too close to either."""
    if halve or high_miss <= low_miss:
        return (low + high) / 2
    part = min(0.9, max(0.1, -low_miss / (high_miss - low_miss)))
    return low + part * (high - low)


def _shorter(value: float) -> Iterator[float]:
    """The value to fewer digits, up and down, the fewest first."""
    for digits in range(2, 7):
        for towards in (math.ceil, math.floor):
            yield towards(value * 10**digits) / 10**digits
