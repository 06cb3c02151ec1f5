"""PageRank report: what many videos say together, as plain numbers with 95 % intervals that draw whole videos."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from aim_core.ops.rank_correlation import spearman
from aim_lab.intervals import bootstrap, difference_over_questions, interval, mean_over_questions
from training.lab import pagerank_maths as maths
from training.lab.pagerank_video import ITERATIONS, PAGERANK, SCORERS, Cut

Found = Mapping[str, Any]  # what `pagerank_video.look` says of a video


@dataclass(frozen=True)
class Of:
    video: int


def convergence(found: Sequence[Found]) -> dict[str, Any]:
    """By layer medians over videos after each of ITERATIONS; and means over layers with their intervals."""
    layers = list(zip(*(own["convergence"] for own in found), strict=True))  # of each layer every video's
    names = ("change", "first", "kept", "order")
    usual = [[own["teleport"] for own in layer] for layer in layers]
    return {
        "iterations": list(ITERATIONS),
        "layers": [{name: _medians(layer, name) for name in names} for layer in layers],
        "teleport_layers": [{name: _medians(layer, name) for name in ("distance", "kept", "order")} for layer in usual],
        "mean": {name: [_over_layers(found, name, at) for at in range(len(ITERATIONS))] for name in ("first", "kept")},
        "end": _mean([np.mean([own["teleport"]["kept"][_five()] for own in one["convergence"]]) for one in found]),
        "released": _mean(
            [np.mean([own["teleport"]["released"]["kept"][0] for own in one["convergence"]]) for one in found]
        ),
        "distance": _mean(
            [np.mean([own["teleport"]["distance"][_five()] for own in one["convergence"]]) for one in found]
        ),
        "traps": float(np.mean([own["slowest"] < 0.001 for one in found for own in one["convergence"]])),
    }


def _five() -> int:
    """Where the released number of iterations stands in ITERATIONS."""
    return ITERATIONS.index(5)


def _medians(layer: Sequence[Found], name: str) -> list[float]:
    rows = np.array([own[name] for own in layer], dtype=float)  # None, of scores without an order, is nan
    return np.round(np.nanmedian(rows, axis=0), 5).tolist()


def _over_layers(found: Sequence[Found], name: str, at: int) -> dict[str, float]:
    return _mean([np.mean([own[name][at] for own in one["convergence"]]) for one in found])


def stability(found: Sequence[Found], cuts: Sequence[Cut]) -> list[dict[str, Any]]:
    """For every cut and scorer the agreement beyond chance after each change that some videos allow."""
    rows = []
    for place, cut in enumerate(cuts):
        own = [one["stability"][place] for one in found]
        agreed = {
            scorer: {change: _mean([one[scorer][change] for one in own if change in one[scorer]]) for change in changes}
            for scorer, changes in max(own, key=lambda one: sum(map(len, one.values()))).items()
        }
        rows.append({"layer": cut.layer, "k": cut.k, "scorers": agreed})
    return rows


def position(found: Sequence[Found], cuts: Sequence[Cut], num_visual: int, num_frames: int) -> list[dict[str, Any]]:
    """For every cut and scorer how much position explains, and where the kept tokens stand.

    order:     Spearman's correlation, squared, of its ranks with mean ranks by position in other videos.
    predicted: agreement beyond chance of its kept set with the one that those mean ranks keep; share: as a share of it.
    first:     the same with the earliest tokens, which is what even attention keeps.
    changed:   the same with what PageRank keeps.
    frames:    share of its kept tokens in each frame.
    """
    return [_position(found, cut, place, num_visual, num_frames) for place, cut in enumerate(cuts)]


def _position(found: Sequence[Found], cut: Cut, place: int, num_visual: int, num_frames: int) -> dict[str, Any]:
    sets = {name: np.stack([_kept(one["scores"][place][name], cut.k) for one in found]) for name in SCORERS}
    early = np.arange(num_visual) < cut.k
    frame = np.minimum(np.arange(num_visual) * num_frames // (num_visual - 1), num_frames - 1)  # last is a newline
    rows = {}
    for name, own in sets.items():
        scores = np.stack([_ranks(one["scores"][place][name]) for one in found])
        fitted = maths.by_position(scores)
        guesses = [maths.kept(one, cut.k) for one in fitted]
        rows[name] = {
            "order": _mean([(spearman(*pair) or 0.0) ** 2 for pair in zip(scores, fitted, strict=True)]),
            "predicted": _mean([maths.beyond_chance(*pair) for pair in zip(own, guesses, strict=True)]),
            "share": _mean([(one & guess).sum() / cut.k for one, guess in zip(own, guesses, strict=True)]),
            "first": _mean([maths.beyond_chance(one, early) for one in own]),
            "changed": _mean([maths.beyond_chance(*pair) for pair in zip(own, sets[PAGERANK], strict=True)]),
            "frames": [round(float(own[:, frame == number].sum() / own.sum()), 4) for number in range(num_frames)],
        }
    return {"layer": cut.layer, "k": cut.k, "num_visual": num_visual, "scorers": rows}


def _kept(order: Sequence[int], k: int) -> np.ndarray:
    mask = np.zeros(len(order), dtype=bool)
    mask[list(order[:k])] = True
    return mask


def _ranks(order: Sequence[int]) -> np.ndarray:
    """(n,) a score that gives this order."""
    scores = np.empty(len(order))
    scores[list(order)] = np.arange(len(order), 0, -1)
    return scores


def answers(found: Sequence[Found], flops_of: Any) -> list[dict[str, Any]]:
    """For every setting the share of right answers, and what it has more than PageRank on the same schedule.

    flops_of: from visual tokens entering each layer to operations.
    """
    items = [Of(number) for number, one in enumerate(found) for _ in one["answers"]["nothing pruned"]["right"]]
    rights = {name: _right(found, name) for name in found[0]["answers"]}
    rows = []
    for name, right in rights.items():
        when, _, scorer = name.partition(", ")
        row = {"schedule": when, "scorer": scorer, "n": len(right), "flops": _flops(found, name, flops_of)}
        row["accuracy"] = interval(*mean_over_questions(right, items))
        if scorer not in ("", PAGERANK):
            row["minus_pagerank"] = interval(*difference_over_questions(right, rights[f"{when}, {PAGERANK}"], items))
        rows.append(row)
    return rows


def _right(found: Sequence[Found], name: str) -> np.ndarray:
    return np.array([right for one in found for right in one["answers"][name]["right"]])


def _flops(found: Sequence[Found], name: str, flops_of: Any) -> float:
    return float(np.mean([flops_of(one["answers"][name]["counts"]) for one in found]))


def _mean(values: Sequence[float]) -> dict[str, float]:
    """Of one value a video."""
    own = np.array(values, dtype=float)
    return interval(*bootstrap(own, [Of(number) for number in range(len(own))], [0] * len(own)))
