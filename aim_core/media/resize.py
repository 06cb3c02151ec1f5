"""Resize: fit a picture in a square without enlarging it.

The same way for videos and pictures. FFmpeg's own scaler turns white into 253.
"""

from __future__ import annotations

import numpy as np
from PIL import Image


def fitted_size(width: int, height: int, max_side: int, pixel_aspect: float = 1.0) -> tuple[int, int]:
    """(width, height) to show a frame at, the longer side at most `max_side`.

    pixel_aspect: width of one stored pixel over its height, not 1 for anamorphic video; kept within 1/4 to 4.
    """
    wide = width * min(4.0, max(0.25, pixel_aspect))
    scale = min(1.0, max_side / max(wide, height))
    return max(1, round(wide * scale)), max(1, round(height * scale))


def resize(image: Image.Image, size: tuple[int, int]) -> np.ndarray:
    """(H, W, 3) uint8 of an RGB picture at `size`, which is (W, H)."""
    if image.size != size:
        image = image.resize(size, Image.Resampling.BICUBIC, reducing_gap=3.0)
    return np.array(image)
