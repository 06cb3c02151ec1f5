"""ToMe's matching by plain loops, written from its paper."""

from __future__ import annotations

import math

import numpy as np

from tests.aim_core.methods.clip import Tokens, cosine


def slow_tome(keys: np.ndarray, ratio: float, per_round: int, equal_first: bool = False) -> Tokens:
    expected: Tokens = {}
    frames, n, _ = keys.shape
    for frame in range(frames):
        left = max(1, math.ceil(round(n * ratio, 9)))
        rows = [[i] for i in range(n)]  # patches of each token, the first is where it stands
        if equal_first:
            rows = with_equals(keys[frame], n - left)
        while len(rows) > left:
            means = [np.mean([keys[frame, i] for i in row], axis=0) for row in rows]
            a, b = range(0, len(rows), 2), range(1, len(rows), 2)
            best = {i: max(b, key=lambda j: cosine(means[i], means[j])) for i in a}
            order = sorted(a, key=lambda i: -cosine(means[i], means[best[i]]))
            going = order[: min(per_round, len(rows) // 2, len(rows) - left)]
            grown = {j: rows[j] + [patch for i in sorted(going) if best[i] == j for patch in rows[i]] for j in b}
            rows = [rows[i] for i in order if i not in going] + [grown[j] for j in b]
        for row in rows:
            expected[frame * n + row[0]] = {frame * n + i: 1 / len(row) for i in row}
    return expected


def with_equals(keys: np.ndarray, most: int) -> list[list[int]]:
    rows: list[list[int]] = []
    for i, key in enumerate(keys):
        like = [row for row in rows if np.abs(keys[row[0]] - key).max() < 1e-6]
        if like and i - len(rows) < most:
            like[0].append(i)
        else:
            rows.append([i])
    return rows
