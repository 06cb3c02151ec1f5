"""Patch grid: the pixels that each patch of a view covers, and the border lines between patches."""

from __future__ import annotations

import cv2
import numpy as np


def patch_edges(length: int, num_patches: int) -> np.ndarray:
    """(num_patches + 1,) int64, pixel positions that cut `length` pixels into patches of nearly equal size.

    Raises ValueError where a patch would have no pixel.
    """
    if not 1 <= num_patches <= length:
        raise ValueError(f"need 1 <= patches <= pixels, got {num_patches} patches on {length} pixels")
    return np.arange(num_patches + 1, dtype=np.int64) * length // num_patches


def patch_rectangle(patch: int, grid: tuple[int, int], size: tuple[int, int]) -> tuple[int, int, int, int]:
    """(top, bottom, left, right) in pixels, bottom and right exclusive, of a patch in raster order.

    grid: (rows, cols). size: (height, width) of the image. Raises ValueError for a patch outside the grid.
    """
    rows, cols = grid
    if not 0 <= patch < rows * cols:
        raise ValueError(f"patch must be in [0, {rows * cols}), got {patch}")
    row, col = divmod(int(patch), cols)
    across, down = patch_edges(size[0], rows), patch_edges(size[1], cols)
    return int(across[row]), int(across[row + 1]), int(down[col]), int(down[col + 1])


def dot(patch: int, grid: tuple[int, int], size: tuple[int, int]) -> tuple[int, int, int, int]:
    """(top, bottom, left, right) in pixels of a square a sixth of a patch wide, at least 2 pixels, in its middle."""
    top, bottom, left, right = patch_rectangle(patch, grid, size)
    side = max(2, min(bottom - top, right - left) // 6)
    y, x = (top + bottom - side) // 2, (left + right - side) // 2
    return y, y + side, x, x + side


def spread(values: np.ndarray, grid: tuple[int, int], size: tuple[int, int]) -> np.ndarray:
    """Give every pixel the value of its patch.

    values: (n,) or (n, c), one entry a patch in raster order, rows * cols = n.
    Returns (H, W) or (H, W, c) for size = (H, W). Raises ValueError if n does not fit the grid.
    """
    values = np.asarray(values)
    if len(values) != grid[0] * grid[1]:
        raise ValueError(f"a grid of {grid[0]} x {grid[1]} needs {grid[0] * grid[1]} values, got {len(values)}")
    table = values.reshape(*grid, *values.shape[1:])
    heights, widths = (np.diff(patch_edges(length, num)) for length, num in zip(size, grid, strict=True))
    return np.repeat(np.repeat(table, heights, axis=0), widths, axis=1)


def borders(labels: np.ndarray, grid: tuple[int, int], size: tuple[int, int], thickness: int) -> np.ndarray:
    """(H, W) bool, pixels of the lines between patches with different labels, corners included.

    labels: (n,), anything that can be compared. thickness: in pixels, centred on the line between two patches.
    The rim of the image is no border: nothing lies on its other side.
    """
    pixels = spread(labels, grid, size)
    lines = np.zeros(size, dtype=np.uint8)
    lines[1:] |= pixels[1:] != pixels[:-1]
    lines[:, 1:] |= pixels[:, 1:] != pixels[:, :-1]
    reach = (thickness - 1) // 2  # pixels past the first one after the line
    return cv2.dilate(lines, np.ones((thickness, thickness), np.uint8), anchor=(reach, reach)) > 0
