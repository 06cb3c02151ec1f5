"""Heat maps and overlays: one call from a trace to the contact sheet that a panel shows."""

from __future__ import annotations

import numpy as np

from aim_core.trace import Trace
from visual.contact_sheet import contact_sheet
from visual.figure_texts import ENGLISH, FigureTexts
from visual.frame_compose import (
    Draw,
    compose_frame,
    composed_frames,
    composed_height,
    frame_captions,
    patch_values,
)
from visual.overlay import draw_alive, draw_groups, draw_scores
from visual.palette import BACKGROUND


def groups_overlay(trace: Trace, texts: FigureTexts = ENGLISH) -> np.ndarray:
    """(H, W, 3) uint8 RGB sheet: every view after merging, each token in the mean colour of its patches."""
    return contact_sheet(drawn_frames(trace, groups_drawer(trace)), frame_captions(trace, texts), font=texts.font)


def alive_overlay(trace: Trace, layer: int, texts: FigureTexts = ENGLISH) -> np.ndarray:
    """(H, W, 3) uint8 RGB sheet: the patches whose token enters `layer`; the others are faded."""
    pictures = drawn_frames(trace, alive_drawer(trace, layer))
    return contact_sheet(pictures, frame_captions(trace, texts), font=texts.font)


def scores_heatmap(
    trace: Trace, layer: int, scale: str = "rank", texts: FigureTexts = ENGLISH
) -> tuple[np.ndarray, int]:
    """A heat map of the PageRank scores in every view.

    scale: "rank", the share of tokens of this layer that score lower: scores flow towards early tokens, so
    their sizes say little; or "log", the scores themselves by order of magnitude.
    Returns the (H, W, 3) uint8 RGB sheet and the layer it shows: see `nearest_scored`.
    """
    shown = nearest_scored(trace, layer)
    pictures, title = drawn_frames(trace, scores_drawer(trace, shown, scale)), texts.scores_in_title(shown, layer)
    return contact_sheet(pictures, frame_captions(trace, texts), title=title, font=texts.font), shown


def drawn_frames(trace: Trace, draw: Draw) -> list[np.ndarray]:
    """A picture (H, W, 3) uint8 of each composed frame, all of one size; draw: as `compose_frame` has it.

    Narrow ones among several pictures lie in the middle of theirs.
    """
    frames = composed_frames(trace)
    side = composed_height(trace, len(frames))
    drawn = [compose_frame(trace, frame, draw, side) for frame in frames]
    widest = max(picture.shape[1] for picture in drawn)
    return [_widened(picture, widest) for picture in drawn]


def _widened(picture: np.ndarray, width: int) -> np.ndarray:
    if picture.shape[1] == width:
        return picture
    wide = np.full((len(picture), width, 3), BACKGROUND, dtype=np.uint8)
    left = (width - picture.shape[1]) // 2
    wide[:, left : left + picture.shape[1]] = picture
    return wide


def groups_drawer(trace: Trace) -> Draw:
    """Draws the groups of a view."""
    views = trace.all_views
    return lambda picture, view: draw_groups(picture, patch_values(trace, view, trace.group), views[view].grid)


def alive_drawer(trace: Trace, layer: int) -> Draw:
    """Draws which patches of a view are alive in `layer`, and which were pruned or folded right before it."""
    views, alive, folded = trace.all_views, trace.alive(layer), trace.folded(layer)
    dropped = trace.alive(max(0, layer - 1)) & ~alive

    def draw(picture: np.ndarray, view: int) -> np.ndarray:
        own = [patch_values(trace, view, values) for values in (alive, dropped, folded)]
        return draw_alive(picture, own[0], views[view].grid, *own[1:])

    return draw


def scores_drawer(trace: Trace, layer: int, scale: str) -> Draw:
    """Draws the scores of a view measured in `layer`; scale: as in `scores_heatmap`."""
    views, (scores, low, high) = trace.all_views, scaled_scores(trace, layer, scale)
    return lambda picture, view: draw_scores(picture, patch_values(trace, view, scores), views[view].grid, low, high)


def nearest_scored(trace: Trace, layer: int) -> int:
    """`layer` if PageRank was measured there, else the nearest measured layer below, else the first above.

    Raises ValueError if the run measured none, as happens without pruning, or has no such layer.
    """
    if not 0 <= layer < trace.num_layers:
        raise ValueError(f"layer must be in [0, {trace.num_layers}), got {layer}")
    if not trace.scored_layers:
        raise ValueError("this run measured no scores: nothing was pruned")
    below = [scored for scored in trace.scored_layers if scored <= layer]
    return max(below) if below else min(trace.scored_layers)


def scaled_scores(trace: Trace, layer: int, scale: str) -> tuple[np.ndarray, float, float]:
    """(F, n) float64 scores of the patches on a scale, NaN where pruned; and the scale's two ends.

    Raises ValueError for an unknown scale.
    """
    scores = trace.scores(layer).astype(np.float64)
    if scale == "rank":
        return ranks(scores, trace.layers[layer].scores), 0.0, 1.0
    if scale == "log":
        positive = scores[scores > 0]
        floor = float(positive.min()) if len(positive) else 1.0
        scores = np.log10(np.maximum(scores, floor))  # NaN stays NaN
        return scores, float(np.log10(floor)), float(np.nanmax(scores, initial=np.log10(floor)))
    raise ValueError(f'scale must be "rank" or "log", got {scale!r}')


def ranks(scores: np.ndarray, among: np.ndarray) -> np.ndarray:
    """Percentile rank in [0, 1] of each score among others: half of the ties count as lower.

    scores: any shape, NaN stays NaN. among: (k,), one score a token, so that large groups weigh no more.
    """
    ordered = np.sort(np.asarray(among, dtype=np.float64)[np.isfinite(among)])
    lower, upper = np.searchsorted(ordered, scores, "left"), np.searchsorted(ordered, scores, "right")
    # Of k tokens the lowest gets 0 and the highest 1; equal ones share their mean place.
    place = (lower + upper - 1) / 2 / max(1, len(ordered) - 1)
    place = np.full_like(place, 0.5) if len(ordered) < 2 else place
    return np.where(np.isfinite(scores), place, np.nan)
