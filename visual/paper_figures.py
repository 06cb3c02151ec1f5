"""Paper figures: the figures of a run one or two columns of a paper wide, with text as text."""

from __future__ import annotations

import math
from collections.abc import Callable

import matplotlib
import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from aim_core.trace import Trace
from visual.chart_style import COLUMN, MM_PER_INCH, PAGE, ChartStyle, Look
from visual.charts import Parts, cost_figure, retained_figure, sorted_scores_figure
from visual.contact_sheet import sheet_columns
from visual.figure_texts import ENGLISH, FigureTexts
from visual.fonts import num_letters, set_font
from visual.frame_compose import frame_captions
from visual.heatmaps import alive_drawer, drawn_frames, groups_drawer, nearest_scored, scores_drawer
from visual.palette import ALIVE, HEAT, HEAT_OPACITY, INK, MUTED, PRUNED, hex_colour

GAP_MM = 1.6  # between pictures
GONE = hex_colour(PRUNED)  # sample of a faded patch


def paper_figures(
    trace: Trace,
    dense_flops: Parts,
    aim_flops: Parts,
    layer: int,
    scale: str = "rank",
    texts: FigureTexts = ENGLISH,
) -> dict[str, Callable[[], Figure]]:
    """name → a function that draws that figure, for all that the run has something to show in.

    layer, scale: as in `scores_heatmap`. dense_flops, aim_flops: as in `cost_figure`.
    """
    figures = {
        "groups": lambda: groups_figure(trace, texts=texts),
        "alive": lambda: alive_figure(trace, layer, texts=texts),
        "tokens_per_layer": lambda: retained_figure(trace, layer, COLUMN, texts),
    }
    if sum(dense_flops):
        figures["cost"] = lambda: cost_figure(dense_flops, aim_flops, COLUMN, texts)
    if trace.scored_layers:
        figures["pagerank"] = lambda: scores_figure(trace, layer, scale, texts=texts)
        figures["pagerank_ranked"] = lambda: sorted_scores_figure(trace, layer, COLUMN, texts)
    return figures


def groups_figure(trace: Trace, style: ChartStyle = PAGE, texts: FigureTexts = ENGLISH) -> Figure:
    """What is left of every view after merging."""
    figure, key = _sheet(trace, drawn_frames(trace, groups_drawer(trace)), texts.groups_title, style, texts)
    area: Look = {"facecolor": GONE, "edgecolor": hex_colour(INK), "linewidth": 0.6}
    key([Patch(**area, label=texts.merged_area)])
    return set_font(figure, texts.font)


def alive_figure(trace: Trace, layer: int, style: ChartStyle = PAGE, texts: FigureTexts = ENGLISH) -> Figure:
    """The patches whose token enters `layer`, in every view."""
    pictures, title = drawn_frames(trace, alive_drawer(trace, layer)), texts.alive_title.format(layer=layer)
    figure, key = _sheet(trace, pictures, title, style, texts)
    outline: Look = {"facecolor": "none", "edgecolor": hex_colour(ALIVE), "linewidth": 1.4}
    dot = Line2D([], [], color=hex_colour(ALIVE), marker="s", linestyle="none", label=texts.dot)
    key([Patch(**outline, label=texts.outlined), Patch(facecolor=GONE, label=texts.pale), dot])
    return set_font(figure, texts.font)


def scores_figure(
    trace: Trace, layer: int, scale: str = "rank", style: ChartStyle = PAGE, texts: FigureTexts = ENGLISH
) -> Figure:
    """PageRank scores in every view; layer, scale: as in `scores_heatmap`."""
    shown = nearest_scored(trace, layer)
    pictures, title = drawn_frames(trace, scores_drawer(trace, shown, scale)), texts.scores_in_title(shown, layer)
    figure, key = _sheet(trace, pictures, title, style, texts)
    bar = key([Patch(facecolor=GONE, label=texts.pale_earlier)])
    bar.imshow(np.arange(256)[None], cmap=_heat_on_grey(), aspect="auto", extent=(0.26, 0.46, 0.2, 0.8))
    look: Look = {"va": "center", "fontsize": style.type_pt, "color": hex_colour(INK)}
    for at, side, end in zip((0.25, 0.47), ("right", "left"), texts.ends(scale), strict=True):
        bar.text(at, 0.5, end, ha=side, **look)
    bar.set(xlim=(0, 1), ylim=(0, 1))
    return set_font(figure, texts.font)


def _sheet(trace: Trace, images: list[np.ndarray], title: str, style: ChartStyle, texts: FigureTexts):
    """Pictures in rows under a title, a caption below each, and a function that draws a key below all of them.

    Lengths are in inches from the top; the figure is as tall as they need.
    """
    height, width = images[0].shape[:2]
    columns = sheet_columns(len(images), width / height)
    gap, line = GAP_MM / MM_PER_INCH, 1.5 * style.type_pt / 72
    wide = (style.width - (columns + 1) * gap) / columns
    tall = wide * height / width
    top = gap + 1.6 * line
    total = top + math.ceil(len(images) / columns) * (tall + line + gap) + 1.5 * line + gap
    figure = Figure(figsize=(style.width, total), dpi=style.dpi, facecolor="white")
    bold: Look = {"fontsize": 1.2 * style.type_pt, "fontweight": "bold", "color": hex_colour(INK)}
    figure.text(gap / style.width, 1 - gap / total, title, va="top", **bold)
    labels = frame_captions(trace, texts)
    small = min(
        style.type_pt, wide * 72 / (0.56 * max(map(num_letters, labels)))
    )  # a letter is about half as wide as tall
    for index, (image, label) in enumerate(zip(images, labels, strict=True)):
        row, column = divmod(index, columns)
        x, y = gap + column * (wide + gap), top + row * (tall + line + gap)
        axes = figure.add_axes((x / style.width, 1 - (y + tall) / total, wide / style.width, tall / total))
        axes.imshow(image, aspect="auto", interpolation="antialiased")
        axes.axis("off")
        place = (x / style.width, 1 - (y + tall + 0.2 * line) / total)
        figure.text(*place, label, va="top", fontsize=small, color=hex_colour(MUTED))

    def key(samples: list[Patch]):
        axes = figure.add_axes((gap / style.width, gap / total, 1 - 2 * gap / style.width, 1.3 * line / total))
        axes.axis("off")
        look: Look = {"frameon": False, "fontsize": style.type_pt, "labelcolor": hex_colour(INK), "borderpad": 0}
        place: Look = {"loc": "center right", "bbox_to_anchor": (1, 0.5), "borderaxespad": 0}
        axes.legend(handles=samples, ncols=len(samples), handlelength=1.4, columnspacing=2, **look, **place)
        return axes

    return figure, key


def _heat_on_grey() -> LinearSegmentedColormap:
    """The heat map's colours as they look over a middle grey."""
    heat = matplotlib.colormaps[HEAT](np.linspace(0, 1, 256))[:, :3]
    return LinearSegmentedColormap.from_list("heat on grey", HEAT_OPACITY * heat + (1 - HEAT_OPACITY) * 0.5)
