"""Charts: how many visual tokens each layer gets, how their scores are spread, and what a run costs."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from aim_core.trace import Trace
from visual.chart_style import SCREEN, ChartStyle, Look, legend_above, new_chart
from visual.figure_texts import ENGLISH, FigureTexts
from visual.fonts import set_font
from visual.heatmaps import nearest_scored
from visual.palette import ALIVE, INK, LANGUAGE, MUTED, PRUNED, VISION, hex_colour

Parts = tuple[float, float]  # FLOPs of the vision encoder, FLOPs of the language model


def retained_figure(
    trace: Trace, layer: int | None = None, style: ChartStyle = SCREEN, texts: FigureTexts = ENGLISH
) -> Figure:
    """Visual tokens that enter each layer: as planned (dotted line), as run (steps), and dense (dashed).

    layer: one to mark with its number of tokens. Raises ValueError if the run has no such layer.
    The lines are labelled "actual", "planned" and "dense"; each has one y value a layer.
    """
    if layer is not None and not 0 <= layer < trace.num_layers:
        raise ValueError(f"layer must be in [0, {trace.num_layers}), got {layer}")
    figure, axes = new_chart(texts.retained_title, 0.515, style)
    layers, actual = np.arange(trace.num_layers), trace.retained
    dense = np.full(trace.num_layers, trace.dense_tokens)
    axes.plot(layers, dense, "--", color=hex_colour(MUTED), linewidth=1.3, label=texts.dense)
    dots: Look = {"color": hex_colour(INK), "markersize": 3.2, "linewidth": 1, "zorder": 3}
    axes.plot(layers, trace.planned, "o:", label=texts.planned, **dots)
    axes.step(layers, actual, where="mid", color=hex_colour(ALIVE), linewidth=2.4, label=texts.actual)
    axes.fill_between(layers, actual, step="mid", color=hex_colour(ALIVE), alpha=0.25, linewidth=0)
    if layer is not None:
        _mark(axes, layer, int(actual[layer]), style)
    axes.set(xlabel=texts.layer_axis, xlim=(-0.6, trace.num_layers - 0.4))
    axes.set_ylim(0, 1.12 * max(1, dense.max(initial=0), trace.planned.max(initial=0)))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=14, min_n_ticks=1))
    axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=5, min_n_ticks=1))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    legend_above(axes, style)
    return set_font(figure, texts.font)


def sorted_scores_figure(trace: Trace, layer: int, style: ChartStyle = SCREEN, texts: FigureTexts = ENGLISH) -> Figure:
    """PageRank scores of the visual tokens from highest to lowest, and which of them enter the next layer.

    layer: see `nearest_scored`, which also says what is raised; the title names the layer shown.
    The lines are labelled "enter layer ..." and "pruned here ...": x is the rank from 1, y the score.
    Scores of 0 are drawn at a floor below the smallest other, since the axis is logarithmic.
    """
    shown = nearest_scored(trace, layer)
    scores, stays = _ranked(trace, shown)
    rank, positive = np.arange(1, len(scores) + 1), scores[scores > 0]
    floor = float(positive.min()) / 2 if len(positive) else 1e-12
    drawn = np.maximum(scores, floor)
    figure, axes = new_chart(texts.scores_in_title(shown, layer), 0.515, style)
    goal = texts.next_layer if shown + 1 < trace.num_layers else texts.answer
    for mask, colour, name in ((stays, ALIVE, goal), (~stays, PRUNED, texts.pruned_here)):
        label = name.format(layer=shown + 1, count=f"{int(mask.sum()):,}")
        look: Look = {"color": hex_colour(colour)}
        axes.plot(rank[mask], drawn[mask], ".", markersize=5, label=label, **look)
        below, steps = np.where(mask, drawn, floor / 2), np.arange(len(rank) + 1) + 0.5
        axes.stairs(below, steps, baseline=floor / 2, fill=True, alpha=0.25, **look)
    if stays.any() and not stays.all():
        axes.axvline(stays.sum() + 0.5, color=hex_colour(INK), linewidth=1.2, linestyle="--", label="_cut")
    axes.set(xlabel=texts.rank_axis, ylabel=texts.score_axis, yscale="log")
    axes.set(xlim=(0, len(rank) + 1), ylim=(floor / 2, 2 * float(drawn.max(initial=floor))))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8, min_n_ticks=1))
    axes.tick_params(which="minor", length=0, labelleft=False)
    legend_above(axes, style)
    return set_font(figure, texts.font)


def cost_figure(
    dense_flops: Parts, aim_flops: Parts, style: ChartStyle = SCREEN, texts: FigureTexts = ENGLISH
) -> Figure:
    """Two bars, dense and AIM, each split into vision encoder and language model.

    dense_flops, aim_flops: (vision, language) in FLOPs, finite and not negative, or ValueError is raised.
    """
    costs = np.array([dense_flops, aim_flops], dtype=np.float64)  # (bar, part)
    if costs.shape != (2, 2) or not np.isfinite(costs).all() or costs.min() < 0:
        raise ValueError(f"need two pairs of finite FLOPs >= 0, got {dense_flops} and {aim_flops}")
    figure, axes = new_chart(texts.cost_title, 0.375, style)
    divisor, unit = _unit(costs.sum(axis=1).max())
    values, places = costs / divisor, (1, 0)  # the first bar on top
    totals = values.sum(axis=1)
    reach = max(float(totals.max()), 1e-12)
    axes.barh(places, values[:, 0], 0.58, color=hex_colour(VISION), label=texts.vision)
    axes.barh(places, values[:, 1], 0.58, left=values[:, 0], color=hex_colour(LANGUAGE), label=texts.language)
    for place, total in zip(places, totals, strict=True):
        axes.text(
            total + 0.015 * reach,
            place,
            f"{total:.3g} {unit}",
            va="center",
            color=hex_colour(INK),
            fontsize=style.type_pt,
        )
    axes.set(yticks=places, yticklabels=(texts.dense, texts.aim), xticks=[], xlim=(0, 1.25 * reach), ylim=(-0.5, 1.5))
    axes.set_xlabel(_saving(costs, texts), loc="left")
    axes.tick_params(axis="y", labelsize=1.1 * style.type_pt, labelcolor=hex_colour(INK))
    axes.grid(False)
    axes.spines["bottom"].set_visible(False)
    legend_above(axes, style)
    return set_font(figure, texts.font)


def _ranked(trace: Trace, layer: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores in falling order (k,) float64, NaN as 0, and whether each token enters the next layer (k,) bool."""
    record = trace.layers[layer]
    scores = np.nan_to_num(record.scores.astype(np.float64))
    is_last = layer + 1 == trace.num_layers
    stays = np.ones(len(scores), dtype=bool) if is_last else np.isin(record.kept, trace.layers[layer + 1].kept)
    order = np.lexsort((~stays, -scores))  # of equal scores the survivors first
    return scores[order], stays[order]


