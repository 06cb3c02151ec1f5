"""Chart: how good each setting is against what it costs, with the Pareto front."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from aim_lab.code import DENSE
from aim_lab.settings import Setting
from aim_lab.summary import COSTS, VALUES, Row, front

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw(rows: Sequence[Row], value: str = "accuracy", costs: Sequence[str] = tuple(COSTS)) -> Figure:
    """One panel a cost; bars are 95 % intervals, a line joins the front, dashed is the dense model at most frames.

    value: of VALUES; costs: of COSTS. Raises ValueError without rows, or where matplotlib is not installed.
    """
    if not rows:
        raise ValueError("there is no row to draw: measure something first")
    figure = _figure(4.4 * len(costs), 4.2)
    panels = figure.subplots(1, len(costs), sharey=True, squeeze=False)[0]
    for axes, cost in zip(panels, costs, strict=True):
        _panel(axes, rows, cost, value)
    panels[0].set_ylabel(f"{VALUES[value]}, %")
    panels[-1].legend(fontsize=8, loc="lower right")
    return figure


def draw_tried(rows: Sequence[Row], choice: Setting, default: Setting | None, value: str = "accuracy") -> Figure:
    """Settings of AIM that cost the same: what each made of its questions against its keep ratio, by frames.

    The choice is filled, the default has a ring around it; bars are 95 % intervals of those asked about enough videos.
    """
    figure = _figure(6.4, 4.2)
    axes = figure.subplots()
    own = [row for row in rows if "keep_ratio" in row.setting.settings]
    for place, count in enumerate(sorted({row.setting.num_frames for row in own})):
        for row in (one for one in own if one.setting.num_frames == count):
            span, x, colour = row.value(value), row.setting.settings["keep_ratio"], f"C{place}"
            if row.has_interval:
                axes.plot([x, x], [100 * span.low, 100 * span.high], color=colour, linewidth=1, alpha=0.4)
            face = colour if row.setting == choice else "white"
            axes.plot(x, 100 * span.value, "o", color=colour, markerfacecolor=face, markersize=6)
            if row.setting == default:
                axes.plot(x, 100 * span.value, "o", color="0.2", markerfacecolor="none", markersize=12)
        axes.plot([], [], "o", color=f"C{place}", label=f"{count} frames")
    axes.set(xscale="log", xlabel="keep ratio; the less is kept, the later it is pruned", ylabel=f"{VALUES[value]}, %")
    axes.grid(color="0.93")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize=8)
    return figure


def _figure(width: float, height: float) -> Figure:
    """Raises ValueError where matplotlib is not installed."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ValueError("charts need matplotlib: pip install 'aim-explorer[lab]'") from error
    return Figure(figsize=(width, height), layout="constrained")


def save(figure: Figure, path: Path) -> None:
    """Raises ValueError for a kind of picture that there is none of."""
    figure.savefig(path, dpi=110)


def _panel(axes, rows: Sequence[Row], cost: str, value: str) -> None:
    methods = list(dict.fromkeys(row.setting.method for row in rows))
    for place, method in enumerate(methods):
        own = [row for row in rows if row.setting.method == method]
        colour = "0.2" if method == DENSE else f"C{place % 10}"
        x = [getattr(row, cost) for row in own]
        spans = [row.value(value) for row in own]
        y = [100 * span.value for span in spans]
        lengths = [(100 * (span.value - span.low), 100 * (span.high - span.value)) for span in spans]
        bars = list(zip(*lengths, strict=True)) if all(row.has_interval for row in own) else None
        axes.errorbar(x, y, yerr=bars, fmt="o", markersize=4, color=colour, alpha=0.75, elinewidth=0.8, label=method)
    best = front(rows, cost, value)
    points = [(getattr(row, cost), 100 * row.value(value).value) for row in best]
    axes.plot(*zip(*points, strict=True), color="0.3", linewidth=1.2, drawstyle="steps-post", zorder=0, label="front")
    if dense := [row for row in rows if row.setting.method == DENSE]:
        level = 100 * max(dense, key=lambda row: row.setting.num_frames).value(value).value
        axes.axhline(level, color="0.6", linestyle="--", linewidth=1, zorder=0)
    axes.set(xscale="log", xlabel=COSTS[cost])
    axes.grid(color="0.93")
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
