"""Frames: the pixels of each view of a run, and its time."""

from __future__ import annotations

import numpy as np

from aim_core.trace import Trace
from visual.frame_compose import shown_frame


def pictures(trace: Trace) -> list[np.ndarray]:
    """(H, W, 3) uint8 of each view: its frame, or the part of it that the view covers."""
    return [cut(trace.frames[shown_frame(trace, i)], view.box) for i, view in enumerate(trace.all_views)]


def cut(frame: np.ndarray, box: tuple[float, float, float, float] | None) -> np.ndarray:
    """The part of a frame (H, W, 3) inside a box (shares of the frame), black where the box reaches beyond it."""
    if box is None:
        return frame
    height, width = frame.shape[:2]
    left, top, right, bottom = (round(part * size) for part, size in zip(box, (width, height) * 2, strict=True))
    inside = frame[max(0, top) : bottom, max(0, left) : right]
    beyond = ((max(0, -top), max(0, bottom - height)), (max(0, -left), max(0, right - width)), (0, 0))
    return np.pad(inside, beyond) if np.any(beyond) else inside


def view_times(trace: Trace) -> list[float]:
    """Seconds of each view."""
    return [round(float(trace.times[shown_frame(trace, index)]), 3) for index in range(trace.num_views)]
