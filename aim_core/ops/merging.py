"""Merging: average similar visual tokens of a frame before the language model, and remember which went where."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Merged:
    """The tokens of every frame after merging.

    tokens: (frames, k, d), in the dtype of the input; rows are not in raster order.
    group:  (frames, n) int64 in [0, k): the row of `tokens` that each original token ended in.
    place:  (frames, k) int64 in [0, n): the original token that the others of its group were merged into.
    weight: (frames, n) float, the share of each original token in its merged one; a group's sum is 1.
    rounds: for each round (frames, n_r) int64, the number that each token before it has after it; n_0 = n. After
            the last, numbers are rows as `merge_tokens` gives them. Empty where nothing was merged.
    similarity: (frames, n), see `similarity_to_merged`, where somebody wrote it down.
    """

    tokens: Tensor
    group: Tensor
    place: Tensor
    weight: Tensor
    rounds: tuple[Tensor, ...] = ()
    similarity: Tensor | None = None

    def apply(self, other: Tensor) -> Tensor:
        """Other features (frames, n, m) of the same tokens, merged in the same way: (frames, k, m)."""
        member = F.one_hot(self.group, self.place.shape[1]).to(self.weight.dtype) * self.weight[..., None]
        return (member.mT @ other.to(self.weight.dtype)).to(other.dtype)

    def each(self) -> list[Merged]:
        """The frames one by one, each still with an axis of one frame."""
        return [self._one(slice(frame, frame + 1)) for frame in range(len(self.tokens))]

    def _one(self, own: slice) -> Merged:
        rounds = tuple(new[own] for new in self.rounds)
        similarity = None if self.similarity is None else self.similarity[own]
        return Merged(self.tokens[own], self.group[own], self.place[own], self.weight[own], rounds, similarity)


def num_kept(num_tokens: int, keep_ratio: float) -> int:
    """Tokens left of `num_tokens` at `keep_ratio`: rounded up, at least 1.

    Rounded to 1e-9 first: 0.07 * 100 is 7.000000000000001 in floating point and must give 7.
    """
    if not 0 < keep_ratio <= 1:
        raise ValueError(f"keep_ratio must be in (0, 1], got {keep_ratio}")
    return max(1, math.ceil(round(num_tokens * keep_ratio, 9)))


def merge_round(tokens: Tensor, num_removed: int, metric: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """One round of bipartite matching inside every frame (arXiv 2412.03248, section 3).

    tokens:      (frames, n, d) float32 or float64.
    num_removed: how many tokens each frame loses, at most n // 2.
    metric:      (frames, n, m), what similarity is measured on, if not the tokens.

    Even rows (A) each pick the most similar odd row (B) by cosine; along the `num_removed` strongest
    links, B becomes the plain mean of itself and of the A tokens that joined it.
    Returns the tokens left, (frames, n - num_removed, d): first the A tokens that joined nobody, in
    order of falling similarity, then every B; and (frames, n) int64, the new row of each old one.
    """
    if not 0 <= num_removed <= tokens.shape[1] // 2:
        raise ValueError(f"num_removed must be in [0, {tokens.shape[1] // 2}], got {num_removed}")
    if num_removed == 0:
        return tokens, _identity(tokens)
    on = (tokens if metric is None else metric).detach()  # who joins whom is a choice and has no gradient
    strength, partner = _similarity(on).max(dim=-1)  # (frames, num_a)
    staying = strength.argsort(dim=-1, descending=True, stable=True)[:, num_removed:]
    b = _mean_with_joining(tokens, partner, staying)
    left = torch.cat([_rows(tokens, 2 * staying), b], dim=1) if staying.shape[1] else b
    return left, _new_of_old(partner, staying, b.shape[1])


def merge_tokens(tokens: Tensor, keep_ratio: float, metric: Tensor | None = None) -> Merged:
    """Merge each frame's n tokens into k = ceil(n * keep_ratio), in rounds that remove at most half.

    tokens: (frames, n, d), any floating dtype.
    metric: (frames, n, m), what similarity is measured on, if not the tokens; it is merged along.

    Similarity and means are taken in float32 (float64 for float64 input), since half precision changes
    pairs. With k = n, `tokens` itself is returned.
    The mean of a later round is not weighted by group size, as in the paper's released method. Gradients go through
    the means; who is merged with whom is a choice and has none.
    Raises ValueError for another rank, an empty axis, a dtype that is not floating, a ratio outside (0, 1],
    or a metric of another shape.
    """
    if tokens.ndim != 3 or 0 in tokens.shape:
        raise ValueError(f"tokens must be (frames, n, d) with no empty axis, got shape {tuple(tokens.shape)}")
    if not tokens.is_floating_point():
        raise ValueError(f"tokens must be floating point, got {tokens.dtype}")
    if metric is not None and metric.shape[:2] != tokens.shape[:2]:
        raise ValueError(
            f"metric must be (frames, n, m) as tokens, got {tuple(metric.shape)} and {tuple(tokens.shape)}"
        )
    k = num_kept(tokens.shape[1], keep_ratio)
    wide = torch.promote_types(tokens.dtype, torch.float32)
    owner = place = _identity(tokens)  # (frames, n)
    weight = torch.ones(owner.shape, dtype=wide, device=tokens.device)
    if k == tokens.shape[1]:
        return Merged(tokens, owner, place, weight)
    current = tokens.to(wide) if metric is None else torch.cat([tokens.to(wide), metric.to(wide)], dim=-1)
    width, rounds = tokens.shape[-1], []
    while (size := current.shape[1]) > k:
        on = current[..., width:] if metric is not None else None
        current, new_of_old = merge_round(current, min(size // 2, size - k), on)
        rounds.append(new_of_old)
        place = place.gather(1, _destination(new_of_old, current.shape[1]))
        count = torch.zeros_like(current[..., 0]).scatter_add_(1, new_of_old, torch.ones_like(new_of_old, dtype=wide))
        owner = new_of_old.gather(1, owner)
        weight = weight / count.gather(1, owner)
    return Merged(current[..., :width].to(tokens.dtype), owner, place, weight, tuple(rounds))


@torch.no_grad()
def similarity_to_merged(tokens: Tensor, merged: Tensor, group: Tensor) -> Tensor:
    """(frames, n), cosine of each token with the merged one that it ended in.

    tokens: (frames, n, d); merged: (frames, k, d); group: (frames, n) int64, as in `Merged`.
    Taken in float32 (float64 for float64 input); 0 for a row of zeros.
    """
    wide = torch.promote_types(tokens.dtype, torch.float32)
    ends = _rows(F.normalize(merged.to(wide), dim=-1), group)
    return (F.normalize(tokens.to(wide), dim=-1) * ends).sum(dim=-1).clamp_(-1, 1)


def _destination(new_of_old: Tensor, num_new: int) -> Tensor:
    """(frames, num_new) int64: of the old tokens in each new row, the odd one, which the even ones joined."""
    old = _identity(new_of_old)
    found = new_of_old.new_empty((len(new_of_old), num_new))
    for first in (0, 1):
        found.scatter_(1, new_of_old[:, first::2], old[:, first::2])
    return found


def _identity(tokens: Tensor) -> Tensor:
    """(frames, n) int64, every token its own row."""
    return torch.arange(tokens.shape[1], device=tokens.device).repeat(len(tokens), 1)


def _similarity(features: Tensor) -> Tensor:
    """(frames, num_a, num_b): cosine of every even row of each frame with every odd row; 0 for a row of zeros."""
    length = torch.linalg.vector_norm(features, dim=-1).clamp_min(1e-12)
    products = torch.bmm(features[:, ::2], features[:, 1::2].mT)
    return products.div_(length[:, ::2, None]).div_(length[:, None, 1::2])


def _rows(x: Tensor, index: Tensor) -> Tensor:
    """x: (frames, n, d), index: (frames, m) → (frames, m, d)."""
    first = torch.arange(0, x.shape[0] * x.shape[1], x.shape[1], device=x.device)
    return x.flatten(0, 1).index_select(0, (first[:, None] + index).flatten()).unflatten(0, index.shape)


def _mean_with_joining(tokens: Tensor, partner: Tensor, staying: Tensor) -> Tensor:
    """(frames, num_b, d): mean of each odd row of `tokens` and the even rows, `staying` ones aside, it is partner of.

    A matrix product rather than a scatter: a scatter adds in an arbitrary order on a GPU.
    """
    a, b = tokens[:, ::2], tokens[:, 1::2]
    member = tokens.new_zeros(b.shape[0], a.shape[1], b.shape[1]).scatter_(2, partner[..., None], 1)
    member.scatter_(1, staying[..., None].expand(-1, -1, b.shape[1]), 0)
    return torch.baddbmm(b, member.mT, a).div_(1 + member.sum(dim=1)[..., None])


def _new_of_old(partner: Tensor, staying: Tensor, num_b: int) -> Tensor:
    """(frames, num_a + num_b) int64: the new row of each old token, interleaved as A, B, A, B, ..."""
    frames, num_a = partner.shape
    num_staying = staying.shape[1]
    places = torch.arange(num_staying + num_b, device=partner.device).repeat(frames, 1)
    new = partner.new_empty((frames, num_a + num_b))
    new[:, ::2] = (num_staying + partner).scatter(1, staying, places[:, :num_staying])
    new[:, 1::2] = places[:, num_staying:]
    return new
