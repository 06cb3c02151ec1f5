"""Speedup: how many times faster one thing ran than another, told only where the clock can tell it."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

MOST_SPREAD = 2.0  # largest ratio of a turn over the smallest, up to which the turns agree


@dataclass(frozen=True)
class Speedup:
    """ratio: of the medians. low, high: the smallest and the largest ratio of any turn."""

    ratio: float
    low: float
    high: float


def speedup(slow_ms: Sequence[float], fast_ms: Sequence[float]) -> Speedup | None:
    """Ratio of two things timed in turns: turn i took slow_ms[i], then fast_ms[i] milliseconds.

    None where it cannot be told: with a single turn, which has no spread, or where the ratios of two turns are more
    than MOST_SPREAD apart, as on a machine that is busy with something else.
    Raises ValueError for a different number of turns, none, or a time that is not positive.
    """
    if len(slow_ms) != len(fast_ms) or not slow_ms:
        raise ValueError(f"give two times for every turn, got {len(slow_ms)} and {len(fast_ms)}")
    if min(*slow_ms, *fast_ms) <= 0:
        raise ValueError(f"times must be positive, got {min(*slow_ms, *fast_ms)} ms")
    ratios = [slow / fast for slow, fast in zip(slow_ms, fast_ms, strict=True)]
    if len(ratios) < 2 or max(ratios) > MOST_SPREAD * min(ratios):
        return None
    return Speedup(statistics.median(slow_ms) / statistics.median(fast_ms), min(ratios), max(ratios))
