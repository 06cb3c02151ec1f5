"""Overlays on one view: merged groups, tokens that are alive, and a heat map of scores."""

from __future__ import annotations

import cv2
import matplotlib
import numpy as np

from visual.palette import ALIVE, BORDER, FADE, FADE_GREY, HEAT, HEAT_OPACITY, PRUNED
from visual.patch_grid import borders, dot, patch_edges, spread


def draw_groups(frame: np.ndarray, group: np.ndarray, grid: tuple[int, int], picked: int | None = None) -> np.ndarray:
    """Fill every merged group with the mean colour of its pixels: what is left of a picture after merging.

    frame:  (H, W, 3) uint8 RGB. grid: (rows, cols), rows * cols = n.
    group:  (n,) int in [0, k), raster order; -1 for a patch that was dropped before layer 0, which is faded.
    picked: a group to single out instead; everything else is faded.
    Returns a new (H, W, 3) uint8 image with thin lines wherever two groups meet: light ones on a dark picture, dark
    ones on a light one. Raises ValueError if the shapes do not fit or `picked` is no group.
    """
    size = _check(frame, group, grid)
    group = np.asarray(group)
    if picked is not None:
        return draw_alive(frame, _members(group, picked), grid)
    means = patch_means(frame, grid)
    filled = spread(np.append(group_means(means, group), means[:1], axis=0)[group], grid, size)  # -1: any, faded next
    filled = np.where(spread(group < 0, grid, size)[..., None], faded(frame), filled)
    lines = borders(group, grid, size, max(1, _thickness(size, grid) // 2))
    return _to_uint8(_mix(filled, 0 if means.mean() > 127 else 255, BORDER * lines))


def patch_means(frame: np.ndarray, grid: tuple[int, int]) -> np.ndarray:
    """(n, 3) float64, the mean colour of the pixels of each patch of a frame (H, W, 3), raster order."""
    if frame.shape[0] < grid[0] or frame.shape[1] < grid[1]:  # a patch without a pixel has the colour of where it lies
        larger = max(frame.shape[1], grid[1]), max(frame.shape[0], grid[0])
        frame = cv2.resize(frame, larger, interpolation=cv2.INTER_NEAREST)
    sums, pixels = frame.astype(np.float64), np.ones(1)
    for axis, parts in enumerate(grid):
        edges = patch_edges(frame.shape[axis], parts)
        sums, pixels = np.add.reduceat(sums, edges[:-1], axis=axis), np.multiply.outer(pixels, np.diff(edges))
    return (sums / pixels[0, ..., None]).reshape(-1, 3)


def group_means(means: np.ndarray, group: np.ndarray) -> np.ndarray:
    """(k, 3) float64, the mean of the patches' colours (n, 3) in each of k groups; group: (n,) int, -1 for none."""
    means, group = means[group >= 0], group[group >= 0]
    sums = np.zeros((int(group.max(initial=-1)) + 1, 3))
    np.add.at(sums, group, means)
    return sums / np.maximum(1, np.bincount(group, minlength=len(sums)))[:, None]


def draw_alive(
    frame: np.ndarray,
    alive: np.ndarray,
    grid: tuple[int, int],
    dropped: np.ndarray | None = None,
    folded: np.ndarray | None = None,
) -> np.ndarray:
    """Fade and grey out pruned patches; leave the others as they are, inside a crisp line on their own side.

    frame:   (H, W, 3) uint8 RGB. alive: (n,) bool, raster order. grid: (rows, cols), rows * cols = n.
    dropped: (n,) bool, pruned patches that get a dot, since they were still there one layer before.
    folded:  (n,) bool, those that get a ring instead, since they went on in another token.
    Returns a new (H, W, 3) uint8 image. Raises ValueError if the shapes do not fit.
    """
    size = _check(frame, alive, grid)
    living = spread(np.asarray(alive, dtype=bool), grid, size)
    image = np.where(living[..., None], frame, faded(frame))
    image[living & borders(alive, grid, size, 2 * _thickness(size, grid))] = ALIVE
    for patch in np.flatnonzero(dropped) if dropped is not None else ():
        top, bottom, left, right = dot(int(patch), grid, size)
        inside = image[top:bottom, left:right].copy()
        if folded is None or not folded[patch]:
            inside[:] = ALIVE
        else:
            image[top - 1 : bottom + 1, left - 1 : right + 1] = ALIVE
        image[top:bottom, left:right] = inside
    return image


def draw_scores(frame: np.ndarray, scores: np.ndarray, grid: tuple[int, int], low: float, high: float) -> np.ndarray:
    """Lay a heat map of scores over a frame; patches without a score are faded.

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
    image = np.where(spread(scored, grid, size)[..., None], hot, _faded(frame))
    return _to_uint8(image)


def faded(frame: np.ndarray) -> np.ndarray:
    """A copy of `frame` (H, W, 3) uint8 as pale and grey as a pruned patch."""
    return _to_uint8(_faded(frame))


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


def _faded(frame: np.ndarray) -> np.ndarray:
    """(H, W, 3) float32, pale and almost without colour."""
    return _mix(_mix(frame, _grey(frame), FADE_GREY), PRUNED, FADE)


def _to_uint8(image: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)
