"""View pictures: which pixels of its frame each view of a trace shows, for figures and the browser alike."""

from __future__ import annotations

import numpy as np

from aim_core.trace import Trace
from visual.clock import clock

Box = tuple[float, float, float, float]  # left, top, right, bottom, as in `View`

WHOLE: Box = (0.0, 0.0, 1.0, 1.0)


def view_pictures(trace: Trace) -> list[np.ndarray]:
    """(H, W, 3) uint8 of each view."""
    return [view_picture(trace.frame(shown_frame(trace, i)), view.box) for i, view in enumerate(trace.all_views)]


def view_picture(frame: np.ndarray, box: Box | None) -> np.ndarray:
    """The part of a frame (H, W, 3) inside a box (shares of the frame), all of it for None.

    Black where the box reaches beyond the frame: what the processors of CLIP's crops and of "anyres" pad with. (The
    bars that LLaVA-OneVision gives each of several images have the mean colour of its training, a mid grey.)
    """
    height, width = frame.shape[:2]
    left, top, right, bottom = box_pixels(box, frame.shape)
    if left >= 0 and top >= 0 and right <= width and bottom <= height:
        return frame[top:bottom, left:right]
    rows, columns = np.arange(top, bottom), np.arange(left, right)
    picture = frame[rows.clip(0, height - 1)[:, None], columns.clip(0, width - 1)]
    inside = ((rows >= 0) & (rows < height))[:, None] & (columns >= 0) & (columns < width)
    return picture * inside[..., None]


def box_pixels(box: Box | None, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of a box in pixels of a frame, at least one apart; they may lie outside the frame."""
    height, width = shape[:2]
    left, top, right, bottom = (
        round(part * size) for part, size in zip(box or WHOLE, (width, height) * 2, strict=True)
    )
    return left, top, max(right, left + 1), max(bottom, top + 1)


def shown_frame(trace: Trace, index: int) -> int:
    """The frame that stands for a view: the first one it shows; with several pictures, its own."""
    views = trace.all_views
    several = len({view.medium for view in views}) > 1
    frame = views[index].medium if several else min(views[index].frames, default=0)
    return min(frame, trace.num_frames - 1)


def view_times(trace: Trace) -> list[str]:
    """When each view is, as `clock` writes it; "" where there are several pictures."""
    if trace.sizes is not None:
        return [""] * trace.num_views
    return [clock(trace.times[shown_frame(trace, index)]) for index in range(trace.num_views)]
