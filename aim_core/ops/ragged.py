"""Ragged: rows of different lengths as one array, filled up at their ends."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def filled(parts: Sequence[np.ndarray], fill, dtype) -> np.ndarray:
    """(V, widest): one row for each part, filled up."""
    whole = np.full((len(parts), max(map(len, parts))), fill, dtype=dtype)
    for index, part in enumerate(parts):
        whole[index, : len(part)] = part
    return whole


def rounds_together(rounds: Sequence[Sequence[np.ndarray]], num_left: Sequence[int]) -> tuple[np.ndarray, ...]:
    """Rounds of each view as rounds of all; a view with fewer of them, `num_left` tokens, keeps its numbers."""
    most = max(map(len, rounds), default=0)
    longer = [[*own, *[np.arange(num)] * (most - len(own))] for own, num in zip(rounds, num_left, strict=False)]
    return tuple(filled(new, -1, np.int64) for new in zip(*longer, strict=True))
