"""Figures: overlays with their captions, and charts, for the components that show them."""

from __future__ import annotations

from aim_core.result import Result
from page.i18n import strings
from page.layout import Figures, Update
from visual.captions import alive_caption, groups_caption, scores_caption
from visual.charts import cost_figure, retained_figure, sorted_scores_figure
from visual.heatmaps import alive_overlay, groups_overlay, scores_heatmap
from visual.legends import alive_legend, groups_legend, scores_legend


def legends(layout: Figures) -> Update:
    """What explains the pictures of groups, of tokens alive and of scores."""
    return {
        layout.groups_legend: groups_legend(),
        layout.alive_legend: alive_legend(),
        layout.scores_legend: scores_legend(),
    }


def figures(layout: Figures, dense: Result, aim: Result, layer: float, scale: str) -> Update:
    """Pictures, sentences and charts drawn from two results; None where a run has nothing to show."""
    trace = aim.trace
    layer = min(max(0, int(layer)), trace.num_layers - 1)
    scale = scale if scale in ("rank", "log") else "rank"
    scored = bool(trace.scored_layers) and layer <= trace.scored_layers[-1]  # no old map of tokens that are gone
    before, after = ((result.cost.vision_flops, result.cost.language_flops) for result in (dense, aim))
    return {
        layout.groups: groups_overlay(trace),
        layout.groups_caption: groups_caption(trace),
        layout.alive: alive_overlay(trace, layer),
        layout.alive_caption: alive_caption(trace, layer),
        layout.scores: scores_heatmap(trace, layer, scale)[0] if scored else None,
        layout.scores_caption: scores_caption(trace, layer),
        layout.retained: retained_figure(trace, layer),
        layout.sorted_scores: sorted_scores_figure(trace, layer) if scored else None,
        layout.cost: cost_figure(before, after, strings().COST_TITLE) if any(before + after) else None,
    }
