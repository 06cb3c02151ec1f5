"""Attention: what answer tokens attended to, as arrays of a saved run, read back with nothing in the file trusted."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from aim_core.token_attention import MOST, TokenAttention
from aim_core.trace import Trace
from page.exports.saved_run.rules import ALL_PATCHES, within

_TYPES = {"row": np.int32, "last": np.int16, "levels": np.uint8, "peaks": np.float32}
_HEADS = 1024


def arrays(attention: TokenAttention) -> dict[str, np.ndarray]:
    """By the names in the file; nothing of a run that recorded nothing."""
    found = attention.arrays() if attention.num_tokens else {}
    return {f"token_{name}": array for name, array in found.items()}


def read(data: Mapping[str, np.ndarray], side: str) -> TokenAttention:
    """Of one run; nothing where the file has none, as older files."""
    names = {field: f"{side}_token_{field}" for field in _TYPES}
    if not any(name in data for name in names.values()):
        return TokenAttention.none()
    return TokenAttention(**{field: data[name] for field, name in names.items()})


def fits(attention: TokenAttention, trace: Trace, num_tokens: int) -> bool:
    """Whether it is of an answer of so many tokens about the views of a trace, and within bounds."""
    if any(array.dtype != _TYPES[name] for name, array in attention.arrays().items()):
        return False
    row, last, levels, peaks = attention.arrays().values()
    if levels.shape == (0, 0, 0):
        return True
    if row.shape != trace.group.shape or last.ndim != 1 or levels.ndim != 3 or peaks.ndim != 3:
        return False
    if not (0 < len(last) <= ALL_PATCHES and within(last, -1, trace.num_layers - 1) and within(row, -1, len(last) - 1)):
        return False
    size = int((last.astype(np.int64) + 1).sum())  # rows that entered a layer, of all layers
    if peaks.shape != (*levels.shape[:2], trace.num_layers) or levels.shape[2] != size or levels.size > MOST:
        return False
    is_short = 0 < len(levels) <= num_tokens and 0 < levels.shape[1] <= _HEADS
    return is_short and (row[~trace.is_patch] == -1).all() and within(peaks, 0, 1 + 1e-3)
