"""Reduced: what is left of the visual tokens of several views: groups of any size, also across views, or dropped."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from aim_core.ops.merging import Merged


@dataclass(frozen=True, eq=False)
class Reduced:
    """What is left of V views of n patches each: k tokens, any number of them a view.

    tokens: (k, d), in the dtype of the input.
    group:  (V, n) int64 in [-1, k): the token that each patch ended in, which may stand in another view; -1 for a
            patch that was dropped and is in none.
    place:  (k,) int64 in [0, V * n): the patch that each token stands at, one of its group; patch i of view v is
            v * n + i.
    weight: (V, n) float, what each patch counts in its token, 0 where dropped. The sum over a group need not be 1.
    merged: the merge inside views that this is another form of, if there was one.
    """

    tokens: Tensor
    group: Tensor
    place: Tensor
    weight: Tensor
    merged: Merged | None = None

    def apply(self, other: Tensor) -> Tensor:
        """Other features (V, n, m) of the same patches, reduced in the same way: (k, m)."""
        if self.merged is not None:
            return self.merged.apply(other).flatten(0, 1)
        return weighted_sums(other, self.group, self.weight, len(self.place))

    def similarity_to(self, tokens: Tensor) -> Tensor:
        """(V, n), cosine of each patch's own feature, tokens (V, n, d), with the token it ended in; NaN if dropped."""
        if self.merged is not None and self.merged.similarity is not None:
            return self.merged.similarity
        wide = torch.promote_types(tokens.dtype, torch.float32)
        ends = F.normalize(self.tokens.to(wide), dim=-1)[self.group.clamp_min(0)]
        cosine = (F.normalize(tokens.to(wide), dim=-1) * ends).sum(dim=-1).clamp_(-1, 1)
        return cosine.masked_fill(self.group < 0, torch.nan)


def as_reduced(result: Merged | Reduced, num_views: int, num_patches: int) -> Reduced:
    """What a merger gave of `num_views` views of `num_patches` patches. Raises ValueError if it does not fit them."""
    if isinstance(result, Merged):
        view = torch.arange(len(result.group), device=result.group.device)[:, None]
        group, place = result.group + view * result.place.shape[1], result.place + view * result.group.shape[1]
        return Reduced(result.tokens.flatten(0, 1), group, place.flatten(), result.weight, result)
    group, place, k = result.group, result.place, len(result.tokens)
    if not k:
        raise ValueError("the merger left no visual token: let it keep at least one")
    if group.shape != (num_views, num_patches) or result.weight.shape != group.shape or place.shape != (k,):
        raise ValueError(
            f"the merger must give group and weight of shape ({num_views}, {num_patches}) and a place for each of {k} "
            f"tokens, got {tuple(group.shape)}, {tuple(result.weight.shape)} and {tuple(place.shape)}"
        )
    within = group.min() >= -1 and group.max() < k and place.min() >= 0 and place.max() < group.numel()
    if not within or not torch.equal(group.flatten()[place], torch.arange(k, device=group.device)):
        raise ValueError("the merger must let every token stand at a patch of its own group, and count groups from 0")
    return result


def keep_patches(tokens: Tensor, kept: Tensor) -> Reduced:
    """Keep some patches as they are, in raster order, and drop the others.

    tokens: (V, n, d); kept: (V, n) bool.
    """
    flat = kept.flatten()
    group = torch.where(kept, (flat.cumsum(0) - 1).view(kept.shape), -1)
    place = flat.nonzero()[:, 0]
    return Reduced(tokens.flatten(0, 1)[place], group, place, _weights(tokens, kept))


def average_groups(tokens: Tensor, group: Tensor, place: Tensor) -> Reduced:
    """Replace every group of patches by its plain mean.

    tokens: (V, n, d); group: (V, n) int64 in [-1, k), -1 for a patch to drop; place: (k,), see `Reduced`.
    """
    inside = group >= 0
    size = torch.bincount(group[inside], minlength=len(place))
    weight = _weights(tokens, inside) / size[group.clamp_min(0)].clamp_min(1)
    return Reduced(weighted_sums(tokens, group, weight, len(place)), group, place, weight)


def join_patches(tokens: Tensor, home: Tensor, weight: Tensor) -> Reduced:
    """Add up patches, each times its weight, at the patches that they join.

    tokens: (V, n, d); home: (V, n) int64 in [-1, V * n): the patch that each joins, itself where others join it; -1 for
    a patch to drop; weight: (V, n). Tokens are numbered in raster order of the patches they stand at.
    """
    inside = home >= 0
    place = home[inside].unique()
    group = torch.where(inside, torch.searchsorted(place, home.clamp_min(0)), -1)
    weight = torch.where(inside, weight, 0).to(torch.promote_types(tokens.dtype, torch.float32))
    return Reduced(weighted_sums(tokens, group, weight, len(place)), group, place, weight)


def weighted_sums(tokens: Tensor, group: Tensor, weight: Tensor, num_groups: int) -> Tensor:
    """(num_groups, d): for each group the sum of its patches' tokens (V, n, d), each times its weight (V, n).

    group: (V, n) int64 in [-1, num_groups); -1 belongs to none. Summed member by member in the order of the patches,
    so that a GPU gives the same each time, in float32 (float64 for float64 input).
    """
    wide = torch.promote_types(tokens.dtype, torch.float32)
    flat, own, share = tokens.flatten(0, 1), group.flatten(), weight.flatten().to(wide)
    sums = torch.zeros(num_groups, tokens.shape[-1], dtype=wide, device=tokens.device)
    patches = own.argsort(stable=True)[int((own < 0).sum()) :]  # group by group
    start = torch.searchsorted(own[patches], own[patches])  # of each patch's group
    turn = torch.arange(len(patches), device=own.device) - start  # which member of its group it is
    for number in range(int(turn.max()) + 1):
        now = patches[turn == number]
        sums[own[now]] += share[now, None] * flat[now].to(wide)
    return sums.to(tokens.dtype)


def _weights(tokens: Tensor, inside: Tensor) -> Tensor:
    """(V, n), 1 for the patches that are inside and 0 for others, in the dtype that sums are taken in."""
    return inside.to(torch.promote_types(tokens.dtype, torch.float32))
