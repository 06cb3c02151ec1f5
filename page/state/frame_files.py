"""Frame files: the views of a run as PNG files that Gradio serves, named by content, so that none is written twice."""

from __future__ import annotations

import hashlib
import os
import uuid
import weakref
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Lock

import numpy as np
from cachetools import LRUCache
from gradio.data_classes import FileData
from PIL import Image

_names: LRUCache[tuple, tuple[weakref.ref, str]] = LRUCache(512)  # of pictures, by where their pixels lie
_lock = Lock()


def write_frames(pictures: list[np.ndarray], folder: str) -> list[FileData]:
    """PNG files in `folder` with these pictures (H, W, 3) uint8, named by their content."""
    paths = [Path(folder) / _name(picture) / "frame.png" for picture in pictures]
    missing = {path: picture for path, picture in zip(paths, pictures, strict=True) if not _touched(path)}
    if missing:
        with ThreadPoolExecutor(4) as pool:  # Pillow compresses outside the interpreter's lock
            list(pool.map(_write, missing, missing.values()))
    return [FileData(path=str(path)) for path in paths]


def _touched(path: Path) -> bool:
    """Whether it is there; then it is as new, so that it is not swept."""
    with suppress(OSError):
        os.utime(path)
        return True
    return False


def _name(picture: np.ndarray) -> str:
    """A name by content; that of a part of an array that is still alive is remembered, since reading all pixels takes
    longer than the rest of a rerun."""
    whole = picture.base if isinstance(picture.base, np.ndarray) else picture
    key = (picture.ctypes.data, picture.shape, picture.strides)
    with _lock:
        known = _names.get(key)
    if known is None or known[0]() is not whole:
        known = weakref.ref(whole), _digest(picture)
        with _lock:
            _names[key] = known
    return known[1]


def _digest(picture: np.ndarray) -> str:
    sha = hashlib.sha1(np.ascontiguousarray(picture).data, usedforsecurity=False)
    sha.update(repr(picture.shape).encode())
    return sha.hexdigest()


def _write(path: Path, picture: np.ndarray) -> None:
    """Whole or not at all: another visitor may ask for the same picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{uuid.uuid4().hex}.part")  # two may write the very same array
    Image.fromarray(picture).save(part, "PNG", compress_level=1)
    part.replace(path)
