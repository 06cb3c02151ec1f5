"""Figures: still pictures, sentences and charts of a run."""

from __future__ import annotations

import numpy as np

from aim_core.result import Result
from page.i18n import strings
from visual.captions import alive_caption, groups_caption, scores_caption
from visual.charts import cost_figure, retained_figure, sorted_scores_figure
from visual.heatmaps import alive_overlay, groups_overlay, scores_heatmap
from visual.legends import alive_legend, groups_legend, scores_legend


def legends() -> tuple[np.ndarray, ...]:
    """What explains the pictures of groups, of tokens alive and of scores."""
    return groups_legend(), alive_legend(), scores_legend()


def figures(dense: Result, aim: Result, layer: float, scale: str) -> tuple:
    """NUM_FIGURES pictures, sentences and charts drawn from two results."""
    trace = aim.trace
    layer = min(max(0, int(layer)), trace.num_layers - 1)
    scale = scale if scale in ("rank", "log") else "rank"
    scored = bool(trace.scored_layers)
    before, after = ((result.cost.vision_flops, result.cost.language_flops) for result in (dense, aim))
    return (
        groups_overlay(trace),
        groups_caption(trace),
        alive_overlay(trace, layer),
        alive_caption(trace, layer),
        scores_heatmap(trace, layer, scale)[0] if scored else None,
        scores_caption(trace, layer),
        retained_figure(trace, layer),
        sorted_scores_figure(trace, layer) if scored else None,
        cost_figure(before, after, strings().COST_TITLE) if any(before + after) else None,
    )
