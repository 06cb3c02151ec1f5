"""Rules: checks shapes, ranges and consistency of a trace's arrays before anything is drawn from them."""

from __future__ import annotations

import numpy as np

from aim_core.audio_trace import AudioTrace
from aim_core.layer_trace import LayerTrace
from aim_core.trace import Trace
from aim_core.view import View
from page.exports.saved_run.archive import SavedRunError
from page.i18n import strings

FRAMES, SIDE = 64, 2048  # most frames, most pixels a side
VIEWS, PATCHES, ALL_PATCHES, LAYERS, GRID = 1024, 10_000, 300_000, 256, 1024
REACH = 1.0  # how far a view may reach beyond its picture, in sizes of the picture


def check_trace(trace: Trace) -> None:
    """Raise SavedRunError unless everything fits together, within bounds at which drawing stays quick."""
    for check in (_frames, _sizes, _views, _groups, _rounds, _layers, _audio):
        if not check(trace):
            raise SavedRunError(strings().SAVED_BROKEN)


def _frames(trace: Trace) -> bool:
    frames, times = trace.frames, trace.times
    if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[3] != 3:
        return False
    count, height, width = frames.shape[:3]
    if not (1 <= count <= FRAMES and 1 <= height <= SIDE and 1 <= width <= SIDE):
        return False
    return times.dtype.kind == "f" and times.shape == (count,) and within(times, 0, 1e6)


def _sizes(trace: Trace) -> bool:
    """Several pictures fit into their frames."""
    if trace.sizes is None:
        return True
    sizes = trace.sizes
    if not _integers(sizes, 2) or sizes.shape != (trace.num_frames, 2) or sizes.min() < 1:
        return False
    return bool((sizes <= trace.frames.shape[1:3]).all())


def _views(trace: Trace) -> bool:
    group = trace.group
    if not _integers(group, 2) or not 1 <= len(group) <= VIEWS or group.size > ALL_PATCHES:
        return False
    views = trace.all_views
    if len(views) != len(group) or views[0].grid != trace.grid or (not trace.views and len(group) > trace.num_frames):
        return False
    return all(_view(view, trace, group.shape[1]) for view in views)


def _view(view: View, trace: Trace, widest: int) -> bool:
    num_frames, height, width = trace.frames.shape[:3]
    if trace.sizes is not None:
        if not 0 <= view.medium < num_frames:
            return False
        height, width = trace.sizes[view.medium].tolist()
    rows, columns = view.grid
    if not (1 <= rows <= GRID and 1 <= columns <= GRID and rows * columns <= min(PATCHES, widest)):
        return False
    if not view.frames or max(view.frames) >= num_frames or not 0 <= view.medium < FRAMES:
        return False
    if view.box is None:
        return True
    left, top, right, bottom = view.box
    has_pixels = round(left * width) < round(right * width) and round(top * height) < round(bottom * height)
    return within(np.array(view.box), -REACH, 1 + REACH) and has_pixels


def _groups(trace: Trace) -> bool:
    """A patch is in a group and leads to the group's own row, or it is in none and leads to none; so does filling."""
    rows = trace.rows() if _rows_fit(trace) else None
    if rows is None or rows.max() < 0 or not np.array_equal(rows < 0, trace.group < 0):
        return False
    for group, row, is_patch in zip(trace.group, rows, trace.is_patch, strict=True):
        if group.min() < -1 or group.max() >= is_patch.sum() or (row[~is_patch] >= 0).any():
            return False
        own = np.unique(np.stack([group, row])[:, row >= 0], axis=1)
        if any(len(set(side.tolist())) != own.shape[1] for side in own):
            return False
    return True


def _rows_fit(trace: Trace) -> bool:
    if trace.row is None:
        return within(trace.group, 0, PATCHES)
    return _integers(trace.row, 2) and trace.row.shape == trace.group.shape and within(trace.row, -1, ALL_PATCHES)


