"""VisionZip (arXiv 2412.04467): patches that the vision tower attends to most, and means of the others.

As released for LLaVA-1.5: 54 dominant and 10 contextual tokens of 576. What differs: it works behind projector and
pooling, with attention and keys pooled alike, as the ports to video do; and tokens stand in the prompt in raster order,
a contextual one at its target (released: dominant ones first). Each view has the same budget.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from aim_core.methods.base import Method, require_tower
from aim_core.methods.before_decoder import before_decoder, check_share, share_of
from aim_core.ops.reduced import Reduced, join_patches
from aim_core.ops.tower_attention import TowerAttention


@dataclass(frozen=True)
class DominantAndContextual:
    """Of a view's budget, round(keep_ratio x patches), the share `dominant` are patches that receive most attention.

    Of the others, C for the rest of the budget, every ((n - D) // C)-th is a target; each one more joins the target of
    the largest key cosine. A contextual token is its target *plus* the mean of those that joined, as
    released. Ties go to the earlier patch. With no budget for targets the others are dropped.
    """

    keep_ratio: float
    dominant: float = 54 / 64
    needs_tower: ClassVar[bool] = True

    def __post_init__(self):
        check_share(self.keep_ratio)
        if not 0 <= self.dominant <= 1:
            raise ValueError(f"dominant must be in [0, 1], got {self.dominant}")

    def __call__(self, tokens: Tensor, metric: Tensor | None = None, tower: TowerAttention | None = None) -> Reduced:
        tower = require_tower(tower)
        ones = [self._one(*view) for view in zip(tower.received, tower.keys, strict=True)]
        home, weight = (torch.stack(parts) for parts in zip(*ones, strict=True))
        first = torch.arange(len(home), device=home.device)[:, None] * home.shape[1]  # patch of each view
        return join_patches(tokens, torch.where(home < 0, -1, home + first), weight)

    def _one(self, received: Tensor, keys: Tensor) -> tuple[Tensor, Tensor]:
        """Of one view (n,) the patch that each joins, -1 for none, and what it counts."""
        n, budget = len(received), share_of(len(received), self.keep_ratio)
        num_dominant = round(budget * self.dominant)
        num_targets = budget - num_dominant
        home, weight = torch.full((n,), -1, device=received.device), torch.ones_like(received)
        order = received.argsort(descending=True, stable=True)
        home[order[:num_dominant]] = order[:num_dominant]
        if not num_targets:
            return home, weight
        rest = order[num_dominant:].sort().values
        is_target = torch.zeros(len(rest), dtype=torch.bool, device=rest.device)
        is_target[torch.arange(num_targets, device=rest.device) * (len(rest) // num_targets)] = True
        targets, joining = rest[is_target], rest[~is_target]
        unit = F.normalize(keys, dim=-1)
        chosen = (unit[joining] @ unit[targets].mT).argmax(dim=1)
        home[targets], home[joining] = targets, targets[chosen]
        weight[joining] = 1 / torch.bincount(chosen, minlength=num_targets)[chosen].to(weight.dtype)
        return home, weight

    def reduces(self) -> bool:
        return self.keep_ratio < 1

    def num_left(self, num_views: int, grid: tuple[int, int]) -> int:
        return num_views * share_of(grid[0] * grid[1], self.keep_ratio)


def visionzip(keep_ratio: float = 64 / 576, dominant: float = 54 / 64) -> Method:
    """Tokens entering each layer: round(keep_ratio x patches) a view; 192, 128 and 64 of 576 are the paper's."""
    return before_decoder("VisionZip", DominantAndContextual(keep_ratio, dominant))
