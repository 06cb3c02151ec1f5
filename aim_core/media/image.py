"""Image: read one picture upright, on white, in RGB."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from aim_core.media.errors import DAMAGED_PICTURE, MediaError
from aim_core.media.frames import Frames
from aim_core.media.limits import Limits
from aim_core.media.refuse import refuse_picture
from aim_core.media.resize import fitted_size, resize
from aim_core.media.sniff import PICTURES


def read_picture(path: Path, max_side: int, limits: Limits) -> Frames:
    """One frame, (1, H, W, 3), the longer side at most `max_side` pixels.

    The camera's rotation is applied, transparency lies on white, an animation gives its first frame.
    Raises MediaError if the picture has too many pixels or is damaged.
    """
    try:
        with Image.open(path, formats=PICTURES) as image:
            refuse_picture(*image.size, limits)
            image.draft("RGB", (2 * max_side, 2 * max_side))  # JPEG only: decodes at a half, a quarter or an eighth
            upright = ImageOps.exif_transpose(image)
    except (OSError, SyntaxError, ValueError, OverflowError) as error:
        if isinstance(error, MediaError):
            raise
        raise MediaError(DAMAGED_PICTURE) from error
    frame = resize(on_white(upright), fitted_size(*upright.size, max_side))
    return Frames(frame[None], np.zeros(1, dtype=np.float32), 0.0, "image")


def on_white(image: Image.Image) -> Image.Image:
    """The same picture in RGB, white wherever it is transparent."""
    if image.mode in ("I;16", "I;16B", "I;16L", "I"):  # 16-bit grey: a plain conversion would clip it to white
        grey = np.asarray(image).astype(np.uint32) >> 8
        return Image.fromarray(grey.clip(0, 255).astype(np.uint8)).convert("RGB")
    if not image.has_transparency_data:
        return image.convert("RGB")
    layers = image.convert("RGBA")
    white = Image.new("RGB", layers.size, "white")
    white.paste(layers, mask=layers.getchannel("A"))
    return white
