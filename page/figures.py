"""Figures: overlays with their captions, and charts, for the components that show them."""

from __future__ import annotations

from aim_core.result import Result
from page.i18n import STRINGS, language, strings
from page.layout import Figures, Update
from visual.captions import alive_caption, groups_caption, scores_caption
from visual.charts import cost_figure, retained_figure, sorted_scores_figure
from visual.figure_texts import FigureTexts
from visual.fonts import chinese_font
from visual.heatmaps import alive_overlay, groups_overlay, scores_heatmap
from visual.legends import alive_legend, groups_legend, scores_legend


def legends(layout: Figures) -> Update:
    """What explains the pictures of groups, of tokens alive and of scores."""
    texts = drawn_texts()
    return {
        layout.groups_legend: groups_legend(texts),
        layout.alive_legend: alive_legend(texts),
        layout.scores_legend: scores_legend(texts=texts),
    }


def drawn_texts() -> FigureTexts:
    """What figures say, in the language of the page; in English where no font here can write it."""
    if language() == "zh":
        texts = STRINGS["zh"]["DRAWN"]
        if font := chinese_font(texts.values()):
            return FigureTexts(**texts, font=font)
    return FigureTexts(**STRINGS["en"]["DRAWN"])


def figures(layout: Figures, dense: Result, aim: Result, layer: float, scale: str) -> Update:
    """Pictures, sentences and charts drawn from two results; None where a run has nothing to show."""
    trace = aim.trace
    layer = min(max(0, int(layer)), trace.num_layers - 1)
    scale = scale if scale in ("rank", "log") else "rank"
    scored = bool(trace.scored_layers) and layer <= trace.scored_layers[-1]  # no old map of tokens that are gone
    texts, captions = drawn_texts(), FigureTexts(**strings().DRAWN)
    note = strings().NO_FONT if language() == "zh" and not texts.font else ""
    before, after = ((result.cost.vision_flops, result.cost.language_flops) for result in (dense, aim))
    return {
        layout.groups: groups_overlay(trace, texts),
        layout.groups_caption: groups_caption(trace, captions) + note,
        layout.alive: alive_overlay(trace, layer, texts),
        layout.alive_caption: alive_caption(trace, layer, captions) + note,
        layout.scores: scores_heatmap(trace, layer, scale, texts)[0] if scored else None,
        layout.scores_caption: scores_caption(trace, layer, captions) + (note if scored else ""),
        layout.retained: retained_figure(trace, layer, texts=texts),
        layout.sorted_scores: sorted_scores_figure(trace, layer, texts=texts) if scored else None,
        layout.cost: cost_figure(before, after, texts=texts) if any(before + after) else None,
    }
