"""Summary: from the lines of a log to accuracies, paired differences, settings and costs, as plain numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from aim_lab.code import DENSE
from aim_lab.intervals import difference_over_questions, interval, mean_over_questions
from training.method_table.log import Line
from training.method_table.measure import Cell, cells

BESIDE = (DENSE, "aim")  # whose answers to the same questions each method is compared with

Answers = dict[tuple[int, str, str], Line]  # seed, video and question → the line of one method at one budget


def summarise(lines: Iterable[Line], wanted: Sequence[Cell] | None = None) -> dict:
    """What there is to report of one model's lines of one set; questions that lack an answer of any cell are left out.

    wanted: the cells, `cells()` if left out. Raises ValueError if no question has them all.
    """
    wanted = cells() if wanted is None else wanted
    table: dict[Cell, Answers] = {cell: {} for cell in wanted}
    for line in lines:
        if (line.method, line.budget) in table:
            table[line.method, line.budget][line.seed, line.video, line.question] = line
    whole = set.intersection(*(set(answers) for answers in table.values()))
    if not whole:
        raise ValueError("no question has been answered by all methods at all budgets: measure on")
    table = {cell: {key: answers[key] for key in sorted(whole)} for cell, answers in table.items()}
    dense = list(table[DENSE, 1.0].values())
    return {
        "weights": dense[0].weights,
        "set": dense[0].set,
        "seeds": sorted({line.seed for line in dense}),
        "num_questions": len(dense),
        "num_videos": len({line.video for line in dense}),
        "types": dict(sorted(Counter(line.type for line in dense).items())),
        "dense": _accuracy(dense),
        "rows": [_row(cell, table) for cell in wanted if cell[0] != DENSE],
    }


def _row(cell: Cell, table: dict[Cell, Answers]) -> dict:
    """One method at one budget; where none of the questions could be asked, why, and the nearest it can come."""
    method, budget = cell
    own = {key: line for key, line in table[cell].items() if not line.refused}
    refused = [line for line in table[cell].values() if line.refused]
    row: dict = {"method": method, "budget": budget, "answered": len(own), "refused": len(refused)}
    if refused:
        row["why"] = refused[0].refused
        row["limit"] = _range([line.limit for line in refused if line.limit is not None])
    if own:
        lines = list(own.values())
        row |= {name: _mean([line.shares[name] for line in lines]) for name in lines[0].shares}
        row["num_videos"] = len({line.video for line in lines})
        row["settings"] = _settings(lines)
        row |= _accuracy(lines)
        for other in BESIDE:
            beside = table[DENSE, 1.0] if other == DENSE else table[other, budget]
            row[f"minus_{other}"] = _difference(own, beside)
    return row


def _accuracy(lines: Sequence[Line]) -> dict:
    right = np.array([line.right for line in lines])
    return interval(*mean_over_questions(right, lines), name="accuracy")


def _difference(own: Answers, other: Answers) -> dict | None:
    """On the questions that both answered, with how many of them only one answered right; None if there are none."""
    both = [key for key, line in own.items() if not other[key].refused]
    if not both:
        return None
    one, two = (np.array([answers[key].right for key in both]) for answers in (own, other))
    gap = interval(*difference_over_questions(one, two, [own[key] for key in both]))
    return gap | {"num_unlike": int((one != two).sum())}


def _settings(lines: Sequence[Line]) -> dict[str, list | None]:
    """Of each setting the median, the least and the largest over the questions; seeds are drawn, not found."""
    names = [name for name in lines[0].settings if name != "seed"]
    return {name: _range([line.settings[name] for line in lines]) for name in names}


def _range(values: Sequence[float]) -> list[float] | None:
    """Median, least, largest; None of nothing."""
    return [round(float(number), 5) for number in (np.median(values), min(values), max(values))] if values else None


def _mean(values: Sequence[float]) -> float:
    return round(float(np.mean(values)), 5)
