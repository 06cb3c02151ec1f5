"""PageRank charts: its share of a layer's time, what more steps change, and in which frames the kept tokens are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib import colormaps
from matplotlib.figure import Figure

from training.lab.experiment import ASSETS
from training.lab.pagerank_video import CHANCE, LAST, OVER_ROWS, OVER_UNIFORM, PAGERANK, RECEIVED

TIME, CONVERGENCE, POSITION = (ASSETS / f"pagerank_{name}.png" for name in ("time", "convergence", "position"))
COLOURS = {PAGERANK: "C0", OVER_ROWS: "C9", OVER_UNIFORM: "C3", RECEIVED: "C2", LAST: "C1"}


def draw(report: dict[str, Any], folder: Path = ASSETS) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for path, make in ((TIME, of_time), (CONVERGENCE, of_convergence), (POSITION, of_position)):
        make(report).savefig(folder / path.name, dpi=110)


def of_time(report: dict[str, Any]) -> Figure:
    """Share of a layer that scores against the rows that it computes: dots are measured, dashed is counted."""
    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    axes = figure.subplots()
    for number, one in enumerate(report["time"]):
        every = [zip(run["rows"], run["time"], run["flops"], strict=True) for run in one["runs"]]
        points = sorted(point for run in every for point in run if point[2])
        rows, time, flops = zip(*points, strict=True)
        axes.plot(rows, [100 * share for share in time], "o", color=f"C{number}", markersize=4, label=one["shape"])
        axes.plot(rows, [100 * share for share in flops], "--", color=f"C{number}", linewidth=1)
    axes.plot([], [], "--", color="0.4", linewidth=1, label="of the operations")
    axes.set(xscale="log", xlabel="tokens in the layer", ylabel="PageRank's share of the layer, %", ylim=(0, None))
    ticks = (250, 500, 1000, 2000, 4000, 6000)
    axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    axes.minorticks_off()
    _plain(axes)
    axes.legend(fontsize=8)
    return figure


def of_convergence(report: dict[str, Any]) -> Figure:
    """Against iterations, a thin line a layer and their mean: mass on the first token, and the kept third."""
    own = report["convergence"]
    figure = Figure(figsize=(9.6, 4.2), layout="constrained")
    panels = figure.subplots(1, 2)
    colours = colormaps["viridis"].resampled(len(own["layers"]))
    for axes, name in zip(panels, ("first", "kept"), strict=True):
        for layer, values in enumerate(own["layers"]):
            ends = (0, len(own["layers"]) - 1)
            label = f"layer {layer}" if layer in ends else None
            axes.plot(own["iterations"], values[name], color=colours(layer), linewidth=1, label=label)
        means = [value["value"] for value in own["mean"][name]]
        axes.plot(own["iterations"], means, "o-", color="black", linewidth=1.6, markersize=3, label="mean over layers")
        axes.axvline(5, color="0.6", linestyle="--", linewidth=1)
        axes.set(xscale="log", xlabel="iterations (released: 5)", ylim=(0, 1.03))
        ticks = (1, 2, 5, 10, 20, 50, 100)
        axes.set_xticks(ticks, list(map(str, ticks)))
        axes.minorticks_off()
        _plain(axes)
    panels[0].set_ylabel("share of all mass on the prompt's first token")
    panels[1].set_ylabel("kept third: agreement with 5 iterations\n(0 chance, 1 the same)")
    panels[1].legend(fontsize=8, loc="lower right")
    return figure


def of_position(report: dict[str, Any]) -> Figure:
    """For each cut the share of the kept tokens that stand in each frame; dashed is an equal share."""
    figure = Figure(figsize=(10.4, 3.8), layout="constrained")
    panels = figure.subplots(1, len(report["position"]), sharey=True)
    for axes, cut in zip(panels, report["position"], strict=True):
        for name, row in cut["scorers"].items():
            if name != CHANCE:
                shares = [100 * share for share in row["frames"]]
                axes.plot(range(1, 1 + len(shares)), shares, "o-", color=COLOURS[name], markersize=3, label=name)
        axes.axhline(100 / len(row["frames"]), color="0.6", linestyle="--", linewidth=1)
        axes.set(title=f"layer {cut['layer']} keeps {cut['k']} of {cut['num_visual']}", xlabel="frame", ylim=(0, None))
        axes.set_xticks(range(1, 1 + len(row["frames"])))
        axes.title.set_fontsize(10)
        _plain(axes)
    panels[0].set_ylabel("share of the kept tokens, %")
    panels[-1].legend(fontsize=8)
    return figure


def _plain(axes) -> None:
    axes.grid(color="0.93")
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
