"""Packing: arrays as base64 text for JSON, which run.js unpacks."""

from __future__ import annotations

import base64

import numpy as np

MOST = 65535  # of uint16


def packed(array: np.ndarray, dtype: str) -> str:
    """The bytes of an array, little-endian as `dtype` says and in C order, as base64."""
    return base64.b64encode(np.ascontiguousarray(array, dtype=dtype).tobytes()).decode("ascii")


def packed_log(scores: np.ndarray) -> dict:
    """Non-negative numbers in two bytes each: 0 for 0, else 1 + 65534 · (log2 - low) / (high - low).

    Relative error below 2 ** ((high - low) / 131068) - 1: 0.07 % where the largest is 2**127 times the smallest.
    """
    logs = np.log2(scores, out=np.full(scores.shape, np.nan, dtype=np.float32), where=scores > 0)
    low, high = (float(np.nanmin(logs)), float(np.nanmax(logs))) if (scores > 0).any() else (0.0, 0.0)
    levels = np.nan_to_num((logs - low) * ((MOST - 1) / max(high - low, 1e-9)) + 1)
    return {"low": low, "high": high, "data": packed(np.rint(levels).clip(0, MOST), "<u2")}
