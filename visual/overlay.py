"""Overlays on one view: merged groups, tokens that are alive, and a heat map of scores."""

from __future__ import annotations

import cv2
import matplotlib
import numpy as np

from visual.palette import (
    ALIVE,
    DIM,
    DIM_GREY,
    FAINT,
    HEAT,
    HEAT_OPACITY,
    LINE,
    TINT,
    assign_colours,
    colour_table,
)
from visual.patch_grid import borders, spread


def draw_groups(frame: np.ndarray, group: np.ndarray, grid: tuple[int, int], picked: int | None = None) -> np.ndarray:
    """Tint the patches of every merged group, with a line wherever two groups meet.

    frame:  (H, W, 3) uint8 RGB. group: (n,) int in [0, k), raster order. grid: (rows, cols), rows * cols = n.
    picked: a group to single out; everything else is dimmed.
    Returns a new (H, W, 3) uint8 image. A patch that is alone in its group keeps its own colours and gets
    only a faint line. Raises ValueError if the shapes do not fit or `picked` is no group.
    """
    size = _check(frame, group, grid)
    group = np.asarray(group)
    merged = np.bincount(group) > 1  # (k,)
    if picked is not None:
        return draw_alive(frame, _members(group, picked), grid)
    colour = assign_colours(group, grid)
    tint = colour_table(int(colour.max()) + 1)[colour]  # (k, 3)
    image = frame.astype(np.float32)
    image = _mix(image, spread(tint[group], grid, size), TINT * spread(merged[group], grid, size))
    contrast = np.where(_grey(frame) > 127, 0, 255)  # seen on snow and at night
    image = _mix(image, contrast, FAINT * borders(group, grid, size, 1))
    framed = np.where(merged[group], group, -1)  # patches that were not merged count as one region
    image = _mix(image, LINE, 0.95 * borders(framed, grid, size, _thickness(size, grid)))
    return _to_uint8(image)


def draw_alive(frame: np.ndarray, alive: np.ndarray, grid: tuple[int, int]) -> np.ndarray:
    """Darken and grey out pruned patches; leave the others as they are, inside a crisp line.

    frame: (H, W, 3) uint8 RGB. alive: (n,) bool, raster order. grid: (rows, cols), rows * cols = n.
    Returns a new (H, W, 3) uint8 image. Raises ValueError if the shapes do not fit.
    """
    size = _check(frame, alive, grid)
    alive = np.asarray(alive, dtype=bool)
    image = np.where(spread(alive, grid, size)[..., None], frame, _dim(frame))
    image[borders(alive, grid, size, _thickness(size, grid))] = ALIVE
    return image.astype(np.uint8)


def draw_scores(frame: np.ndarray, scores: np.ndarray, grid: tuple[int, int], low: float, high: float) -> np.ndarray:
    """Lay a heat map of scores over a frame; patches without a score are dimmed.

    frame:  (H, W, 3) uint8 RGB. scores: (n,) float, raster order, NaN for a pruned patch. grid: (rows, cols).
    low, high: scores that get the first and the last colour; scores beyond are clipped. Where low = high,
    every score gets the middle colour.
    Returns a new (H, W, 3) uint8 image. Raises ValueError if the shapes do not fit or low > high.
    """
    size = _check(frame, scores, grid)
    scores = np.asarray(scores, dtype=np.float64)
    scored = np.isfinite(scores)
    heat = matplotlib.colormaps[HEAT](unit_scale(np.where(scored, scores, low), low, high))[:, :3] * 255
    grey = _grey(frame)
    hot = _mix(grey, spread(heat.astype(np.float32), grid, size), np.float32(HEAT_OPACITY))
    image = np.where(spread(scored, grid, size)[..., None], hot, _dim(frame))
    return _to_uint8(image)


def dimmed(frame: np.ndarray) -> np.ndarray:
    """A copy of `frame` (H, W, 3) uint8 as dark and grey as a pruned patch."""
    return _to_uint8(_dim(frame))


def unit_scale(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Where each value lies between low (0) and high (1), clipped; 0.5 for all where low = high."""
    if not low <= high:
        raise ValueError(f"need low <= high, got {low}, {high}")
    if low == high:
        return np.full(np.shape(values), 0.5)
    return np.clip((np.asarray(values) - low) / (high - low), 0.0, 1.0)


def _members(group: np.ndarray, picked: int) -> np.ndarray:
    """(n,) bool, the patches of one group. Raises ValueError if it has none."""
    members = group == picked
    if not members.any():
        raise ValueError(f"picked must be a group of this frame, in [0, {group.max() + 1}), got {picked}")
    return members


def _check(frame: np.ndarray, values: np.ndarray, grid: tuple[int, int]) -> tuple[int, int]:
    """(H, W) of a frame that can carry one value for each patch of the grid."""
    if frame.ndim != 3 or frame.shape[2] != 3 or frame.dtype != np.uint8:
        raise ValueError(f"frame must be (H, W, 3) uint8, got {frame.shape} {frame.dtype}")
    if np.shape(values) != (grid[0] * grid[1],):
        raise ValueError(f"a grid of {grid[0]} x {grid[1]} needs {grid[0] * grid[1]} values, got {np.shape(values)}")
    return frame.shape[:2]


def _thickness(size: tuple[int, int], grid: tuple[int, int]) -> int:
    """Pixels of a line, 1 to 4: thin beside a patch, yet visible on a large image."""
    return min(4, max(1, round(min(size[0] / grid[0], size[1] / grid[1]) / 12)))


def _mix(image: np.ndarray, colour, opacity) -> np.ndarray:
    """Lay a colour, one or one a pixel, over an image (H, W, 3); opacity is one number or (H, W)."""
    opacity = np.asarray(opacity, dtype=np.float32)[..., None]
    return image * (1 - opacity) + np.asarray(colour, dtype=np.float32) * opacity


def _grey(frame: np.ndarray) -> np.ndarray:
    """(H, W, 3) float32, the brightness of a frame without its colours."""
    return np.repeat(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2).astype(np.float32)


def _dim(frame: np.ndarray) -> np.ndarray:
    """(H, W, 3) float32, dark and almost without colour."""
    return DIM * (DIM_GREY * _grey(frame) + (1 - DIM_GREY) * frame)


def _to_uint8(image: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)
