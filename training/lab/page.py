"""Page: the report of the lab as Markdown, which stands between two marks of docs/lab.md."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from training.tables import percent, table_row

GOAL = 240  # videos to report on
HEAD = ("setting", "questions", "right, %", "as dense, %", "KL", "GFLOPs", "KV, MiB")
STAND_INS = {
    "agreement": "the share of answers that the dense model gives too",
    "first_token": "the share of first tokens",
    "kl": "mean KL of the first token",
}


def chart_of(keep_ratio: float) -> Path:
    return Path(f"assets/lab_{round(10000 * keep_ratio):04d}.png")


def block(report: dict[str, Any]) -> str:
    """All budgets, or that none is measured yet."""
    if not report["budgets"]:
        return "No budget is measured to its end yet: `make lab` goes on where it stood."
    few = min(row["num_videos"] for own in report["budgets"].values() for row in own["check"]["rows"]) < GOAL
    more = ["That is a beginning: `make lab` goes on, to more videos and settings."] if few else []
    return "\n\n".join([*map(_budget, report["budgets"].values()), *more])


def _budget(own: dict[str, Any]) -> str:
    """One budget: the choice, how it was made, and both schedules on the questions that it was not made on."""
    dense, *others = own["check"]["rows"]
    chart, ratio = chart_of(own["keep_ratio"]), own["keep_ratio"]
    lines = [
        f"### {own['gflops']:.2f} GFLOPs: the released schedule at keep ratio {ratio:g}",
        "",
        f"{100 * own['share']:.1f} % of the dense prefill; weights `{own['weights'][:12]}…`. {own['why']}",
        "",
        f"![Right answers of the settings that cost the same, against their keep ratio](../{chart})",
        "",
        "*One circle a setting; filled is the choice, ringed the released schedule. Those dropped early were asked "
        "fewer questions, so heights compare only roughly; pairs were compared on the same questions.*",
        "",
        f"On {dense['n']} questions about {dense['num_videos']} other videos:",
        "",
        table_row(HEAD),
        table_row(["---"] * len(HEAD)),
        *(table_row(_cells(row)) for row in (dense, *others)),
        "",
        f"**{_verdict(own)}**",
        "",
        _fidelity(own["fidelity"]),
    ]
    return "\n".join(lines)


def _cells(row: dict[str, Any]) -> list[Any]:
    costs = [f"{row['flops'] / 1e9:.2f}", f"{row['kv']:.2f}"]
    return [row["name"], row["n"], percent(row["accuracy"]), percent(row["agreement"]), f"{row['kl']:.3f}", *costs]


def _verdict(own: dict[str, Any]) -> str:
    """What the choice has more than the released schedule on held-out questions, and how sure that is."""
    gap = own["check"]["beside_default"]
    if gap is None:
        return "The released schedule is not within 1 % of this budget."
    if own["choice"] == own["default"]:
        return "The choice is the released schedule itself."
    points = f"{100 * gap['value']:+.1f} points ({100 * gap['low']:+.1f} to {100 * gap['high']:+.1f}, 95 %, by video)"
    if gap["low"] > 0:
        return f"At equal FLOPs the choice beats the released schedule: {points}."
    if gap["high"] < 0:
        return f"At equal FLOPs the released schedule is better than the choice: {points}."
    return f"The choice is not surely better than the released schedule, nor worse: {points}."


def _fidelity(found: list[dict[str, Any]]) -> str:
    one = found[0]
    told = [f"{STAND_INS[own['stand_in']]} {_rank(own)}" for own in found]
    return (
        f"**How well the dense model stands in for right answers**: rank correlation over {one['num_settings']} "
        f"settings on the {one['num_questions']} questions that all were asked: {'; '.join(told)}. "
        f"Choosing by the first would cost {100 * one['lost']:.1f} points of right answers there."
    )


def _rank(own: dict[str, Any]) -> str:
    return "(no order)" if own["rank"] is None else f"{own['rank']:+.2f} ({own['low']:+.2f} to {own['high']:+.2f})"