def _rounds(trace: Trace) -> bool:
    """Rounds lead every patch to one token of its view; likenesses are cosines."""
    similarity = trace.similarity
    if similarity is not None and not (
        similarity.dtype.kind == "f" and similarity.shape == trace.group.shape and not (np.abs(similarity) > 1.01).any()
    ):
        return False
    before = trace.group.shape[1]
    for new in trace.rounds:
        if not _integers(new, 2) or len(new) != trace.num_views or new.shape[1] > before:
            return False
        if not new.size or not within(new, -1, new.shape[1] - 1):
            return False
        before = new.shape[1]
    if not trace.rounds:
        return True
    if trace.rounds[0].shape[1] != trace.group.shape[1]:
        return False
    try:
        last = trace.round_groups(len(trace.rounds))
    except IndexError:
        return False
    pairs = [np.unique(np.stack(pair), axis=1) for pair in zip(last, trace.group, strict=True)]
    return all(len(set(side.tolist())) == pair.shape[1] for pair in pairs for side in pair)


def _layers(trace: Trace) -> bool:
    planned, layers = trace.planned, trace.layers
    if not _integers(planned, 1) or not 1 <= len(planned) <= LAYERS or not within(planned, 0, ALL_PATCHES):
        return False
    return all(_layer(layer, index, layers[max(0, index - 1)]) for index, layer in enumerate(layers))


def _layer(layer: LayerTrace, index: int, before: LayerTrace) -> bool:
    """Ascending rows, none that was not in the layer before, and a score for each or for none."""
    kept, scores, steps = layer.kept, layer.scores, layer.steps
    if layer.layer != index or not _integers(kept, 1) or not within(kept, 0, 2 * ALL_PATCHES):
        return False
    if (np.diff(kept) <= 0).any() or not np.isin(kept, before.kept).all():
        return False
    if scores.dtype.kind != "f" or scores.shape not in ((0,), kept.shape) or not within(scores, 0, 1e9):
        return False
    if not _folded(layer, before):
        return False
    if not all(_other_scores(own, scores.shape) for own in (layer.received, layer.last_token)):
        return False
    return not steps.size or (
        steps.dtype.kind == "f" and steps.ndim == 3 and steps.shape[2] == len(kept) and within(steps, 0, 1e9)
    )


def _folded(layer: LayerTrace, before: LayerTrace) -> bool:
    """Pairs of a row that left right before this layer, each once, and one that entered it."""
    folded = layer.folded
    if not _integers(folded, 2) or folded.shape[1] != 2 or len(np.unique(folded[:, 0])) != len(folded):
        return False
    gone = np.setdiff1d(before.kept, layer.kept)
    return bool(np.isin(folded[:, 0], gone).all() and np.isin(folded[:, 1], layer.kept).all())


def _other_scores(scores: np.ndarray, shape: tuple[int, ...]) -> bool:
    """Shares of attention, or none."""
    return scores.dtype.kind == "f" and scores.shape in ((0,), shape) and within(scores, 0, 1.01)


def _audio(trace: Trace) -> bool:
    """Every token has a chunk, a time and a row; rows are numbered without gaps, and none comes back."""
    audio = trace.audio
    if audio is None:
        return True
    size = audio.row.size
    columns = (audio.sound, audio.chunk, audio.row)
    if not all(_integers(own, 1) and own.size == size and within(own, 0, size - 1) for own in columns) or not size:
        return False
    start, is_short = audio.start, 0 < audio.seconds < 10
    if size > ALL_PATCHES or start.dtype.kind != "f" or start.shape != (size,) or not is_short:
        return False
    loud = np.zeros(size, np.float32) if audio.loudness is None else audio.loudness
    if loud.dtype.kind != "f" or loud.shape != (size,) or not within(loud, 0, 10):
        return False
    return within(start, 0, 1e6) and _audio_layers(audio)


def _audio_layers(audio: AudioTrace) -> bool:
    before = np.unique(audio.row)
    all_scores = audio.scores or (np.zeros(0, np.float32),) * len(audio.kept)
    if len(before) != audio.num_merged or len(all_scores) != len(audio.kept):
        return False
    for kept, scores in zip(audio.kept, all_scores, strict=True):
        if not _integers(kept, 1) or (np.diff(kept) <= 0).any() or not np.isin(kept, before).all():
            return False
        if scores.dtype.kind != "f" or scores.shape not in ((0,), kept.shape) or not within(scores, 0, 1e9):
            return False
        before = kept
    return True


def _integers(values: np.ndarray, ndim: int) -> bool:
    return values.dtype.kind in "iu" and values.ndim == ndim


def within(values: np.ndarray, least: float, most: float) -> bool:
    """Whether all values are numbers in [least, most]; NaN is none."""
    return bool(((values >= least) & (values <= most)).all())
