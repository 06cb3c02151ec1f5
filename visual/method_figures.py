"""Method figures: several methods at one cost, as a chart of their tokens by layer and as the frames that each left."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from aim_core.trace import Trace
from visual.chart_style import MM_PER_INCH, PAGE, ChartStyle, Look, new_chart
from visual.figure_texts import ENGLISH, FigureTexts
from visual.fonts import num_letters, set_font
from visual.frame_compose import Draw, frame_captions
from visual.heatmaps import alive_drawer, drawn_frames, groups_drawer
from visual.palette import ALIVE, INK, MUTED, hex_colour

OTHERS = ("#D55E00", "#009E73", "#CC79A7", "#E69F00", "#7F3C8D", "#6B7280")  # for most eyes
DASHES = ("-", "--", ":", "-.")  # each colour comes with each
DENSE, OURS = "dense", "aim"  # names of runs that look otherwise than the rest
GAP_MM = 1.2


class DrawnRun(NamedTuple):
    """One method's run: its name in the registry, or DENSE, its title, and what happened to its tokens."""

    name: str
    title: str
    trace: Trace


def method_figures(
    runs: Sequence[DrawnRun], layer: int, texts: FigureTexts = ENGLISH
) -> dict[str, Callable[[], Figure]]:
    """name → a function that draws that figure.

    runs: the dense one first. layer: whose tokens the frames show.
    """
    return {
        "methods_per_layer": lambda: methods_per_layer(runs, texts=texts),
        "methods_frames": lambda: methods_frames(runs, layer, texts=texts),
    }


def methods_per_layer(runs: Sequence[DrawnRun], style: ChartStyle = PAGE, texts: FigureTexts = ENGLISH) -> Figure:
    """Visual tokens that enter each layer, a line for each method, labelled with its title; the dense one is dashed."""
    figure, axes = new_chart(texts.retained_title, 0.5, style)
    looks = [(colour, dash) for dash in DASHES for colour in OTHERS]
    for number, run in enumerate(runs):
        counts = run.trace.retained
        edges = np.arange(len(counts) + 1) - 0.5
        look: Look = {"color": hex_colour(MUTED), "linestyle": (0, (5, 4)), "linewidth": 1.2, "zorder": 2}
        if run.name == OURS:
            look = {"color": hex_colour(ALIVE), "linewidth": 2.4, "zorder": 4}
        elif run.name != DENSE:
            colour, dash = looks[number % len(looks)]
            look = {"color": colour, "linestyle": dash, "linewidth": 1.2, "zorder": 3}
        axes.stairs(counts, edges, baseline=None, label=texts.dense if run.name == DENSE else run.title, **look)
    num_layers, most = runs[0].trace.num_layers, max(run.trace.retained.max() for run in runs)
    axes.set(xlabel=texts.layer_axis, xlim=(-0.6, num_layers - 0.4), ylim=(0, 1.06 * max(1, most)))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=14, min_n_ticks=1))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    look = {"frameon": False, "fontsize": 0.9 * style.type_pt, "labelcolor": hex_colour(INK), "borderpad": 0.1}
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), handlelength=2.2, **look)
    return set_font(figure, texts.font)


def methods_frames(
    runs: Sequence[DrawnRun], layer: int, style: ChartStyle = PAGE, texts: FigureTexts = ENGLISH
) -> Figure:
    """A row of frames for each method, with the patches whose token enters `layer`, a merged one in its mean colour;
    the others are faded. Under a method's title the number of those tokens.

    Raises ValueError if the runs have no such layer.
    """
    rows = [drawn_frames(run.trace, _left_drawer(run.trace, layer)) for run in runs]
    titles = [texts.dense if run.name == DENSE else run.title for run in runs]
    captions = frame_captions(runs[0].trace, texts)
    tall_px, wide_px = rows[0][0].shape[:2]
    gap, line = GAP_MM / MM_PER_INCH, 1.5 * style.type_pt / 72
    label = min(0.24 * style.width, 0.6 * style.type_pt / 72 * max(map(num_letters, titles)))
    wide = (style.width - label - (len(captions) + 2) * gap) / len(captions)
    tall = wide * tall_px / wide_px
    top = gap + 1.6 * line
    total = top + len(rows) * (tall + gap) + 1.5 * line
    figure = Figure(figsize=(style.width, total), dpi=style.dpi, facecolor="white")
    bold: Look = {"fontsize": 1.2 * style.type_pt, "fontweight": "bold", "color": hex_colour(INK)}
    figure.text(gap / style.width, 1 - gap / total, texts.alive_title.format(layer=layer), va="top", **bold)
    for n, (title, pictures) in enumerate(zip(titles, rows, strict=True)):
        y = top + n * (tall + gap)
        fitting = min(style.type_pt, 72 * label / (0.56 * num_letters(title)))
        x, middle = gap / style.width, 1 - (y + tall / 2) / total
        figure.text(x, middle, title, va="bottom", fontsize=fitting, color=hex_colour(INK))
        count = f"{runs[n].trace.retained[layer]:,}"
        figure.text(x, middle, count, va="top", fontsize=0.9 * style.type_pt, color=hex_colour(MUTED))
        for column, picture in enumerate(pictures):
            x = label + 2 * gap + column * (wide + gap)
            axes = figure.add_axes((x / style.width, 1 - (y + tall) / total, wide / style.width, tall / total))
            axes.imshow(picture, aspect="auto", interpolation="antialiased")
            axes.axis("off")
    small = min(style.type_pt, wide * 72 / (0.56 * max(map(num_letters, captions))))
    for column, caption in enumerate(captions):
        x = label + 2 * gap + column * (wide + gap)
        place = (x / style.width, 1 - (top + len(rows) * (tall + gap)) / total)
        figure.text(*place, caption, va="top", fontsize=small, color=hex_colour(MUTED))
    return set_font(figure, texts.font)


def _left_drawer(trace: Trace, layer: int) -> Draw:
    merged, alive = groups_drawer(trace), alive_drawer(trace, layer)
    return lambda picture, view: alive(merged(picture, view), view)
