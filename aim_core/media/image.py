"""Image: read one picture upright, on white, in RGB."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from aim_core.media.errors import DAMAGED_PICTURE, HEAVY_PICTURE, NO_HEIC, MediaError
from aim_core.media.frames import Frames
from aim_core.media.limits import Limits
from aim_core.media.refuse import refuse_picture
from aim_core.media.resize import fitted_size, resize
from aim_core.media.sniff import ANIMATED_WEBP, HEAD_BYTES, sniff

_MOST_SCANS = 20  # of the largest picture; a progressive JPEG that Pillow writes has 10


def read_picture(path: Path, max_side: int, limits: Limits) -> Frames:
    """One frame, (1, H, W, 3), the longer side at most `max_side` pixels.

    The camera's rotation is applied, transparency lies on white, of several pages it is the first.
    Raises MediaError if the picture has too many pixels or is damaged.
    """
    try:
        with open_picture(path) as image:
            refuse_picture(*image.size, limits)
            _refuse_scans(path, image, limits)
            image.draft("RGB", (2 * max_side, 2 * max_side))  # JPEG only: decodes at a half, a quarter or an eighth
            upright = ImageOps.exif_transpose(image)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        refuse_picture(1 << 16, 1 << 16, limits)
    except (OSError, SyntaxError, ValueError, OverflowError) as error:
        if isinstance(error, MediaError):
            raise
        raise MediaError(DAMAGED_PICTURE) from error
    frame = resize(on_white(upright), fitted_size(*upright.size, max_side))
    return Frames(frame[None], np.zeros(1, dtype=np.float32), 0.0, "image", "pictures")


def open_picture(path: Path) -> Image.Image:
    """Open a file as the kind that its first bytes say or not at all. Raises what Pillow does."""
    with open(path, "rb") as file:
        kind = sniff(file.read(HEAD_BYTES))
    if kind == "heif":
        try:
            import pillow_heif  # here, as it is large and only phones write such files
        except ImportError as error:
            raise MediaError(NO_HEIC) from error
        pillow_heif.register_heif_opener(thumbnails=False)
    return Image.open(path, formats=["webp" if kind == ANIMATED_WEBP else kind])


def _refuse_scans(path: Path, image: Image.Image, limits: Limits) -> None:
    """Raise MediaError about a JPEG that repeats its pixels in thousands of layers."""
    if image.format == "JPEG":
        scans = path.read_bytes().count(b"\xff\xda")
        if scans * image.width * image.height > _MOST_SCANS * limits.picture_pixels:
            raise MediaError(HEAVY_PICTURE)


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
