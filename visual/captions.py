"""Captions: one sentence on what an overlay shows, also for screen readers."""

from __future__ import annotations

import numpy as np

from aim_core.trace import Trace
from visual.figure_texts import ENGLISH, FigureTexts
from visual.heatmaps import nearest_scored


def groups_caption(trace: Trace, texts: FigureTexts = ENGLISH) -> str:
    """How far merging shrank the frames, and how large the largest group is."""
    num_patches = trace.num_patches
    rows, num_dropped = trace.rows(), int(trace.dropped.sum())
    sizes = np.bincount(rows[rows >= 0])
    share = _percent(trace.num_merged, num_patches, texts)
    kept = texts.groups_kept.format(merged=f"{trace.num_merged:,}", patches=f"{num_patches:,}", share=share)
    frames = texts.one_frame if trace.num_frames == 1 else texts.many_frames.format(count=trace.num_frames)
    merged = sizes.max() > 1
    if num_dropped:
        sentence = texts.groups_dropped if merged else texts.groups_dropped_alone
    else:
        sentence = texts.groups_merged if merged else texts.groups_nothing
    numbers = {"dropped": f"{num_dropped:,}", "patches": f"{num_patches:,}", "size": sizes.max()}
    return sentence.format(frames=frames, kept=kept, **numbers)


def alive_caption(trace: Trace, layer: int, texts: FigureTexts = ENGLISH) -> str:
    """How many merged tokens enter `layer`, e.g. "At layer 9, 64 of 128 merged visual tokens are alive (50 %).", and
    how many were folded into them right before it, if any."""
    alive = int(np.isin(trace.layers[_valid(trace, layer)].kept, trace.rows()).sum())
    share = _percent(alive, trace.num_merged, texts)
    now = texts.alive_now.format(layer=layer, alive=f"{alive:,}", merged=f"{trace.num_merged:,}", share=share)
    folded = len(trace.layers[layer].folded)
    return now + (texts.alive_folded.format(folded=f"{folded:,}") if folded else "")


def scores_caption(trace: Trace, layer: int, texts: FigureTexts = ENGLISH) -> str:
    """Which layer the scores are from and how unevenly they are spread. Never raises for a run without scores."""
    _valid(trace, layer)
    if not trace.scored_layers:
        return texts.scores_none
    if layer > trace.scored_layers[-1]:
        return texts.scores_later.format(layer=layer, next=trace.scored_layers[-1] + 1)
    shown = nearest_scored(trace, layer)
    scores = np.sort(np.nan_to_num(trace.layers[shown].scores.astype(np.float64)))[::-1]
    top = max(1, round(len(scores) / 10))
    share = _percent(scores[:top].sum(), scores.sum(), texts)
    held = texts.scores_held.format(top=f"{top:,}", count=f"{len(scores):,}", share=share)
    where = texts.scores_in if shown == layer else texts.scores_near
    early = trace.layers[shown].early
    position = "" if early is None else texts.scores_early.format(early=f"{early:.2f}")
    return where.format(shown=shown, layer=layer, held=held) + position


def _valid(trace: Trace, layer: int) -> int:
    if not 0 <= layer < trace.num_layers:
        raise ValueError(f"layer must be in [0, {trace.num_layers}), got {layer}")
    return layer


def _percent(part: float, whole: float, texts: FigureTexts) -> str:
    """A share such as "25 %", or "less than 1 %" where rounding would say nothing is there."""
    share = 100 * part / whole if whole else 0.0
    if 0 < share < 0.5:
        return texts.less_than_one
    return f"{share:.0f} %"
