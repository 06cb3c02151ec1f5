"""Scoring: from right and wrong answers to accuracies with 95 % intervals, as plain numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from aim_lab.intervals import bootstrap, interval, mean_over_questions, wilson
from training.eval_sets import Item
from training.questions import CHANCE, TYPES, Question


class Asked(Protocol):
    """A question about a video."""

    video: int
    question: Question


class InRow(Asked, Protocol):
    """A question that belongs in a row of a table, among others of its axis."""

    axis: str
    row: str


def score(right: np.ndarray) -> dict:
    """Accuracy of (n,) bool with its Wilson interval."""
    return interval(float(right.mean()), *wilson(int(right.sum()), len(right)), name="accuracy")


def mean_over_types(values: np.ndarray, items: Sequence[Asked]) -> tuple[float, float, float]:
    """Mean of the types' means of `values` (n,), and its interval by bootstrap.

    Whole videos are drawn, since questions about one video are not independent.
    """
    return bootstrap(values, items, [TYPES.index(item.question.type) for item in items])


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
