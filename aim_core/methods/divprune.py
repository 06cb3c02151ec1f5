"""DivPrune (arXiv 2503.02175): keep the patches that are farthest from each other, chosen greedily.

As released: distance 1 - cosine of what enters the language model, all frames together, 9.8 % kept. Here several media,
or views of several sizes, are chosen from one by one; a patch is never chosen twice where several are equal.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from aim_core.methods.base import Method
from aim_core.methods.before_decoder import before_decoder, check_share, share_of
from aim_core.ops.reduced import Reduced, keep_patches

_BLOCK = 256  # rows of distances computed at a time


@dataclass(frozen=True)
class KeepDiverse:
    """Max-min diversity: first the patch whose nearest other is farthest, then each time that farthest from all chosen.

    Kept: round(keep_ratio x all patches), at least 1. Ties go to the earlier patch.
    """

    keep_ratio: float

    def __post_init__(self):
        check_share(self.keep_ratio)

    def __call__(self, tokens: Tensor, metric: Tensor | None = None) -> Reduced:
        wide = torch.promote_types(tokens.dtype, torch.float32)
        unit = F.normalize(tokens.flatten(0, 1).to(wide), dim=-1)
        kept = torch.zeros(len(unit), dtype=torch.bool, device=unit.device)
        kept[farthest(unit, share_of(len(unit), self.keep_ratio))] = True
        return keep_patches(tokens, kept.view(tokens.shape[:2]))

    def reduces(self) -> bool:
        return self.keep_ratio < 1

    def num_left(self, num_views: int, grid: tuple[int, int]) -> int:
        return share_of(num_views * grid[0] * grid[1], self.keep_ratio)


def farthest(unit: Tensor, count: int) -> Tensor:
    """(count,) int64, the rows of unit vectors (n, d) that max-min diversity chooses, in its order."""
    chosen = torch.zeros(count, dtype=torch.int64, device=unit.device)
    newest = _to_nearest(unit).argmax()
    nearest = torch.full((len(unit),), torch.inf, dtype=unit.dtype, device=unit.device)  # of the chosen, to each row
    for number in range(count):
        chosen[number] = newest
        nearest = torch.minimum(nearest, 1 - unit @ unit[newest])
        nearest[newest] = -torch.inf
        newest = nearest.argmax()
    return chosen


def _to_nearest(unit: Tensor) -> Tensor:
    """(n,) the distance of every row to the nearest other one; infinite where there is none."""
    found = []
    for start in range(0, len(unit), _BLOCK):
        distance = 1 - unit[start : start + _BLOCK] @ unit.mT
        distance.diagonal(start).fill_(torch.inf)
        found.append(distance.amin(dim=1))
    return torch.cat(found)


def divprune(keep_ratio: float = 0.098) -> Method:
    """Tokens entering each layer: round(keep_ratio x all patches)."""
    return before_decoder("DivPrune", KeepDiverse(keep_ratio))
