"""LLaVA-PruMerge and PruMerge+ (arXiv 2403.15388): patches whose attention stands out, with what is like them added.

Variants in every family: attention and keys are means over heads, of the layer that features come from (released: of
all heads as one, in CLIP's last layer); where a tower has no class token, attention received from all patches takes the
place of the class token's; it works behind the projector; and since here no patch is in two tokens, a pruned patch is
added to the kept one that is most like it alone, where the released code adds it to each whose 32 nearest it is among,
and a second time to the extra token.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from aim_core.methods.base import Method, require_tower
from aim_core.methods.before_decoder import before_decoder, share_of
from aim_core.ops.reduced import Reduced, join_patches
from aim_core.ops.tower_attention import TowerAttention

_FAR = 1.5  # interquartile ranges above the third quartile from which attention stands out
_NEAREST = 32  # patches that a kept one may take in (as released)
_DENSER = 3  # times as many patches on a regular grid beside (PruMerge+, as released)


@dataclass(frozen=True)
class KeepOutliers:
    """Keep the patches of a view whose attention is an outlier, and add the others to them, each times its attention.

    keep_ratio: 0 for as many as are outliers of each view, at least 1, as released; else this share of the patches
                that receive most (with `spread` a quarter of it, and the rest from the grid); at 1 all stay.
    spread:     PruMerge+: with every int(1 / share / 3)-th patch of the view as well.
    A pruned patch joins the kept one of largest key cosine, if it is among the 32 nearest of that; all others become
    one extra token, at the first of them. Ties go to the earlier patch.
    """

    keep_ratio: float = 0.0
    spread: bool = False
    needs_tower: ClassVar[bool] = True

    def __post_init__(self):
        if not 0 <= self.keep_ratio <= 1:
            raise ValueError(f"keep_ratio must be in [0, 1], got {self.keep_ratio}")

    def __call__(self, tokens: Tensor, metric: Tensor | None = None, tower: TowerAttention | None = None) -> Reduced:
        tower = require_tower(tower)
        n = tokens.shape[1]
        kept = [self._kept(received) for received in tower.received]
        pairs = zip(tower.keys, kept, strict=True)
        home = torch.stack([_homes(keys, own) + view * n for view, (keys, own) in enumerate(pairs)])
        weight = torch.where(torch.stack(kept), 1, tower.received)
        return join_patches(tokens, home, weight)

    def _kept(self, received: Tensor) -> Tensor:
        """(n,) bool, the patches of a view that are kept."""
        n = len(received)
        kept = torch.full((n,), self.keep_ratio == 1, device=received.device)
        if self.keep_ratio:
            count = share_of(n, self.keep_ratio / 4 if self.spread else self.keep_ratio)
        else:
            low, high = torch.quantile(received, torch.tensor([0.25, 0.75]).to(received))
            count = max(1, int((received > high + _FAR * (high - low)).sum()))
        kept[received.argsort(descending=True, stable=True)[:count]] = True
        if self.spread:
            kept[: n - 1 : max(1, n // count // _DENSER)] = True
        return kept

    def reduces(self) -> bool:
        return self.keep_ratio < 1


def _homes(keys: Tensor, kept: Tensor) -> Tensor:
    """(n,) int64, the patch that each patch of a view joins; keys: (n, m); kept: (n,) bool."""
    unit, stays = F.normalize(keys, dim=-1), kept.nonzero()[:, 0]
    home, pruned = torch.arange(len(keys), device=keys.device), (~kept).nonzero()[:, 0]
    if not len(pruned):
        return home
    cosine = unit[stays] @ unit[pruned].mT  # (kept, pruned)
    chosen = cosine.argmax(dim=0)
    rank = torch.empty_like(cosine, dtype=torch.int64)  # of each pruned patch among those near a kept one
    order = cosine.argsort(dim=1, descending=True, stable=True)
    rank.scatter_(1, order, torch.arange(len(pruned), device=keys.device).expand_as(order))
    near = rank[chosen, torch.arange(len(pruned), device=keys.device)] < _NEAREST
    home[pruned] = torch.where(near, stays[chosen], pruned[~near].amin() if not near.all() else 0)
    return home


def prumerge(keep_ratio: float = 0.0) -> Method:
    """Tokens entering each layer: as many as stand out in each view, known from the pictures alone."""
    return before_decoder("PruMerge", KeepOutliers(keep_ratio))


def prumerge_plus(keep_ratio: float = 0.0) -> Method:
    """Tokens entering each layer: about four times those of PruMerge."""
    return before_decoder("PruMerge+", KeepOutliers(keep_ratio, spread=True))
