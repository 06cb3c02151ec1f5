"""Chart: right answers of each method at each budget, beside the dense model and AIM."""

from __future__ import annotations

from matplotlib.figure import Figure

from aim_core.methods.registry import METHODS
from training.method_table.words import is_of_few

COLOURS = {"aim": "tab:blue", "random": "tab:orange", "fewer_frames": "tab:green"}
OTHERS = "0.35"
EMPTY = "cannot reach it"


def draw(report: dict) -> Figure:
    """One row a method, best on the whole first; one column a budget; bars are intervals, AIM's value a blue line.

    A method that cannot reach a budget has words in its place; one asked about few videos a ring without a bar.
    """
    budgets = list(dict.fromkeys(row["budget"] for row in report["rows"]))
    names = sorted(dict.fromkeys(row["method"] for row in report["rows"]), key=lambda name: -_mean(report, name))
    figure = Figure(figsize=(10, 0.6 + 0.24 * len(names)), layout="constrained")
    columns = figure.subplots(1, len(budgets), sharey=True, squeeze=False)[0]
    for axes, budget in zip(columns, budgets, strict=True):
        rows = {row["method"]: row for row in report["rows"] if row["budget"] == budget}
        axes.axvline(100 * report["dense"]["accuracy"], color="0.6", linestyle="--", linewidth=1)
        if rows["aim"]["answered"]:
            axes.axvline(100 * rows["aim"]["accuracy"], color=COLOURS["aim"], linewidth=0.8, alpha=0.6)
        for place, name in enumerate(names):
            _mark(axes, place, rows[name], is_of_few(rows[name], report))
        axes.set(title=f"{100 * budget:g} % of the FLOPs", xlim=(0, 101), xlabel="right answers, %")
        axes.grid(axis="x", color="0.92")
        axes.set_axisbelow(True)
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.tick_params(axis="y", length=0)
    columns[0].set_yticks(range(len(names)), [METHODS[name].title for name in names], fontsize=8)
    columns[0].invert_yaxis()
    return figure


def _mark(axes, place: int, row: dict, is_bare: bool) -> None:
    colour = COLOURS.get(row["method"], OTHERS)
    if not row["answered"]:
        axes.text(2, place, EMPTY, color="0.6", fontsize=7, va="center")
        return
    if not is_bare:
        axes.plot([100 * row["low"], 100 * row["high"]], [place, place], color=colour, linewidth=1.4, alpha=0.5)
    axes.plot(100 * row["accuracy"], place, "o", color=colour, markersize=4, fillstyle="none" if is_bare else "full")


def _mean(report: dict, name: str) -> float:
    """Mean over the budgets that it reaches; -1 if it reaches none."""
    own = [row["accuracy"] for row in report["rows"] if row["method"] == name and row["answered"]]
    return sum(own) / len(own) if own else -1.0
