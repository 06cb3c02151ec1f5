"""Contact sheet: all frames of a video in one picture, each with a caption."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np

from visual.palette import BACKGROUND, INK, MUTED
from visual.text_raster import fitting_size, line_height, write

WIDE = 1.6  # width over height a sheet aims for
SHEET_WIDTH = 1400  # pixels a sheet aims for
SMALLEST, LARGEST = 256, 512  # pixels a frame is tall on a sheet
SMALLEST_TYPE = 18  # pixels


def enlarge(frame: np.ndarray, side: int) -> np.ndarray:
    """A copy of `frame` (H, W, 3) uint8 that is `side` pixels tall, same proportions. Larger frames shrink.

    Draw overlays on the result, so that lines stay crisp. Raises ValueError if side < 1.
    """
    if side < 1:
        raise ValueError(f"side must be at least 1, got {side}")
    height, width = frame.shape[:2]
    new_width = max(1, round(width * side / height))
    if (height, width) == (side, new_width):
        return frame.copy()
    method = cv2.INTER_CUBIC if side > height else cv2.INTER_AREA
    return cv2.resize(frame, (new_width, side), interpolation=method)


def sheet_columns(num_images: int, proportion: float = 1.0) -> int:
    """Columns that come nearest to a wide sheet with few empty places; proportion is one image's width / height."""
    if num_images < 1:
        raise ValueError(f"a sheet needs at least one image, got {num_images}")

    def misfit(columns: int) -> float:
        rows = math.ceil(num_images / columns)
        shape = abs(math.log(columns * proportion / rows / WIDE))
        return shape + 2.0 * (rows * columns - num_images) / num_images

    return min(range(1, num_images + 1), key=misfit)


def display_side(num_images: int, proportion: float = 1.0) -> int:
    """Height in pixels at which so many frames make a sheet that is sharp but not huge."""
    columns = sheet_columns(num_images, proportion)
    return min(LARGEST, max(SMALLEST, round(SHEET_WIDTH / columns / proportion)))


def contact_sheet(
    images: Sequence[np.ndarray],
    labels: Sequence[str],
    columns: int | None = None,
    gap: int = 16,
    title: str = "",
    font: str | None = None,
) -> np.ndarray:
    """All images in one, in reading order, a caption under each.

    images:  (h, w, 3) uint8 RGB, all of one size: enlarge first, then draw, then put together.
    labels:  one caption an image. columns: chosen by `sheet_columns` if not given. gap: pixels between images.
    title:   a line above everything. font: of all text, as in `FigureTexts`.
    Returns a new (H, W, 3) uint8 image. Raises ValueError if there is no image, sizes differ or labels are missing.
    """
    height, width = _common_size(images, labels)
    columns = min(len(images), columns or sheet_columns(len(images), width / height))
    total = columns * (width + gap) + gap
    size = fitting_size(list(labels), max(SMALLEST_TYPE, round(total / 62)), width, font=font)
    step = height + line_height(size) + gap
    title_size = fitting_size([title], round(1.15 * size), total - 2 * gap, font=font)
    top = gap + (line_height(title_size) + gap // 2 if title else 0)
    sheet = np.full((top + math.ceil(len(images) / columns) * step, total, 3), BACKGROUND, dtype=np.uint8)
    if title:
        write(sheet, title, gap, gap, title_size, INK, font)
    for index, (image, label) in enumerate(zip(images, labels, strict=True)):
        row, column = divmod(index, columns)
        y, x = top + row * step, gap + column * (width + gap)
        sheet[y : y + height, x : x + width] = image
        write(sheet, label, y + height + gap // 4, x, size, MUTED, font)
    return sheet


def _common_size(images: Sequence[np.ndarray], labels: Sequence[str]) -> tuple[int, int]:
    """(height, width) shared by all images."""
    if not len(images) or len(images) != len(labels):
        raise ValueError(f"need one label for each of at least one image, got {len(images)} and {len(labels)}")
    sizes = {image.shape[:2] for image in images}
    if len(sizes) > 1:
        raise ValueError(f"images must have one size, got {sorted(sizes)}")
    return sizes.pop()
