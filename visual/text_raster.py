"""Text raster: one line of text written into a picture by Pillow."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from visual.fonts import PLAIN


def line_height(size: int) -> int:
    """Pixels that one line of text of this size takes; size: height of the font in pixels."""
    return round(1.35 * size)


def line_width(text: str, size: int, font: str | None = None) -> int:
    """Pixels that one line takes across, one at either end included; font: as in `FigureTexts`."""
    return math.ceil(_font(size, font).getlength(text)) + 2


def fitting_size(texts: list[str], size: int, width: int, smallest: int = 8, font: str | None = None) -> int:
    """The largest font size up to `size`, not below `smallest`, at which every text fits into `width` pixels."""
    widest = max((line_width(text, size, font) for text in texts), default=0)
    return size if widest <= width else max(smallest, int(size * width / widest))


def write(
    image: np.ndarray,
    text: str,
    top: int,
    left: int,
    size: int,
    colour: tuple[int, int, int],
    font: str | None = None,
) -> None:
    """Write one line of text into `image` (H, W, 3) uint8 in place, clipped at its rim."""
    rows = image[top : top + line_height(size)]
    line = Image.fromarray(rows)
    base = line_height(size) - round(0.3 * size)
    ImageDraw.Draw(line).text((left + 1, base), text, fill=colour, font=_font(size, font), anchor="ls")
    rows[:] = line


@lru_cache(maxsize=64)
def _font(size: int, font: str | None) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(font or PLAIN, size)
