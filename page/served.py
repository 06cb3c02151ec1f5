"""Served: pictures of a run as files that Gradio serves, each written only once, since sliders rerun a video."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from gradio.data_classes import FileData
from gradio.processing_utils import save_img_array_to_cache


def served(picture: np.ndarray, folder: str) -> FileData:
    """A file in `folder` with this picture (H, W, 3) uint8."""
    key = (picture.tobytes(), picture.shape, folder)
    if not Path(_written(*key)).exists():
        _written.cache_clear()
    return FileData(path=_written(*key))


@lru_cache(maxsize=64)
def _written(pixels: bytes, shape: tuple[int, ...], folder: str) -> str:
    return save_img_array_to_cache(np.frombuffer(pixels, dtype=np.uint8).reshape(shape), folder)
