"""Across chart: how far each way to merge is from AIM's own, by kind of video, number of frames and cost."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure

from training.lab.equal_cost import DYCOKE, TEXT, TOME, WITHIN
from training.lab.experiment import ASSETS

PATH = ASSETS / "across_frames.png"
NAMES = {
    WITHIN: "inside frames (AIM)",
    "across": "across frames, any place",
    "same": "across frames, same place",
    "both": "half inside, half across",
    TOME: "ToMe over all frames",
    DYCOKE: "DyCoke",
    TEXT: "AIM, text pruned too",
}
COLUMNS = {"moving": "changes more", "calm": "changes less", "still": "nothing moves"}
_WIDTH = 0.7  # of what one budget's marks take of the room between two budgets


def draw(report: dict[str, Any]) -> Figure:
    """One row a number of frames, one column a kind of video; bars are 95 % intervals of the gap to AIM, 0 is AIM."""
    variants = [name for name in NAMES if any(row["variant"] == name for row in report["rows"]) and name != WITHIN]
    budgets, frames = list(report["budgets"]), list(report["frames"])
    figure = Figure(figsize=(10.5, 2.9 * len(frames) + 0.5), layout="constrained")
    panels = figure.subplots(len(frames), len(COLUMNS), sharex=True, sharey=True, squeeze=False)
    for across, count in zip(panels, frames, strict=True):
        for axes, (part, title) in zip(across, COLUMNS.items(), strict=True):
            own = [row for row in report["rows"] if (row["part"], row["num_frames"]) == (part, count)]
            axes.axhline(0, color="0.4", linewidth=1)
            for place, variant in enumerate(variants):
                _marks(axes, [row for row in own if row["variant"] == variant], budgets, place, len(variants))
            axes.set_title(f"{title}, {count} frames", fontsize=9)
            axes.grid(axis="y", color="0.92")
            axes.set_axisbelow(True)
            axes.spines[["top", "right"]].set_visible(False)
        across[0].set_ylabel("points beside AIM")
    for axes in panels[-1]:
        axes.set_xticks(range(len(budgets)), [f"{100 * share:g} %" for share in budgets])
        axes.set_xlabel("of the dense FLOPs")
    for place, variant in enumerate(variants):
        panels[0][0].plot([], [], "o", color=f"C{place}", markersize=4, label=NAMES[variant])
    figure.legend(loc="outside lower center", ncols=len(variants), fontsize=8, frameon=False)
    return figure


def _marks(axes, rows: list[dict[str, Any]], budgets: list[float], place: int, num: int) -> None:
    """What one variant came to at each budget, beside the others."""
    for row in rows:
        x = budgets.index(row["budget"]) + _WIDTH * ((place + 0.5) / num - 0.5)
        gap = {name: 100 * value for name, value in row["gap"].items()}
        axes.plot([x, x], [gap["low"], gap["high"]], color=f"C{place}", linewidth=1.4, alpha=0.5)
        axes.plot(x, gap["value"], "o", color=f"C{place}", markersize=4)
