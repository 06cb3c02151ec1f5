"""Served: pictures of a run as files that Gradio serves, each written only once, since sliders rerun a video."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from gradio.data_classes import FileData
from PIL import Image


def served(pictures: list[np.ndarray], folder: str) -> list[FileData]:
    """PNG files in `folder` with these pictures (H, W, 3) uint8, named by their content."""
    paths = [Path(folder) / _name(picture) / "frame.png" for picture in pictures]
    missing = {path: picture for path, picture in zip(paths, pictures, strict=True) if not path.exists()}
    if missing:
        with ThreadPoolExecutor(4) as pool:  # Pillow compresses outside the interpreter's lock
            list(pool.map(_write, missing, missing.values()))
    return [FileData(path=str(path)) for path in paths]


def _name(picture: np.ndarray) -> str:
    sha = hashlib.sha1(np.ascontiguousarray(picture), usedforsecurity=False)
    sha.update(repr(picture.shape).encode())
    return sha.hexdigest()


def _write(path: Path, picture: np.ndarray) -> None:
    """Whole or not at all: another visitor may ask for the same picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{id(picture)}.part")
    Image.fromarray(picture).save(part, "PNG", compress_level=1)
    part.replace(path)
