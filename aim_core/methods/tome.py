"""ToMe, token merging (arXiv 2210.09461), before the language model: bipartite matching, a few tokens a round.

Variant: the paper merges between attention and MLP of every layer of a vision tower, here all rounds come after the
tower. AIM's merging is the same matching with three differences: AIM joins as many tokens a round as it can, matches
what enters the language model, and takes plain means of means. ToMe joins `per_round` tokens a round, matches keys of
the tower's last layer, mean over heads, and its means count every patch alike. Each view is merged by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from aim_core.methods.base import Method, require_tower
from aim_core.methods.before_decoder import before_decoder, check_share
from aim_core.ops.merging import merge_round, num_kept
from aim_core.ops.reduced import Reduced, join_patches
from aim_core.ops.tower_attention import TowerAttention


@dataclass(frozen=True)
class MergeByKeys:
    """Merge each view's n patches into ceil(n x keep_ratio), `per_round` of them a round (16 in the paper's ViT-B).

    A token's key is the mean of its patches' keys, its feature the mean of their features (size-weighted, section 3).
    """

    keep_ratio: float
    per_round: int = 16
    needs_tower: ClassVar[bool] = True

    def __post_init__(self):
        check_share(self.keep_ratio)
        if not isinstance(self.per_round, int) or isinstance(self.per_round, bool) or self.per_round < 1:
            raise ValueError(f"per_round must be a whole number from 1 on, got {self.per_round!r}")

    def __call__(self, tokens: Tensor, metric: Tensor | None = None, tower: TowerAttention | None = None) -> Reduced:
        keys = require_tower(tower).keys
        own = torch.arange(tokens.shape[1], device=tokens.device).repeat(len(tokens), 1)
        return join_homes(tokens, self.homes(keys, own, own))

    def homes(self, keys: Tensor, owner: Tensor, place: Tensor) -> Tensor:
        """(views, n) int64, the patch that each patch joins.

        keys: (views, n, m); owner: (views, n) int64, the token that each patch is in to begin with; place: (views, k)
        int64, the patches that those tokens stand at.
        """
        left, size = num_kept(keys.shape[1], self.keep_ratio), place.shape[1]
        while size > left:
            removed = min(self.per_round, size // 2, size - left)
            new_of_old = merge_round(_means(keys, owner, size), removed)[1]
            size -= removed
            place = _destination(place, new_of_old, size)
            owner = new_of_old.gather(1, owner)
        return place.gather(1, owner)

    def reduces(self) -> bool:
        return self.keep_ratio < 1

    def num_left(self, num_views: int, grid: tuple[int, int]) -> int:
        return num_views * num_kept(grid[0] * grid[1], self.keep_ratio)


def join_homes(tokens: Tensor, home: Tensor) -> Reduced:
    """The mean of all patches that join one, at that patch; home: (views, n) int64 in [0, n), inside each view."""
    views, n = home.shape
    counts = torch.zeros_like(home).scatter_add_(1, home, torch.ones_like(home)).gather(1, home)
    first = torch.arange(views, device=home.device)[:, None] * n
    wide = torch.promote_types(tokens.dtype, torch.float32)
    return join_patches(tokens, home + first, 1 / counts.to(wide))


def _destination(place: Tensor, new_of_old: Tensor, size: int) -> Tensor:
    """(views, size) int64, the patch that each new token stands at: that of the old odd token others joined, if any."""
    found = place.new_empty(len(place), size)
    for first in (0, 1):  # odd ones last: what joins them is even
        found.scatter_(1, new_of_old[:, first::2], place[:, first::2])
    return found


def _means(keys: Tensor, owner: Tensor, size: int) -> Tensor:
    """(views, size, m), means of the keys of each token's patches; owner: (views, n)."""
    member = F.one_hot(owner, size).to(keys.dtype)
    return (member.mT @ keys) / member.sum(dim=1)[..., None]


def tome(keep_ratio: float = 0.25, per_round: int = 16) -> Method:
    """Tokens entering each layer: ceil(keep_ratio x patches) a view."""
    return before_decoder("ToMe", MergeByKeys(keep_ratio, per_round))
