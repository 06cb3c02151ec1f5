"""Frames chart: right answers against frames and against all that is computed, a colour for each budget."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure

from aim_core.methods.registry import METHODS
from aim_lab.code import DENSE
from aim_lab.summary import FEWEST_VIDEOS

STYLES = {"aim": "-", "merge_only": "--", "random": ":"}


def draw(report: dict[str, Any]) -> Figure:
    """Left one line for each budget and method against frames, right the same points against FLOPs with the tower.

    A ring is the dense model with all tokens of few frames, where each line begins; grey joins all of these. Bars are
    AIM's 95 % intervals. What was asked about fewer films stands as high as it is above or below a ring on those films.
    """
    figure = Figure(figsize=(10, 4.4), layout="constrained")
    by_frames, by_total = figure.subplots(1, 2, sharey=True)
    for axes, x in ((by_frames, _frames), (by_total, _total)):
        largest = next(row for row in report["plain"] if row["num_frames"] == report["budgets"][-1]["frames"])
        heights = [_height(row, largest) for row in report["plain"]]
        axes.plot(list(map(x, report["plain"])), heights, "o-", color="0.7", markersize=4)
    for place, budget in enumerate(report["budgets"]):
        plain = next(row for row in budget["rows"] if row["method"] == DENSE)
        for method, style in STYLES.items():
            own = [row for row in budget["rows"] if row["method"] == method]
            if own:
                for axes, x in ((by_frames, _frames), (by_total, _total)):
                    _line(axes, [plain, *own], x, f"C{place}", style)
        for axes, x in ((by_frames, _frames), (by_total, _total)):
            axes.plot(x(plain), _right(plain), "o", color=f"C{place}", markerfacecolor="white", markersize=10)
        label = f"cost of {budget['frames']} frames, {plain['flops'] / 1e9:.0f} GFLOPs"
        by_frames.plot([], [], color=f"C{place}", label=label)
    for method in dict.fromkeys(row["method"] for own in report["budgets"] for row in own["rows"]):
        if method in STYLES:
            by_frames.plot([], [], color="0.3", linestyle=STYLES[method], label=METHODS[method].title)
    by_frames.plot([], [], "o-", color="0.7", markersize=4, label="all tokens, at any cost")
    counts = sorted({row["num_frames"] for own in report["budgets"] for row in own["rows"]})
    by_frames.set_xscale("log", base=2)
    by_frames.set_xticks(counts, counts)
    by_frames.set(xlabel="frames, at equal FLOPs of the language model", ylabel="right answers, %")
    by_frames.legend(fontsize=8)
    by_total.set(xscale="log", xlabel="GFLOPs of the language model and the vision tower")
    for axes in (by_frames, by_total):
        axes.grid(color="0.93")
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def _line(axes, rows: list[dict[str, Any]], x, colour: str, style: str) -> None:
    axes.plot([x(row) for row in rows], [_height(row, rows[0]) for row in rows], style, color=colour, linewidth=1.4)
    for row in rows:
        if row["method"] in ("aim", DENSE) and row["num_films"] >= FEWEST_VIDEOS:
            ends = [100 * row["right"][end] for end in ("low", "high")]
            axes.plot([x(row)] * 2, ends, color=colour, linewidth=1, alpha=0.4)
        axes.plot(x(row), _height(row, rows[0]), ".", color=colour)


def _frames(row: dict[str, Any]) -> int:
    return row["num_frames"]


def _total(row: dict[str, Any]) -> float:
    return (row["flops"] + row["vision_flops"]) / 1e9


def _right(row: dict[str, Any]) -> float:
    return 100 * row["right"]["value"]


def _height(row: dict[str, Any], plain: dict[str, Any]) -> float:
    """Of the plain way on all its films, and what the row has more on those that it was asked about."""
    return _right(plain) + 100 * row["beside"][DENSE]["value"] if DENSE in row["beside"] else _right(row)
