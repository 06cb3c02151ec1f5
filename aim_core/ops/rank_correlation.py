"""Rank correlation: how far one order explains another, such as the position of tokens the order of their scores."""

from __future__ import annotations

import numpy as np


def average_ranks(values: np.ndarray) -> np.ndarray:
    """(n,) float64, the place of each of n values from the lowest, 1; equal ones share their mean place."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2)[place]


def spearman(one: np.ndarray, other: np.ndarray) -> float | None:
    """Spearman's rank correlation in [-1, 1] of two arrays (n,): Pearson's correlation of their average ranks.

    None where one of them has the same value everywhere, so that it has no order.
    Raises ValueError for arrays of different shapes, more than one axis, or a value that is not a number.
    """
    if one.ndim != 1 or one.shape != other.shape or np.isnan(one).any() or np.isnan(other).any():
        raise ValueError(f"give two arrays (n,) of numbers, got {one.shape} and {other.shape}")
    ranks = [average_ranks(values) for values in (one, other)]
    first, second = (rank - rank.mean() if len(rank) else rank for rank in ranks)
    spread = float(np.sqrt((first**2).sum() * (second**2).sum()))
    return float((first * second).sum() / spread) if spread else None
