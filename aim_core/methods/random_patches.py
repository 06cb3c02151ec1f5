"""Random: a share of all patches, chosen by chance, enters the language model. What every method must beat.

In published tables it beats several methods (arXiv 2511.02650). Here it is drawn from a seed, over all views together.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from aim_core.methods.base import Method
from aim_core.methods.before_decoder import before_decoder, check_share, share_of
from aim_core.ops.reduced import Reduced, keep_patches


@dataclass(frozen=True)
class RandomPatches:
    """Keep the share `keep_ratio` of all patches, any as likely as another; the same seed, the same ones."""

    keep_ratio: float
    seed: int = 0

    def __post_init__(self):
        check_share(self.keep_ratio)

    def __call__(self, tokens: Tensor, metric: Tensor | None = None) -> Reduced:
        count = tokens.shape[0] * tokens.shape[1]
        drawn = torch.randperm(count, generator=torch.Generator().manual_seed(self.seed))
        kept = torch.zeros(count, dtype=torch.bool)
        kept[drawn[: share_of(count, self.keep_ratio)]] = True
        return keep_patches(tokens, kept.view(tokens.shape[:2]).to(tokens.device))

    def reduces(self) -> bool:
        return self.keep_ratio < 1

    def num_left(self, num_views: int, grid: tuple[int, int]) -> int:
        return share_of(num_views * grid[0] * grid[1], self.keep_ratio)


def random_patches(keep_ratio: float = 0.25, seed: int = 0) -> Method:
    """Tokens entering each layer: round(keep_ratio x all patches)."""
    return before_decoder("random", RandomPatches(keep_ratio, seed))
