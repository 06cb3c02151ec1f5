"""Scoring: from right and wrong answers to accuracies with 95 % intervals, as plain numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import Protocol

import numpy as np

from training.eval_sets import Item
from training.questions import CHANCE, TYPES, Question

Z = 1.959964  # 95 % of a normal distribution lie within so many standard deviations
RESAMPLES = 4000


class AboutVideo(Protocol):
    """What belongs to a video, which has a number or a name of its own."""

    @property
    def video(self) -> int | str: ...


class Asked(Protocol):
    """A question about a video."""

    video: int
    question: Question


class InRow(Asked, Protocol):
    """A question that belongs in a row of a table, among others of its axis."""

    axis: str
    row: str


def wilson(right: int, n: int) -> tuple[float, float]:
    """95 % interval of a share of `right` in `n` (Wilson 1927); it stays inside [0, 1], also for 0 and n."""
    if n < 1 or not 0 <= right <= n:
        raise ValueError(f"need 0 <= right <= n and n >= 1, got {right}, {n}")
    share, spread = right / n, Z * Z / n
    middle = (share + spread / 2) / (1 + spread)
    half = math.sqrt(spread * (share * (1 - share) + spread / 4)) / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)


def score(right: np.ndarray) -> dict:
    """Accuracy of (n,) bool with its Wilson interval."""
    return interval(float(right.mean()), *wilson(int(right.sum()), len(right)), name="accuracy")


def mean_over_types(values: np.ndarray, items: Sequence[Asked]) -> tuple[float, float, float]:
    """Mean of the types' means of `values` (n,), and its interval by bootstrap.

    Whole videos are drawn, since questions about one video are not independent.
    """
    return _bootstrap(values, items, [TYPES.index(item.question.type) for item in items])


def mean_over_questions(right: np.ndarray, items: Sequence[AboutVideo]) -> tuple[float, float, float]:
    """Share of `right` (n,) bool, and its interval by bootstrap over whole videos.

    Where all or none are right, drawing them again tells nothing: Wilson's interval for as many questions as videos.
    """
    share, low, high = _bootstrap(right, items, [0] * len(items))
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
        return _bootstrap(gap, items, [0] * len(items))
    _, most = wilson(0, len({item.video for item in items}))
    return 0.0, -most, most


def _bootstrap(values: np.ndarray, items: Sequence[AboutVideo], columns: list[int]) -> tuple[float, float, float]:
    """Mean over the columns of their means, and the ends of its interval."""
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


def by_type(items: Sequence[Asked], answers: dict[str, np.ndarray]) -> dict:
    """n, chance and one score for each of `answers` (name to (n,) bool), for every type and as the mean over types."""
    types, rows = np.array([item.question.type for item in items]), {}
    for kind in [kind for kind in TYPES if kind in types]:
        scores = {name: score(right[types == kind]) for name, right in answers.items()}
        rows[kind] = {"n": int((types == kind).sum()), "chance": round(CHANCE[kind], 4), **scores}
    means = {name: interval(*mean_over_types(right, items), name="accuracy") for name, right in answers.items()}
    chance = round(float(np.mean([row["chance"] for row in rows.values()])), 4)
    return {"types": rows, "mean": {"n": len(items), "chance": chance, **means}}


def by_row(items: Sequence[InRow], answers: dict[str, np.ndarray]) -> dict[str, dict]:
    """For every axis and every row of it: n and the share of right questions of each of `answers`."""
    table: dict[str, dict] = {}
    places = np.array([(item.axis, item.row) for item in items])
    for axis, row in dict.fromkeys(map(tuple, places.tolist())):
        chosen = np.flatnonzero((places == (axis, row)).all(axis=1))
        own = [items[i] for i in chosen]
        means = {
            who: interval(*mean_over_questions(right[chosen], own), name="accuracy") for who, right in answers.items()
        }
        table.setdefault(axis, {})[row] = {"n": len(own)} | means
    return table


def difference(items: Sequence[Asked], dense: np.ndarray, aim: np.ndarray) -> dict:
    """What AIM adds to the mean over types (negative: what it costs), question by question, and who alone was right."""
    paired = mean_over_types(aim.astype(float) - dense, items)
    only = {"only_dense_right": int((dense & ~aim).sum()), "only_aim_right": int((aim & ~dense).sum())}
    return interval(*paired, name="aim_minus_dense") | only


def by_combination(items: list[Item], answers: dict[str, np.ndarray]) -> dict:
    """Questions about one thing, by whether training ever showed that colour and shape doing what it does.

    n and the mean over types of each of `answers`, over the types that both groups have, so that it is not the mix
    of types that differs. A group without questions has no row; two that share no type have none.
    """
    combination = np.array([item.combination or "" for item in items])
    types, rows = np.array([item.question.type for item in items]), {}
    groups = [name for name in ("seen", "unseen") if name in combination]
    shared = set(TYPES).intersection(*(types[combination == name] for name in groups))
    for name in groups if shared else ():
        chosen = np.flatnonzero((combination == name) & np.isin(types, list(shared)))
        own = [items[i] for i in chosen]
        means = {who: interval(*mean_over_types(right[chosen], own), name="accuracy") for who, right in answers.items()}
        rows[name] = {"n": len(own)} | means
    return rows


def interval(*values: float, name: str = "value") -> dict:
    """A number by its name, and the ends of its interval."""
    return dict(zip((name, "low", "high"), (round(v, 4) for v in values), strict=True))
