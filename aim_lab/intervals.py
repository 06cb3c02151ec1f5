"""Intervals: shares and paired differences with 95 % intervals that draw whole videos, as plain numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import Protocol

import numpy as np

Z = 1.959964  # 95 % of a normal distribution lie within so many standard deviations
RESAMPLES = 4000


class AboutVideo(Protocol):
    """What belongs to a video, which has a number or a name of its own."""

    @property
    def video(self) -> int | str: ...


def wilson(right: int, n: int) -> tuple[float, float]:
    """95 % interval of a share of `right` in `n` (Wilson 1927); it stays inside [0, 1], also for 0 and n."""
    if n < 1 or not 0 <= right <= n:
        raise ValueError(f"need 0 <= right <= n and n >= 1, got {right}, {n}")
    share, spread = right / n, Z * Z / n
    middle = (share + spread / 2) / (1 + spread)
    half = math.sqrt(spread * (share * (1 - share) + spread / 4)) / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)


def mean_over_questions(right: np.ndarray, items: Sequence[AboutVideo]) -> tuple[float, float, float]:
    """Share of `right` (n,) bool, and its interval by bootstrap over whole videos.

    Where all or none are right, drawing them again tells nothing: Wilson's interval for as many questions as videos.
    """
    share, low, high = bootstrap(right, items, [0] * len(items))
    if 0 < share < 1:
        return share, low, high
    videos = len({item.video for item in items})
    return share, *wilson(round(share * videos), videos)


def difference_over_questions(
    one: np.ndarray, other: np.ndarray, items: Sequence[AboutVideo]
) -> tuple[float, float, float]:
    """Share of right answers of `one` minus that of `other`, (n,) bool to the same questions, and its interval by
    bootstrap over whole videos.

    Where no answer differs, drawing them again tells nothing: as far as Wilson's interval for 0 of as many as videos.
    """
    gap = one.astype(float) - other
    if gap.any():
        return bootstrap(gap, items, [0] * len(items))
    _, most = wilson(0, len({item.video for item in items}))
    return 0.0, -most, most


def bootstrap(values: np.ndarray, items: Sequence[AboutVideo], columns: Sequence[int]) -> tuple[float, float, float]:
    """Mean over the columns of their means, and the ends of its interval, with whole videos drawn.

    values: (n,), one of each item; columns: which column each belongs to.
    """
    _, row = np.unique([item.video for item in items], return_inverse=True)
    _, column = np.unique(columns, return_inverse=True)
    total = np.zeros((row.max() + 1, column.max() + 1))  # (V, K)
    number = np.zeros_like(total)
    np.add.at(total, (row, column), values)
    np.add.at(number, (row, column), 1)
    draws = _draws(len(total))
    with np.errstate(invalid="ignore"):  # a type that no drawn video asks for is left out of that draw's mean
        means = np.nanmean((draws @ total) / (draws @ number), axis=1)  # (RESAMPLES,)
    low, high = np.quantile(means, [0.025, 0.975])
    return float((total.sum(0) / number.sum(0)).mean()), float(low), float(high)


@cache
def _draws(num_videos: int) -> np.ndarray:
    """(RESAMPLES, num_videos) how often each video is drawn, the same for all that is compared."""
    return np.random.default_rng(0).multinomial(num_videos, np.full(num_videos, 1 / num_videos), size=RESAMPLES)


def interval(*values: float, name: str = "value") -> dict:
    """A number by its name, and the ends of its interval."""
    return dict(zip((name, "low", "high"), (round(v, 4) for v in values), strict=True))
