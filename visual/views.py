"""Views: one call from a trace to the picture of a panel."""

from __future__ import annotations

import numpy as np

from aim_core.trace import Trace
from visual.overlay import draw_alive, draw_groups, draw_scores
from visual.sheet import contact_sheet, display_side, enlarge


def groups_view(trace: Trace) -> np.ndarray:
    """(H, W, 3) uint8 RGB sheet: in every frame, the patches that were merged into one token."""
    frames = display_frames(trace)
    images = [draw_groups(frame, group, trace.grid) for frame, group in zip(frames, trace.group, strict=True)]
    return contact_sheet(images, frame_labels(trace))


def alive_view(trace: Trace, layer: int) -> np.ndarray:
    """(H, W, 3) uint8 RGB sheet: the patches whose token enters `layer`; the others are dimmed."""
    frames = display_frames(trace)
    images = [draw_alive(frame, alive, trace.grid) for frame, alive in zip(frames, trace.alive(layer), strict=True)]
    return contact_sheet(images, frame_labels(trace))


def scores_view(trace: Trace, layer: int, scale: str = "rank") -> tuple[np.ndarray, int]:
    """A heat map of the PageRank scores in every frame.

    scale: "rank", the share of tokens of this layer that score lower: scores flow towards early tokens, so
    their sizes say little; or "log", the scores themselves by order of magnitude.
    Returns the (H, W, 3) uint8 RGB sheet and the layer it shows: see `nearest_scored`.
    """
    shown = nearest_scored(trace, layer)
    scores, low, high = scaled_scores(trace, shown, scale)
    frames = display_frames(trace)
    images = [draw_scores(frame, row, trace.grid, low, high) for frame, row in zip(frames, scores, strict=True)]
    title = f"PageRank scores measured in layer {shown}{unmeasured_note(shown, layer)}"
    return contact_sheet(images, frame_labels(trace), title=title), shown


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


def unmeasured_note(shown: int, layer: int) -> str:
    """What a title adds where the layer shown is not the one asked for; empty where it is."""
    return "" if shown == layer else f" (layer {layer} was not measured)"


def scaled_scores(trace: Trace, layer: int, scale: str) -> tuple[np.ndarray, float, float]:
    """(F, n) float64 scores of the patches on a scale, NaN where pruned; and the scale's two ends.

    Raises ValueError for an unknown scale.
    """
    scores = trace.importance(layer).astype(np.float64)
    if scale == "rank":
        return ranks(scores, trace.layers[layer].importance), 0.0, 1.0
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


def display_frames(trace: Trace) -> list[np.ndarray]:
    """The frames of a trace at the size a sheet shows them."""
    height, width = trace.frames.shape[1:3]
    side = display_side(trace.num_frames, width / height)
    return [enlarge(frame, side) for frame in trace.frames]


def frame_labels(trace: Trace) -> list[str]:
    """One caption a frame, such as "frame 1 · 0.4 s"."""
    return [f"frame {index + 1} · {time:.1f} s" for index, time in enumerate(trace.times)]
