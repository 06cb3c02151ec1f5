"""Lately: the last few things made, by key, so that the same is not made twice."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Hashable
from typing import Any

import numpy as np


class Lately:
    """At most `most` things; the one that was not asked for the longest goes first."""

    def __init__(self, most: int):
        self._most = most
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()

    def find(self, key: Hashable) -> Any:
        """What is kept under this key, or None."""
        if key in self._kept:
            self._kept.move_to_end(key)
        return self._kept.get(key)

    def keep(self, key: Hashable, value: Any) -> Any:
        self._kept[key] = value
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return value


def digest(*arrays: np.ndarray) -> str:
    """A name for these arrays' shapes and values."""
    sha = hashlib.sha256()
    for array in arrays:
        sha.update(repr((array.shape, array.dtype)).encode() + np.ascontiguousarray(array).tobytes())
    return sha.hexdigest()
