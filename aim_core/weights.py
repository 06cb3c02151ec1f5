"""Weights: which ones a folder holds, as a hash, so that numbers can say what they were measured on."""

from __future__ import annotations

import hashlib
from pathlib import Path

_PIECE = 16 << 20  # bytes read at once


def weights_hash(folder: Path) -> str:
    """SHA-256 in hex of the folder's *.safetensors files, one after the other by name. Raises ValueError for none."""
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise ValueError(f"a model's folder holds *.safetensors files, {folder} holds none")
    seen = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                seen.update(piece)
    return seen.hexdigest()
