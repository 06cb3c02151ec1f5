"""Composed frames: copies of the frames with a trace's views drawn where they lie, so that crops make one picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from aim_core.trace import Trace
from aim_core.view import View
from visual.clock import clock
from visual.contact_sheet import display_side, enlarge
from visual.figure_texts import ENGLISH, FigureTexts
from visual.overlay import faded
from visual.view_pictures import WHOLE, box_pixels, shown_frame, view_picture

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


def patch_values(trace: Trace, index: int, values: np.ndarray) -> np.ndarray:
    """(n,) the values of a view's own patches, out of an array (V, widest) that fills up smaller views."""
    rows, cols = trace.all_views[index].grid
    return values[index, : rows * cols]


def compose_frame(trace: Trace, composed: ComposedFrame, draw: Draw, side: int) -> np.ndarray:
    """(side, W, 3) uint8: the frame with every view drawn in its place; what no view covers is faded.

    draw: (picture (h, w, 3) uint8 of a view, its index) → the same picture with an overlay.
    """
    frame = enlarge(trace.frame(composed.frame), side)
    drawn = faded(frame)
    for index in composed.views:
        view = trace.all_views[index]
        picture = _drawn(view_picture(frame, view.box), view.grid, draw, index)
        left, top, right, bottom = box_pixels(view.box, frame.shape)
        inside = drawn[max(0, top) : max(0, bottom), max(0, left) : max(0, right)]
        y, x = max(0, -top), max(0, -left)
        inside[:] = picture[y : y + inside.shape[0], x : x + inside.shape[1]]
    return drawn


def composed_height(trace: Trace, num_frames: int) -> int:
    """Height in pixels at which so many composed frames make a sheet, more where patches would be too small to see."""
    shapes = [trace.frame(shown_frame(trace, index)).shape for index in range(trace.num_views)]
    proportions = [width / height for height, width, _ in shapes]
    needed = [_pixels_needed(*pair) for pair in zip(trace.all_views, proportions, strict=True)]
    return max(display_side(num_frames, max(proportions)), min(LARGEST, max(needed)))


def frame_captions(trace: Trace, texts: FigureTexts = ENGLISH) -> list[str]:
    """Captions, such as "frame 1 · 0.4 s", "frames 1–2 · 0.0 s–0.5 s", "picture 2" or "frame 1 · 0.0 s · 6 crops"."""
    frames_shown, views = composed_frames(trace), trace.all_views
    labels = []
    for composed in frames_shown:
        frames = {frame for index in composed.views for frame in views[index].frames}
        ends = [min(frame, trace.num_frames - 1) for frame in (min(frames, default=0), max(frames, default=0))]
        ends = [composed.frame] * 2 if ends[0] == ends[1] else ends
        start, end = (clock(trace.times[frame]) for frame in ends)
        label = (texts.frame if ends[0] == ends[1] else texts.frames).format(
            first=ends[0] + 1, last=ends[1] + 1, start=start, end=end
        )
        label = label if trace.sizes is None else texts.picture.format(number=composed.frame + 1)
        if sum(other.frame == composed.frame for other in frames_shown) > 1:
            count = len(composed.views)
            label = (texts.one_crop if count == 1 else texts.many_crops).format(frame=label, count=count)
        labels.append(label)
    return labels


def _pixels_needed(view: View, proportion: float) -> int:
    """Height of a composed frame of this width / height on which the view's patches have FINEST pixels."""
    left, top, right, bottom = view.box or WHOLE
    rows, cols = view.grid
    return int(np.ceil(FINEST * max(rows / (bottom - top), cols / (right - left) / proportion)))


def _drawn(picture: np.ndarray, grid: tuple[int, int], draw: Draw, index: int) -> np.ndarray:
    """The overlay of a view on its picture, drawn larger where a patch would have no pixel."""
    height, width = picture.shape[:2]
    if height >= grid[0] and width >= grid[1]:
        return draw(picture, index)
    large = cv2.resize(picture, (max(width, grid[1]), max(height, grid[0])), interpolation=cv2.INTER_NEAREST)
    return cv2.resize(draw(large, index), (width, height), interpolation=cv2.INTER_AREA)


def _overlap(one: View, other: View) -> bool:
    (a, b, c, d), (e, f, g, h) = one.box or WHOLE, other.box or WHOLE
    return min(c, g) - max(a, e) > _TOUCH and min(d, h) - max(b, f) > _TOUCH
