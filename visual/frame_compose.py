"""Composed frames: copies of the frames with a trace's views drawn where they lie, so that crops make one picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from aim_core.trace import Trace, View
from visual.contact_sheet import display_side, enlarge
from visual.overlay import dimmed

WHOLE = (0.0, 0.0, 1.0, 1.0)
FINEST, LARGEST = 4, 2048  # pixels a patch should have at least; pixels a composed frame is tall at most
_TOUCH = 1e-6  # boxes that meet this closely do not overlap

Draw = Callable[[np.ndarray, int], np.ndarray]


@dataclass(frozen=True)
class ComposedFrame:
    """A copy of one frame and the views on it: one for a video, all tiles of a picture that do not overlap."""

    frame: int
    views: tuple[int, ...]


def composed_frames(trace: Trace) -> list[ComposedFrame]:
    """In the order of the prompt; a view goes on the latest composition of its frame on which nothing is in its way."""
    composed: list[ComposedFrame] = []
    views = trace.all_views
    for index, view in enumerate(views):
        frame = shown_frame(trace, index)
        last = next((i for i in reversed(range(len(composed))) if composed[i].frame == frame), None)
        if last is None or any(_overlap(views[other], view) for other in composed[last].views):
            composed.append(ComposedFrame(frame, (index,)))
        else:
            composed[last] = ComposedFrame(frame, (*composed[last].views, index))
    return composed


def shown_frame(trace: Trace, index: int) -> int:
    """The frame that stands for a view: the first one it shows; with several pictures, its own."""
    views = trace.all_views
    several = len({view.medium for view in views}) > 1
    frame = views[index].medium if several else min(views[index].frames, default=0)
    return min(frame, trace.num_frames - 1)


def patch_values(trace: Trace, index: int, values: np.ndarray) -> np.ndarray:
    """(n,) the values of a view's own patches, out of an array (V, widest) that fills up smaller views."""
    rows, cols = trace.all_views[index].grid
    return values[index, : rows * cols]


def compose_frame(trace: Trace, composed: ComposedFrame, draw: Draw, side: int) -> np.ndarray:
    """(side, W, 3) uint8: the frame with every view drawn in its place; what no view covers is dimmed.

    draw: (picture (h, w, 3) uint8 of a view, its index) → the same picture with an overlay.
    """
    frame = enlarge(trace.frames[composed.frame], side)
    drawn = dimmed(frame)
    for index in composed.views:
        view = trace.all_views[index]
        left, top, right, bottom = _pixels(view.box or WHOLE, frame.shape)
        cut = _cut(frame, left, top, right, bottom)
        picture = _drawn(cut, view.grid, draw, index)
        inside = drawn[max(0, top) : bottom, max(0, left) : right]
        y, x = max(0, -top), max(0, -left)
        inside[:] = picture[y : y + inside.shape[0], x : x + inside.shape[1]]
    return drawn


def composed_height(trace: Trace, num_frames: int) -> int:
    """Height in pixels at which so many composed frames make a sheet, more where patches would be too small to see."""
    height, width = trace.frames.shape[1:3]
    needed = [_pixels_needed(view, width / height) for view in trace.all_views]
    return max(display_side(num_frames, width / height), min(LARGEST, max(needed)))


def frame_captions(trace: Trace) -> list[str]:
    """Captions, such as "frame 1 · 0.4 s", "frames 1–2 · 0.0–0.5 s" or "frame 1 · 0.0 s · 6 crops"."""
    frames_shown, views = composed_frames(trace), trace.all_views
    labels = []
    for composed in frames_shown:
        frames = {frame for index in composed.views for frame in views[index].frames}
        ends = [min(frame, trace.num_frames - 1) for frame in (min(frames, default=0), max(frames, default=0))]
        ends = [composed.frame] * 2 if ends[0] == ends[1] else ends
        numbers, times = (f"{ends[0] + 1}", f"{trace.times[ends[0]]:.1f}")
        if ends[0] != ends[1]:
            numbers, times = f"{numbers}–{ends[1] + 1}", f"{times}–{trace.times[ends[1]]:.1f}"
        label = f"frame{'s' if ends[0] != ends[1] else ''} {numbers} · {times} s"
        if sum(other.frame == composed.frame for other in frames_shown) > 1:
            label += f" · {len(composed.views)} crops" if len(composed.views) > 1 else " · 1 crop"
        labels.append(label)
    return labels


def _pixels_needed(view: View, proportion: float) -> int:
    """Height of a composed frame of this width / height on which the view's patches have FINEST pixels."""
    left, top, right, bottom = view.box or WHOLE
    rows, cols = view.grid
    return int(np.ceil(FINEST * max(rows / (bottom - top), cols / (right - left) / proportion)))


def _pixels(box: tuple[float, float, float, float], shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Left, top, right, bottom in pixels, at least one apart; they may lie outside the frame."""
    height, width = shape[:2]
    left, top, right, bottom = (round(part * size) for part, size in zip(box, (width, height) * 2, strict=True))
    return left, top, max(right, left + 1), max(bottom, top + 1)


def _cut(frame: np.ndarray, left: int, top: int, right: int, bottom: int) -> np.ndarray:
    """A part of a frame; beyond its rim, where a processor puts bars, its last pixels go on."""
    rows = np.clip(np.arange(top, bottom), 0, frame.shape[0] - 1)
    cols = np.clip(np.arange(left, right), 0, frame.shape[1] - 1)
    return frame[rows[:, None], cols]


def _drawn(cut: np.ndarray, grid: tuple[int, int], draw: Draw, index: int) -> np.ndarray:
    """The overlay of a view on its cut, drawn larger where a patch would have no pixel."""
    height, width = cut.shape[:2]
    if height >= grid[0] and width >= grid[1]:
        return draw(cut, index)
    large = cv2.resize(cut, (max(width, grid[1]), max(height, grid[0])), interpolation=cv2.INTER_NEAREST)
    return cv2.resize(draw(large, index), (width, height), interpolation=cv2.INTER_AREA)


def _overlap(one: View, other: View) -> bool:
    (a, b, c, d), (e, f, g, h) = one.box or WHOLE, other.box or WHOLE
    return min(c, g) - max(a, e) > _TOUCH and min(d, h) - max(b, f) > _TOUCH
