"""Shorter videos for training: some visual tokens left out, or similar ones merged, with the labels of what is left."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from aim_core.ops.merging import merge_round, num_kept

COVERED = 1 / 3  # a merged token shows a thing that covers at least this share of its patches


@dataclass(frozen=True)
class VisualTokens:
    """The visual tokens of B videos of F frames, n of each frame, and what they show.

    tokens: (B, F, n, d)
    owner:  (B, F, n) int64, the thing that a token shows, -1 for none
    center: (B, F, n) float32, its share of the middles of things, 1 in all for each thing
    place:  (B, F, n) int64, the cell it comes from (of merged ones, the cell that the others joined)
    """

    tokens: Tensor
    owner: Tensor
    center: Tensor
    place: Tensor

    def rows(self, index: Tensor) -> VisualTokens:
        """Only these tokens of each frame; index: (B, F, m)."""
        tokens = self.tokens.gather(2, index[..., None].expand(-1, -1, -1, self.tokens.shape[-1]))
        return VisualTokens(tokens, *(part.gather(2, index) for part in (self.owner, self.center, self.place)))


def drop(visual: VisualTokens, keep: float, rng: torch.Generator) -> VisualTokens:
    """A random share of each frame's tokens, in random order: places are to be read from tokens, not from positions."""
    shape = visual.owner.shape
    order = torch.rand(shape, generator=rng).argsort(2)[:, :, : num_kept(shape[2], keep)]
    return visual.rows(order.to(visual.owner.device))


def merge(visual: VisualTokens, keep: float, num_things: int) -> VisualTokens:
    """Merge as before a language model (`aim_core.ops.merging`), but with gradients."""
    videos, frames, n = visual.tokens.shape[:3]
    tokens, place = visual.tokens.flatten(0, 1).float(), visual.place.flatten(0, 1)
    group = torch.arange(n, device=place.device).expand_as(place)
    k = num_kept(n, keep)
    while (size := tokens.shape[1]) > k:
        tokens, moved = merge_round(tokens, min(size // 2, size - k))
        group = moved.gather(1, group)
        place = _places(place, moved, tokens.shape[1])
    member = F.one_hot(group, k).float()  # (B * F, n, k)
    shown = F.one_hot(visual.owner.flatten(0, 1) + 1, num_things + 1)[..., 1:].float()  # (B * F, n, things)
    share, owner = ((member.mT @ shown) / member.sum(1)[..., None]).max(-1)
    owner = owner.masked_fill(share < COVERED, -1)
    center = (member.mT @ visual.center.flatten(0, 1)[..., None])[..., 0]
    parts = (tokens, owner, center, place)
    return VisualTokens(*(part.unflatten(0, (videos, frames)) for part in parts))


def _places(place: Tensor, moved: Tensor, size: int) -> Tensor:
    """Where each token left comes from: (B * F, size); odd rows are the ones that others join."""
    left = place.new_empty(place.shape[0], size)
    return left.scatter(1, moved[:, ::2], place[:, ::2]).scatter(1, moved[:, 1::2], place[:, 1::2])
