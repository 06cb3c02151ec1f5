"""Simple scorers, for comparisons at equal counts: attention received, the last token's attention, chance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from aim_core.methods.counts import where_needed

_BLOCK = 256  # rows of attention computed at a time


@dataclass(frozen=True)
class AttentionReceived:
    """The mean attention a token gets from the rows that can see it, itself included, and from all heads.

    As FastV's paper describes its score (arXiv 2403.06764, section 4.1). Under a causal mask a token is seen by
    the rows from its own on; a plain sum would put early tokens first for that alone.
    """

    def __call__(self, query: Tensor, key: Tensor, scale: float) -> Tensor:
        n = query.shape[2]
        total = torch.zeros(1, n, device=query.device, dtype=_wide(query))
        for start in range(0, n, _BLOCK):
            rows = torch.arange(start, min(n, start + _BLOCK), device=query.device)
            attention = causal_attention(query[:, :, rows], key, scale, rows)  # (1, heads, rows, n)
            total += attention.mean(dim=1).sum(dim=1)
        return total / torch.arange(n, 0, -1, device=query.device)

    def layers(self, counts: Sequence[int]) -> frozenset[int]:
        return where_needed(counts)


@dataclass(frozen=True)
class LastTokenAttention:
    """The attention the last token pays, mean over heads (what FastV's released code scores by)."""

    def __call__(self, query: Tensor, key: Tensor, scale: float) -> Tensor:
        last = torch.tensor([query.shape[2] - 1], device=query.device)
        return causal_attention(query[:, :, -1:], key, scale, last).mean(dim=1)[:, 0]

    def layers(self, counts: Sequence[int]) -> frozenset[int]:
        return where_needed(counts)


@dataclass(frozen=True)
class NextLayerAttention(LastTokenAttention):
    """The same by the query and key of the layer that is about to run (PyramidDrop, arXiv 2410.17247, section 3.2)."""

    looks_ahead: bool = True


@dataclass(frozen=True)
class RandomScorer:
    """Chance, the same at every run with the same seed."""

    seed: int = 0

    def __call__(self, query: Tensor, key: Tensor, scale: float) -> Tensor:
        draw = torch.Generator().manual_seed(self.seed)
        return torch.rand(1, query.shape[2], generator=draw).to(query.device)

    def layers(self, counts: Sequence[int]) -> frozenset[int]:
        return where_needed(counts)


OTHERS = (AttentionReceived(), LastTokenAttention())  # that a run may be scored by beside its own scorer


def causal_attention(query: Tensor, key: Tensor, scale: float, rows: Tensor) -> Tensor:
    """Attention (1, heads, r, n) of the rows numbered `rows`, (r,): query (1, heads, r, d), key (1, kv_heads, n, d)."""
    wide, n = _wide(query), key.shape[2]
    key = key.repeat_interleave(query.shape[1] // key.shape[1], dim=1)
    logits = query.to(wide) @ key.to(wide).mT * scale
    future = torch.arange(n, device=query.device)[None, :] > rows[:, None]
    return logits.masked_fill(future, -math.inf).softmax(dim=-1)


def _wide(x: Tensor) -> torch.dtype:
    return torch.promote_types(x.dtype, torch.float32)
