"""PageRank of every token over one layer's causal attention, in one sweep that never holds n x n."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor

_FEWEST, _MOST = 64, 192  # rows of M held at once on a CPU: enough for a matrix product, few enough for its caches
_CPU_FLOATS = 2**19
_GPU_BYTES = 2**30
# All mass at once, instead of 1: a power of two changes no digits, but products of small ranks and small entries of M
# stay clear of the subnormal floats, which a CPU multiplies ten times slower and more.
_MASS = 2.0**120
_MOST_GAIN = 1e30  # a position's; scores are at most 1, so that a float32 holds both and their product
_SQUARABLE = 2.0**-64  # brings ranks down to where their squares are neither infinite nor 0


def pagerank(
    query: Tensor, key: Tensor, scale: float, temperature: float = 0.1, iterations: int = 5, teleport: float = 0.0
) -> Tensor:
    """Score of each token: the root mean square over heads of its PageRank (arXiv 2412.03248, section 3).

    Takes what `pagerank_heads` takes, raises what it raises. Returns (b, n) float32, non-negative.
    """
    return _score(_scaled_ranks(query, key, scale, temperature, iterations, teleport)[-1])


def pagerank_iterations(
    query: Tensor, key: Tensor, scale: float, temperature: float = 0.1, iterations: int = 5, teleport: float = 0.0
) -> tuple[Tensor, Tensor]:
    """What `pagerank` returns, and every head's PageRank after 0, 1, ... iterations steps.

    The second is (b, heads, iterations + 1, n), a distribution over n in each step; its last is `pagerank_heads`.
    """
    ranks = _scaled_ranks(query, key, scale, temperature, iterations, teleport)
    return _score(ranks[-1]), (ranks / _MASS).movedim(0, 2)


def causal_correction(scores: Tensor) -> Tensor:
    """(B, N) scores, each divided by the number of rows that can see the token: earlier ones gather more votes."""
    return scores / torch.arange(scores.shape[-1], 0, -1, device=scores.device)


def uniform_pagerank(n: int, iterations: int = 5, teleport: float = 0.0) -> Tensor:
    """(n,) float64, PageRank where every row attends to all that it can see alike: what position alone gives a token.

    Row i of M is 1 / (i + 1) up to column i, so a step is a sum over all later rows. Without teleport, after t steps of
    a long sequence, the token behind a share u of it has log(1 / u)^t / t! times the mean.
    Raises ValueError for numbers that are out of range.
    """
    if n < 1:
        raise ValueError(f"n must be at least 1, got {n}")
    _check_numbers(1.0, iterations, teleport)
    visible = torch.arange(1, n + 1, dtype=torch.float64)
    ranks = torch.full((n,), 1 / n, dtype=torch.float64)
    for _ in range(iterations):
        ranks = (1 - teleport) * (ranks / visible).flip(0).cumsum(0).flip(0) + teleport / n
    return ranks


def uniform_correction(scores: Tensor, iterations: int = 5, teleport: float = 0.0) -> Tensor:
    """(B, N) scores of PageRank after these steps, each over what `uniform_pagerank` gives its position, times 1/N."""
    n = scores.shape[-1]
    gain = (1 / (n * uniform_pagerank(n, iterations, teleport))).clamp_max(_MOST_GAIN)
    return scores * gain.to(scores)


def pagerank_heads(
    query: Tensor, key: Tensor, scale: float, temperature: float = 0.1, iterations: int = 5, teleport: float = 0.0
) -> Tensor:
    """PageRank of the tokens in each head, a distribution over n; not differentiable.

    query: (b, heads, n, head_dim) after rotary positions; key: (b, kv_heads, n, head_dim), likewise.
        With grouped queries, head h reads key head h // (heads // kv_heads).
    scale: what attention multiplies q·k by, usually head_dim ** -0.5.

    M = softmax(q·kᵀ · scale / temperature), causal; p starts at 1/n and takes `iterations` steps
    p ← (1 - teleport) · p·M + teleport / n. Returns (b, heads, n), float32 (float64 for float64 queries).
    What a row's softmax would make smaller than a normal float (2e-38 in float32) of its largest entry counts as that.
    Memory: a block of 64 to 192 rows of M for all heads, 4·b·heads·64·n bytes for long sequences in float32.
    Raises ValueError for shapes that do not fit together or numbers that are out of range.
    """
    return _scaled_ranks(query, key, scale, temperature, iterations, teleport)[-1] / _MASS


def _score(ranks: Tensor) -> Tensor:
    """(b, n) float32, the root mean square over heads of scaled ranks (b, heads, n), scaled back."""
    return ((ranks * _SQUARABLE).square().mean(dim=1).sqrt() / (_MASS * _SQUARABLE)).float()


@torch.no_grad()
def _scaled_ranks(
    query: Tensor, key: Tensor, scale: float, temperature: float, iterations: int, teleport: float
) -> Tensor:
    """What `pagerank_heads` returns, times _MASS, after every step: (iterations + 1, b, heads, n).

    Row i of M reaches columns up to i only, so after any step the rank of token i depends on rows from i on.
    One sweep from the last rows to the first can therefore take all steps while it holds a block of rows.
    """
    _check_shapes(query, key)
    _check_numbers(temperature, iterations, teleport)
    batch, heads, n, _ = query.shape
    dtype = torch.promote_types(query.dtype, torch.float32)
    columns = (key.to(dtype) * (scale / temperature)).flatten(0, 1).mT  # (b * kv_heads, head_dim, n)
    # ranks[t] is p after t steps, complete from the current block on
    ranks = columns.new_full((iterations + 1, batch * heads, 1, n), teleport * _MASS / n)
    ranks[0] = _MASS / n
    size = _rows_at_once(batch * heads, n, query.device)
    buffer = columns.new_empty(batch * heads * size * n)  # the same memory for every block: it stays in the cache
    for start in reversed(range(0, n, size)):
        rows = slice(start, start + size)
        weights, over_sums = _weights(query[:, :, rows], columns[:, :, : rows.stop], buffer)
        _propagate(ranks, rows, weights, over_sums, 1 - teleport)
    return ranks.view(iterations + 1, batch, heads, n)


def _weights(query: Tensor, key: Tensor, buffer: Tensor) -> tuple[Tensor, Tensor]:
    """Rows of M times their sums, and one over those sums: (b * heads, rows, end) and (b * heads, 1, rows).

    query: (b, heads, rows, head_dim), the last rows of the `end` that key has; key: (b * kv_heads, head_dim, end);
    buffer: where the result is put, one axis of enough floats.
    """
    rows, end = query.shape[2], key.shape[2]
    groups = query.to(key.dtype).reshape(len(key), -1, query.shape[3])  # (b * kv_heads, group * rows, head_dim)
    logits = buffer[: len(key) * groups.shape[1] * end].view(len(key), -1, end)
    logits = torch.bmm(groups, key, out=logits).view(-1, rows, end)
    own = logits[..., end - rows :]  # the block's own columns, where the future is
    own += own.new_full((rows, rows), -math.inf).triu_(1)
    logits -= logits.amax(dim=-1, keepdim=True)
    # exp of -inf, or to a subnormal, costs a CPU twenty times the exp to a normal float: so the future is zeroed after
    weights = logits.clamp_min_(math.log(torch.finfo(logits.dtype).tiny) + 0.5).exp_()
    own.tril_()
    return weights, weights.sum(dim=-1, keepdim=True).reciprocal_().mT


def _propagate(ranks: Tensor, rows: slice, weights: Tensor, over_sums: Tensor, damping: float) -> None:
    """Add to `ranks` (steps + 1, b * heads, 1, n) what `rows` pass on in every step: step by step inside the block,
    where rows reach each other, and in one product to the columns before it."""
    own = weights[..., rows.start :]
    here = ranks[..., rows].unbind()  # (b * heads, 1, rows) after each step
    flows = []
    for before, after in pairwise(here):
        flows.append(before * over_sums)
        after.add_(torch.bmm(flows[-1], own), alpha=damping)
    if rows.start:
        flow = F.threshold(
            torch.cat(flows, dim=1), 1.0, 0.0, inplace=True
        )  # (b * heads, steps, rows); 1 is 1e-36 of all mass
        gain = torch.bmm(flow, weights[..., : rows.start])
        ranks[1:, :, 0, : rows.start].add_(gain.transpose(0, 1), alpha=damping)


def _rows_at_once(heads: int, n: int, device: torch.device) -> int:
    """Rows of M to hold for all `heads`, in multiples of 64: what caches hold, on a GPU what its memory holds."""
    if device.type == "cuda":
        free = torch.cuda.mem_get_info(device)[0]
        idle = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)  # torch's own, for reuse
        rows = min(_GPU_BYTES, (free + idle) // 4) // (4 * heads * n)
    else:
        rows = min(_MOST, _CPU_FLOATS // (heads * n))
    return min(n, max(_FEWEST, rows // _FEWEST * _FEWEST))


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
