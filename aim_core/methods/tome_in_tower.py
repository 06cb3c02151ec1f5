"""ToMe, token merging (arXiv 2210.09461), in the layers of the vision tower, with proportional attention.

As in the paper (section 3): between attention and MLP of each layer up to the one that features come from, tokens
alternate into A and B, each A finds the B whose key (mean over heads) is most like its own, and the most similar pairs
merge into means weighted by size; attention adds log(size) to the logits of each key. About the same number merges in
every layer, so that ceil(keep_ratio x patches) are left at the tower's end. A class token stays out of it.

Variant: a language model's projector wants a full grid of patches, which it pools. So every patch takes its token's
feature when the tower is left (as is done for dense prediction), the family pools, and what is equal then becomes one
again: in families that do not pool, that is the tower's own token. Only where more than ceil(keep_ratio x tokens) of a
view are left, as where pooling mixes tokens, the same matching goes on, on the keys of the tower's last layer.

The tower does less work; how much is in `Cost.vision_flops`. Families whose tower packs all pictures into one row
(Qwen-VL) are refused.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from aim_core.methods.base import Method, require_tower
from aim_core.methods.before_decoder import before_decoder
from aim_core.methods.tome import MergeByKeys, join_homes
from aim_core.ops.reduced import Reduced
from aim_core.ops.tower_attention import TowerAttention

_ROUNDING = 1e-5  # keys are equal that differ by less, relative to their length


@dataclass(frozen=True)
class MergeInTower(MergeByKeys):
    """The same share of patches is left in the tower, and before the language model: first by joining what is equal."""

    @property
    def tower_share(self) -> float:
        return self.keep_ratio

    def __call__(self, tokens: Tensor, metric: Tensor | None = None, tower: TowerAttention | None = None) -> Reduced:
        keys, n = require_tower(tower).keys, tokens.shape[1]
        home = []
        for own, first in zip(keys, first_equal(keys, n - self.num_left(1, (1, n))), strict=True):
            place, owner = first.unique(return_inverse=True)
            home.append(self.homes(own[None], owner[None], place[None]))
        return join_homes(tokens, torch.cat(home))


def first_equal(keys: Tensor, most: int) -> Tensor:
    """(views, n) int64: for each token the first of its view with the same key but for rounding, most often itself.

    keys: (views, n, m); most: how many tokens of a view may be given another, the first ones.
    """
    own = torch.arange(keys.shape[1], device=keys.device).expand(keys.shape[:2])
    apart = torch.cdist(keys, keys, compute_mode="donot_use_mm_for_euclid_dist")  # with products, 0 would be rounded
    equal = apart <= _ROUNDING * torch.linalg.vector_norm(keys, dim=-1)[..., None]
    first = torch.where(equal, own[:, None], keys.shape[1]).amin(dim=-1)
    others = (first != own) & (first.gather(1, first) == first)  # of steps too small to tell, only the first is taken
    return torch.where(others & (others.cumsum(dim=1) <= most), first, own)


def tome_in_tower(keep_ratio: float = 0.25) -> Method:
    """Tokens entering each layer: ceil(keep_ratio x patches) a view."""
    return before_decoder("ToMe in the tower", MergeInTower(keep_ratio))