def _mark(axes: Axes, layer: int, count: int, style: ChartStyle) -> None:
    """A ring on one layer's step, with its number."""
    look: Look = {"markerfacecolor": "none", "markeredgewidth": 1.8, "markersize": 9, "zorder": 4}
    axes.plot([layer], [count], "o", color=hex_colour(LANGUAGE), label="_layer", **look)
    text: Look = {
        "textcoords": "offset points",
        "ha": "center",
        "fontweight": "bold",
        "color": hex_colour(INK),
        "fontsize": style.type_pt,
    }
    axes.annotate(f"{count:,}", (layer, count), (0, 9), **text)


def _saving(costs: np.ndarray, texts: FigureTexts) -> str:
    """How many times less the second row (vision, language) needs, in the language model and in all."""
    parts = [(costs[:, 1], texts.less_language), (costs.sum(axis=1), texts.less_total)]
    told = [less.format(ratio=f"{dense / aim:.1f}") for (dense, aim), less in parts if 0 < aim < dense]
    return texts.separator.join(told)


def _unit(flops: float) -> tuple[float, str]:
    """The largest unit that makes a number at least 1."""
    units = ((1e15, "PFLOP"), (1e12, "TFLOP"), (1e9, "GFLOP"), (1e6, "MFLOP"))
    return next(((divisor, unit) for divisor, unit in units if flops >= divisor), (1.0, "FLOP"))
