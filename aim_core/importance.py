"""Importance: PageRank of every token over one layer's causal attention, without ever holding heads x n x n."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

_BLOCK = 256  # rows of attention computed at a time
_GPU_FLOATS = 2**26  # attention kept at once on a GPU, where single heads are too small to keep it busy
# All mass at once, instead of 1: a power of two changes no digits, but products of small scores and their squares
# stay clear of the subnormal floats, which a CPU multiplies ten times slower and which squaring turns to 0.
_MASS = 2.0**56


def pagerank(
    query: Tensor, key: Tensor, scale: float, temperature: float = 0.1, iterations: int = 5, teleport: float = 0.0
) -> Tensor:
    """Score of each token: the root mean square over heads of its PageRank (arXiv 2412.03248, section 3).

    Takes what `pagerank_heads` takes, raises what it raises. Returns (b, n) float32, non-negative.
    """
    ranks = _scaled_ranks(query, key, scale, temperature, iterations, teleport)  # (b, heads, n)
    return (ranks.square().mean(dim=1).sqrt() / _MASS).float()


def pagerank_heads(
    query: Tensor, key: Tensor, scale: float, temperature: float = 0.1, iterations: int = 5, teleport: float = 0.0
) -> Tensor:
    """PageRank of the tokens in each head, a distribution over n; not differentiable.

    query: (b, heads, n, head_dim) after rotary positions; key: (b, kv_heads, n, head_dim), likewise.
        With grouped queries, head h reads key head h // (heads // kv_heads).
    scale: what attention multiplies q·k by, usually head_dim ** -0.5.

    M = softmax(q·kᵀ · scale / temperature), causal; p starts at 1/n and takes `iterations` steps
    p ← (1 - teleport) · p·M + teleport / n. Returns (b, heads, n), float32 (float64 for float64 queries).
    Entries of M too small for a normal float (about 1e-35 in float32) count as 0.
    Memory: n²/2 floats for each sample, one head at a time on a CPU.
    Raises ValueError for shapes that do not fit together or numbers that are out of range.
    """
    return _scaled_ranks(query, key, scale, temperature, iterations, teleport) / _MASS


@torch.no_grad()
def _scaled_ranks(
    query: Tensor, key: Tensor, scale: float, temperature: float, iterations: int, teleport: float
) -> Tensor:
    """What `pagerank_heads` returns, times _MASS."""
    _check_shapes(query, key)
    _check_numbers(temperature, iterations, teleport)
    batch, heads, n, _ = query.shape
    dtype = torch.promote_types(query.dtype, torch.float32)
    kv_heads = torch.arange(heads, device=key.device) // (heads // key.shape[1])
    at_once = 1 if query.device.type == "cpu" else max(1, 2 * _GPU_FLOATS // (batch * n * n))
    scores = []
    for q, kv in zip(query.split(at_once, dim=1), kv_heads.split(at_once), strict=True):
        k = key[:, kv].to(dtype)  # (b, g, n, head_dim)
        blocks = _causal_blocks(q.to(dtype) * (scale / temperature), k)
        scores.append(_walk(blocks, n, iterations, teleport))
    return torch.cat(scores, dim=1)


def _causal_blocks(query: Tensor, key: Tensor) -> list[Tensor]:
    """Rows of M in blocks of (b, g, rows, end): the columns after a block's last row are zero and not stored.

    query: (b, g, n, head_dim), already scaled; key: the same shape.
    """
    n = query.shape[2]
    future = torch.ones(_BLOCK, _BLOCK, dtype=torch.bool, device=query.device).triu(1)
    # e to this is a normal float, with e^7 to spare for the division by a row's sum
    lowest = math.log(torch.finfo(query.dtype).tiny) + 7
    blocks = []
    for start in range(0, n, _BLOCK):
        end = min(start + _BLOCK, n)
        logits = query[:, :, start:end] @ key[:, :, :end].mT  # (b, g, rows, end)
        logits[..., start:].masked_fill_(future[: end - start, : end - start], -math.inf)
        logits -= logits.amax(dim=-1, keepdim=True)
        blocks.append(F.softmax(F.threshold_(logits, lowest, -math.inf), dim=-1))
    return blocks


def _walk(blocks: list[Tensor], n: int, iterations: int, teleport: float) -> Tensor:
    """PageRank over the rows of M held in `blocks`, from a uniform start: (b, g, n), summing to _MASS."""
    start = _MASS / n
    # A step from the uniform start is M's column sums times it: no product needed.
    flow = _add_up(blocks, [block.sum(dim=2) * start for block in blocks], n)
    rank = (1 - teleport) * flow + teleport * start
    for _ in range(iterations - 1):
        parts = rank[:, :, None].split(_BLOCK, dim=-1)  # (b, g, 1, rows) each
        flow = _add_up(blocks, [(p @ block)[:, :, 0] for p, block in zip(parts, blocks, strict=True)], n)
        rank = (1 - teleport) * flow + teleport * start
    return rank


def _add_up(blocks: list[Tensor], parts: list[Tensor], n: int) -> Tensor:
    """Sum of the (b, g, end) `parts`, each covering the first `end` of n columns."""
    total = blocks[0].new_zeros((*blocks[0].shape[:2], n))
    for part in parts:
        total[..., : part.shape[-1]] += part
    return total


def _check_shapes(query: Tensor, key: Tensor) -> None:
    shapes = f"got query {tuple(query.shape)} and key {tuple(key.shape)}"
    if query.ndim != 4 or key.ndim != 4 or 0 in query.shape or 0 in key.shape:
        raise ValueError(f"query and key must be (b, heads, n, head_dim) with no empty axis, {shapes}")
    if query.shape[0] != key.shape[0] or query.shape[2:] != key.shape[2:]:
        raise ValueError(f"query and key must agree in all but heads, {shapes}")
    if query.shape[1] % key.shape[1]:
        raise ValueError(f"the number of query heads must be a multiple of the key heads, {shapes}")


def _check_numbers(temperature: float, iterations: int, teleport: float) -> None:
    if not 0 < temperature < math.inf:
        raise ValueError(f"temperature must be positive and finite, got {temperature}")
    if iterations < 1:
        raise ValueError(f"iterations must be at least 1, got {iterations}")
    if not 0 <= teleport < 1:
        raise ValueError(f"teleport must be in [0, 1), got {teleport}")
