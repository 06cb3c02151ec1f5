"""Text raster: a line of text as antialiased pixels, in a font that comes with matplotlib."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

DPI = 72  # one point is one pixel


@lru_cache(maxsize=512)
def text_mask(text: str, size: int, bold: bool = False) -> np.ndarray:
    """(h, w) float32 in [0, 1], how much ink each pixel has; read-only, because it is shared.

    size: height of the font in pixels. h depends on size alone, so that lines share one baseline.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # takes half a second: not when the page starts
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties

    font = FontProperties(family="DejaVu Sans", size=size, weight="bold" if bold else "normal")
    probe = FigureCanvasAgg(Figure(figsize=(1, 1), dpi=DPI)).get_renderer()
    width = probe.get_text_width_height_descent(text or " ", font, ismath=False)[0]
    height, base = line_height(size), round(0.3 * size)
    figure = Figure(figsize=((np.ceil(width) + 2) / DPI, height / DPI), dpi=DPI)
    canvas = FigureCanvasAgg(figure)
    figure.text(1 / (width + 2), base / height, text, fontproperties=font, color="black", parse_math=False)
    canvas.draw()
    mask = 1 - np.asarray(canvas.buffer_rgba())[..., 0].astype(np.float32) / 255
    mask.setflags(write=False)
    return mask


def line_height(size: int) -> int:
    """Pixels that one line of text of this size takes."""
    return round(1.35 * size)


def fitting_size(texts: list[str], size: int, width: int, smallest: int = 8) -> int:
    """The largest font size up to `size`, not below `smallest`, at which every text fits into `width` pixels."""
    widest = max((text_mask(text, size).shape[1] for text in texts), default=0)
    return size if widest <= width else max(smallest, int(size * width / widest))


def write(image: np.ndarray, text: str, top: int, left: int, size: int, colour, bold: bool = False) -> None:
    """Write one line of text into `image` (H, W, 3) uint8 in place, clipped at its rim."""
    mask = text_mask(text, size, bold)
    area = image[top : top + mask.shape[0], left : left + mask.shape[1]]
    ink = mask[: area.shape[0], : area.shape[1], None]
    area[:] = np.rint(area * (1 - ink) + np.asarray(colour, dtype=np.float32) * ink).astype(np.uint8)
