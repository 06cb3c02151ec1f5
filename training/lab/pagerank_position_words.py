"""PageRank and position: what position alone decides, and what a correction changes, as Markdown."""

from __future__ import annotations

import math
from typing import Any

from training.lab.pagerank_chart import POSITION
from training.lab.pagerank_video import OVER_ROWS, OVER_UNIFORM, PAGERANK
from training.tables import percent, table_row

STEPS = 5  # as released
MANY = 2  # a frame is overfull from so many times its equal share on
SCHEDULES = {"released": "released", "early": "an eighth from layer 4", "nothing pruned": "nothing pruned"}
PLACES = {"released": "under the released schedule", "early": "where an eighth is kept early"}
SCORES = {OVER_ROWS: "`pagerank_causal`", OVER_UNIFORM: "`pagerank_over_uniform`"}  # as AimConfig has them


def part(report: dict[str, Any]) -> str:
    cuts = report["position"]
    head = ["layer", "scorer", "R² of ranks", "set predicted", "of the set, %", "the earliest", "as PageRank"]
    lines = [
        "### What position alone decides",
        "",
        f"**{position_verdict(cuts)}**",
        "",
        "If every row attended alike to all that it can see, five steps would give the token behind a share *u* of a "
        f"long prompt log(1/*u*)⁵/5! times the mean: half of all mass to the first {100 * half():.1f} % of the tokens. "
        f"{SCORES[OVER_ROWS]} divides by the number of rows that can see a token, which is only a line; "
        f"{SCORES[OVER_UNIFORM]} divides by this null model itself.",
        "",
        f"**{correction_verdict(cuts)}**",
        "",
        f"![Share of the kept tokens in each frame, by scorer](../{POSITION.as_posix()})",
        "",
        table_row(head),
        table_row(["---"] * len(head)),
        *(table_row(_cells(cut, name, row)) for cut in cuts for name, row in cut["scorers"].items()),
        "",
        "*R² of ranks*: with the mean rank at the same position in the other videos. *Set predicted*: agreement with "
        "what those mean ranks would keep, then the share of the kept set that they name. *The earliest*: agreement "
        "with the first tokens of the video, which is what even attention keeps. Early frames may also be worth more "
        "here: training told heads of this model to look from a thing to its earlier frames.",
        "",
        *_answers(report["answers"]),
    ]
    return "\n".join(lines)


def _cells(cut: dict[str, Any], name: str, row: dict[str, Any]) -> list[str]:
    values = [_value(row[key]) for key in ("order", "predicted", "first", "changed")]
    return [f"{cut['layer']}, {cut['k']} stay", name, *values[:2], percent(row["share"]), *values[2:]]


def position_verdict(cuts: list[dict[str, Any]]) -> str:
    """What the mean rank at a position in other videos knows of PageRank's ranking."""
    told = []
    for cut in cuts:
        own, chance = cut["scorers"][PAGERANK], cut["k"] / cut["num_visual"]
        told.append(
            f"{100 * own['share']['value']:.0f} % of what layer {cut['layer']} keeps (chance {100 * chance:.0f} %, "
            f"R² {own['order']['value']:.2f})"
        )
    return f"Position alone, fitted on other videos, names {_listed(told)}."


def correction_verdict(cuts: list[dict[str, Any]]) -> str:
    """Whether one of the corrections takes half of the bias away."""
    first = {
        name: sum(cut["scorers"][name]["first"]["value"] for cut in cuts) / len(cuts) for name in (PAGERANK, *SCORES)
    }
    told = f"PageRank's kept sets agree with the earliest tokens to {first[PAGERANK]:+.2f} (mean of three layers)"
    best = min(SCORES, key=lambda name: abs(first[name]))
    if abs(first[best]) < abs(first[PAGERANK]) / 2:
        (other,) = set(SCORES) - {best}
        told += f"; {SCORES[best]} brings that to {first[best]:+.2f}, {SCORES[other]} to {first[other]:+.2f}"
        return f"{told}.{_overshoot(cuts, best)}"
    both = " and ".join(f"{SCORES[name]} {first[name]:+.2f}" for name in SCORES)
    return f"{told}, and neither correction halves that: {both}."


def _overshoot(cuts: list[dict[str, Any]], name: str) -> str:
    """Where a correction fills the last frame instead."""
    last = {cut["layer"]: cut["scorers"][name]["frames"][-1] for cut in cuts}
    layer, equal = max(last, key=lambda own: last[own]), 1 / len(cuts[0]["scorers"][name]["frames"])
    if last[layer] <= MANY * equal:
        return ""
    told = f"{100 * last[layer]:.0f} % of what it keeps in layer {layer} (an equal share would be {100 * equal:.1f} %)"
    return f" {SCORES[name]} overshoots: the last frame has {told}."


def half() -> float:
    """The share of a long prompt whose tokens, the first ones, hold half of all mass after STEPS of even attention."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _mass(middle) < 0.5 else (low, middle)
    return high


def _mass(share: float) -> float:
    """Held by the first tokens, a `share` in (0, 1] of a long prompt: the integral of log(1/u)^STEPS / STEPS!."""
    return share * sum(math.log(1 / share) ** power / math.factorial(power) for power in range(STEPS + 1))


def _answers(rows: list[dict[str, Any]]) -> list[str]:
    head = ["schedule", "scorer", "GFLOPs", "right, %", "more than PageRank, points"]
    return [
        f"**{' '.join(answer_verdict(rows, when) for when in ('released', 'early'))}**",
        "",
        table_row(head),
        table_row(["---"] * len(head)),
        *(table_row(_answer_cells(row)) for row in rows),
        "",
        f"{rows[0]['n']} questions, each asked with every scorer at the same counts, so at equal FLOPs; differences "
        "are paired.",
    ]


def _answer_cells(row: dict[str, Any]) -> list[str]:
    gap = _points(row["minus_pagerank"]) if "minus_pagerank" in row else "–"
    named = [SCHEDULES[row["schedule"]], row["scorer"] or "–"]
    return [*named, f"{row['flops'] / 1e9:.2f}", percent(row["accuracy"]), gap]


def answer_verdict(rows: list[dict[str, Any]], when: str) -> str:
    """Which scorers answer better than PageRank under one schedule, which worse, and of which it is not sure."""
    better, worse, unsure = [], [], []
    for row in (row for row in rows if row["schedule"] == when and "minus_pagerank" in row):
        gap = row["minus_pagerank"]
        group = better if gap["low"] > 0 else worse if gap["high"] < 0 else unsure
        group.append(f"{SCORES.get(row['scorer'], row['scorer'])} ({_points(gap)})")
    groups = (("more with", better), ("fewer with", worse), ("not surely more or fewer with", unsure))
    told = "; ".join(f"{words} {', '.join(group)}" for words, group in groups if group)
    return f"Right answers beside PageRank's {PLACES[when]}, in points: {told}."


def _points(gap: dict[str, float]) -> str:
    return f"{100 * gap['value']:+.1f}, {100 * gap['low']:+.1f} to {100 * gap['high']:+.1f}"


def _value(one: dict[str, float]) -> str:
    return f"{one['value']:.2f} ({one['low']:.2f} to {one['high']:.2f})"


def _listed(words: list[str]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}"
