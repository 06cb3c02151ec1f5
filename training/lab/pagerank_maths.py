"""PageRank maths: a layer's attention as whole matrices, steps over it, where they lead, and kept sets compared."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from aim_core.ops.rank_correlation import average_ranks


def logits_of(query: Tensor, key: Tensor, scale: float, dtype: torch.dtype = torch.float64) -> Tensor:
    """(heads, n, n) float64, the attention's causal logits as they are computed in a precision; -inf in the future.

    query: (1, heads, n, head_dim) after rotary positions; key: (1, kv_heads, n, head_dim), likewise.
    dtype: that query and key are rounded to, and their products too.
    """
    key = key.repeat_interleave(query.shape[1] // key.shape[1], dim=1)
    logits = (query[0].to(dtype) @ key[0].to(dtype).mT * scale).double()
    return logits.masked_fill(torch.ones_like(logits, dtype=torch.bool).triu(1), -math.inf)


def transitions(logits: Tensor, temperature: float = 0.1) -> Tensor:
    """(heads, n, n) float64, M of each head: row i says where token i's mass goes."""
    return (logits / temperature).softmax(dim=-1)


def steps(matrix: Tensor, iterations: int, teleport: float = 0.0) -> Tensor:
    """(iterations + 1, heads, n), each head's ranks after every step, from 1/n each."""
    n = matrix.shape[-1]
    ranks = [matrix.new_full((len(matrix), 1, n), 1 / n)]
    for _ in range(iterations):
        ranks.append((1 - teleport) * ranks[-1] @ matrix + teleport / n)
    return torch.stack(ranks)[:, :, 0]


def stationary(matrix: Tensor, teleport: float) -> Tensor:
    """(heads, n), the ranks that no further step changes, by a linear system; teleport: in (0, 1].

    Without teleport there is nothing to solve: a row reaches no later one, so all mass ends on the first token.
    """
    n = matrix.shape[-1]
    kept = torch.eye(n, dtype=matrix.dtype) - (1 - teleport) * matrix.mT  # upper triangular
    return torch.linalg.solve_triangular(kept, matrix.new_full((len(matrix), n, 1), teleport / n), upper=True)[..., 0]


def slowest(matrix: Tensor) -> Tensor:
    """(heads,) the share that the slowest mode loses at each step without teleport.

    M is triangular, so its eigenvalues are what each token pays itself: 1 for the first, and the next largest decides.
    """
    return matrix.tril(-1).sum(-1)[:, 1:].amin(-1)


def rms(ranks: Tensor) -> Tensor:
    """(..., n) score: the root mean square over heads of (..., heads, n)."""
    return ranks.square().mean(-2).sqrt()


def pagerank_score(logits: Tensor, temperature: float = 0.1, iterations: int = 5, teleport: float = 0.0) -> Tensor:
    """(n,), as `aim_core.ops.pagerank.pagerank` gives it."""
    return rms(steps(transitions(logits, temperature), iterations, teleport)[-1])


def received_score(logits: Tensor) -> Tensor:
    """(n,), as `aim_core.methods.scorers.AttentionReceived` gives it."""
    total = logits.softmax(-1).mean(0).sum(0)
    return total / torch.arange(len(total), 0, -1)


def last_score(logits: Tensor) -> Tensor:
    """(n,), as `aim_core.methods.scorers.LastTokenAttention` gives it."""
    return logits[:, -1].softmax(-1).mean(0)


def kept(scores: np.ndarray, k: int) -> np.ndarray:
    """(n,) bool, the k highest of (n,) scores; of equal ones the first."""
    mask = np.zeros(len(scores), dtype=bool)
    mask[np.argsort(-scores, kind="stable")[:k]] = True
    return mask


def beyond_chance(one: np.ndarray, other: np.ndarray) -> float:
    """How far two sets of k among n agree, (n,) bool: 1 if they are the same, 0 as much as sets drawn by chance share,
    below 0 for less. Raises ValueError where chance says all: sets of different size, of none or of all."""
    n, k = len(one), int(one.sum())
    if k != other.sum() or not 0 < k < n:
        raise ValueError(f"need two sets of one size k with 0 < k < {n}, got {k} and {other.sum()}")
    return float(((one & other).sum() / k - k / n) / (1 - k / n))


def by_position(scores: np.ndarray) -> np.ndarray:
    """(videos, n): for each video and position its mean rank in the *other* videos' scores (videos, n)."""
    ranks = np.stack([average_ranks(own) for own in scores])
    return (ranks.sum(0) - ranks) / (len(ranks) - 1)
