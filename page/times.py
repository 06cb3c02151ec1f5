"""Times: milliseconds and ratios of them as text, in two digits and with their spread."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from aim_core.result import Timing
from aim_core.speedup import speedup
from page.i18n import strings


def spent(runs_ms: Sequence[float]) -> str:
    """The median, then the fastest and the slowest: "340 ms (330–350)", "1.2 s (1.1–1.4)"; a single time alone."""
    median = statistics.median(runs_ms)
    size, unit = (1000, "s") if median >= 1000 else (1, "ms")
    middle, low, high = (two_digits(ms / size) for ms in (median, min(runs_ms), max(runs_ms)))
    return f"{middle} {unit} ({low}–{high})" if len(runs_ms) > 1 else f"{middle} {unit}"


def two_digits(number: float) -> str:
    """0.83, 12, 1,200."""
    return f"{float(f'{number:.2g}'):,g}"


def ratio(dense_ms: Sequence[float], aim_ms: Sequence[float]) -> str:
    """ "12× (11–14)" of times taken in turns, or that it cannot be told."""
    if len(dense_ms) < 2:
        return "–"
    told = speedup(dense_ms, aim_ms)
    if told is None:
        return strings().TOO_BUSY
    return f"{two_digits(told.ratio)}× ({two_digits(told.low)}–{two_digits(told.high)})"


def first_word(timing: Timing) -> str:
    """From the frames to the first word; a dash where that was not timed."""
    return spent(timing.first_words_ms) if timing.first_words_ms else "–"
