"""Pictures: one of each kind that is read, as files."""

from __future__ import annotations

import io

import numpy as np
import pillow_heif
from PIL import Image

_KINDS = ("png", "jpeg", "webp", "bmp", "tiff", "avif", "heif")


def pictures(picture: np.ndarray) -> dict[str, bytes]:
    """Files of an (H, W, 3) uint8 picture by their names, and an animation of three."""
    pillow_heif.register_heif_opener()
    image = Image.fromarray(picture)
    found = {}
    for kind in _KINDS:
        file = io.BytesIO()
        image.save(file, kind)
        found[f"picture.{kind}"] = file.getvalue()
    for kind, ending in (("png", "png"), ("webp", "webp"), ("avif", "avif")):
        file = io.BytesIO()
        image.save(file, kind, save_all=True, append_images=[image.rotate(90), image.rotate(180)], duration=100)
        found[f"animation.{ending}"] = file.getvalue()
    return found
