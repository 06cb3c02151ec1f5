"""Captions: one sentence on what an overlay shows, also for screen readers."""

from __future__ import annotations

import numpy as np

from aim_core.layer_trace import LayerTrace
from aim_core.trace import Trace
from visual.heatmaps import nearest_scored


def groups_caption(trace: Trace) -> str:
    """How far merging shrank the frames, and how large the largest group is."""
    num_patches = trace.num_patches
    rows, num_dropped = trace.rows(), int(trace.dropped.sum())
    sizes = np.bincount(rows[rows >= 0])
    kept = f"{trace.num_merged:,} of {num_patches:,} visual tokens remain ({_percent(trace.num_merged, num_patches)})"
    frames = _plural(trace.num_frames, "frame")
    if num_dropped:
        whole = "stands for itself" if sizes.max() == 1 else f"stands for {sizes.max()} patches at most"
        return f"Before layer 0, {num_dropped:,} patches of {frames} are dropped (faded): {kept}; each {whole}."
    if sizes.max() == 1:
        return f"Nothing was merged: all {num_patches:,} visual tokens of {frames} go into the language model."
    return f"After merging inside {frames}, {kept}; the largest stands for {sizes.max()} similar patches of one frame."


def alive_caption(trace: Trace, layer: int) -> str:
    """How many merged tokens enter `layer`, e.g. "At layer 9, 64 of 128 merged visual tokens are alive (50 %)."."""
    alive = int(np.isin(trace.layers[_valid(trace, layer)].kept, trace.rows()).sum())
    share = _percent(alive, trace.num_merged)
    return f"At layer {layer}, {alive:,} of {trace.num_merged:,} merged visual tokens are alive ({share})."


def scores_caption(trace: Trace, layer: int) -> str:
    """Which layer the scores are from and how unevenly they are spread. Never raises for a run without scores."""
    _valid(trace, layer)
    if not trace.scored_layers:
        return "This run measured no PageRank scores, because nothing was pruned."
    if layer > trace.scored_layers[-1]:
        return (
            f"No scores were measured in layer {layer}: from layer {trace.scored_layers[-1] + 1} on nothing is ranked."
        )
    shown = nearest_scored(trace, layer)
    scores = np.sort(np.nan_to_num(trace.layers[shown].scores.astype(np.float64)))[::-1]
    top = max(1, round(len(scores) / 10))
    share = _percent(scores[:top].sum(), scores.sum())
    where = f"In layer {shown}" if shown == layer else f"In layer {shown}, the measured layer nearest to {layer}"
    hold = "holds" if top == 1 else "hold"
    return (
        f"{where}, the {top:,} highest-scoring of {len(scores):,} visual tokens {hold} {share} of what all of "
        f"them hold of PageRank.{_position(trace.layers[shown])}"
    )


def _position(layer: LayerTrace) -> str:
    """How far the place of tokens in the prompt explains their ranking."""
    if layer.early is None:
        return ""
    return f" How early a token comes explains {layer.early:.2f} of their ranking (Spearman's rank correlation)."


def _valid(trace: Trace, layer: int) -> int:
    if not 0 <= layer < trace.num_layers:
        raise ValueError(f"layer must be in [0, {trace.num_layers}), got {layer}")
    return layer


def _percent(part: float, whole: float) -> str:
    """A share such as "25 %", or "less than 1 %" where rounding would say nothing is there."""
    share = 100 * part / whole if whole else 0.0
    if 0 < share < 0.5:
        return "less than 1 %"
    return f"{share:.0f} %"


def _plural(count: int, word: str) -> str:
    return f"{count} {word}" + ("" if count == 1 else "s")
