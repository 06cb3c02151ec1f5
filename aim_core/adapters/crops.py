"""Crops: where a grid of patches lies in a picture that was resized, cut, padded or divided before the vision tower."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from transformers.image_processing_utils import select_best_resolution

Box = tuple[float, float, float, float]  # left, top, right, bottom, shares of the picture


def centre_crop(height: int, width: int, shortest: int, crop: tuple[int, int]) -> Box:
    """A picture resized to a shortest side of `shortest` pixels, then cut to `crop` (height, width) around its centre.

    A crop larger than the picture is padded: the box reaches beyond it.
    """
    scale = shortest / min(height, width)
    return _centred(crop[1] / (scale * width), crop[0] / (scale * height))


def padded_to_square(height: int, width: int) -> Box:
    """A picture with bars of equal size that make it a square: the box reaches beyond the picture."""
    side = max(height, width)
    return _centred(side / width, side / height)


def tile(index: int, rows: int, columns: int) -> Box:
    """One of rows x columns equal tiles of a stretched picture, counted in raster order."""
    row, column = divmod(index, columns)
    return column / columns, row / rows, (column + 1) / columns, (row + 1) / rows


def anyres(
    size: tuple[int, int], canvases: Sequence[Sequence[int]], crop: int, side: int
) -> tuple[tuple[int, int], Box]:
    """The grid put together from a picture's crops, and its box (LLaVA-NeXT's and LLaVA-OneVision's "anyres").

    size:     (height, width) of the picture. It is resized to fit the best of the canvases (height, width) and
              centred on it; whole rows or columns of cells that lie in the padding are taken away again.
    crop:     pixels along one side of a crop; side: cells along it.
    The box may reach a part of a cell beyond the picture.
    """
    canvas = select_best_resolution(size, canvases)
    cell, cells = crop / side, [length // crop * side for length in canvas]
    scales = [long / own for long, own in zip(canvas, size, strict=True)]
    tight = min(scales)
    grid, edges = [], []
    for own, long, count in zip(size, canvas, cells, strict=True):
        shown = min(math.ceil(own * tight), long)  # pixels of the canvas that show the picture
        left_out = (count - int(round(own * min(s * side / crop for s in scales), 7))) // 2
        grid.append(count - 2 * left_out)
        start = (left_out * cell - (long - shown) // 2) / shown
        edges.append((start, start + grid[-1] * cell / shown))
    (top, bottom), (left, right) = edges
    return (grid[0], grid[1]), (left, top, right, bottom)


def middle(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    """The middle (height, width, 3) of a picture (h, w, 3)."""
    top, left = (picture.shape[0] - height) // 2, (picture.shape[1] - width) // 2
    return picture[top : top + height, left : left + width]


def put_together(
    crops: Sequence[np.ndarray], size: tuple[int, int], canvases: Sequence[Sequence[int]], side: int
) -> np.ndarray:
    """The picture that square crops (n, n, 3) of the best canvas make, without the padding that is taken away again.

    size, canvases, side: as in `anyres`.
    """
    crop, canvas = len(crops[0]), select_best_resolution(size, canvases)
    down, across = (length // crop for length in canvas)
    lines = [np.concatenate(crops[row * across : (row + 1) * across], axis=1) for row in range(down)]
    (rows, columns), _ = anyres(size, canvases, crop, side)
    return middle(np.concatenate(lines), rows * crop // side, columns * crop // side)


def num_crops(size: Sequence[int], canvases: Sequence[Sequence[int]], crop: int) -> int:
    """How many pictures the tower sees of one of `size` (height, width): the whole, and the crops of the best canvas.

    canvases, crop: as in `anyres`.
    """
    height, width = select_best_resolution((int(size[0]), int(size[1])), canvases)
    return 1 + height // crop * (width // crop)


def _centred(width: float, height: float) -> Box:
    return 0.5 - width / 2, 0.5 - height / 2, 0.5 + width / 2, 0.5 + height / 2
