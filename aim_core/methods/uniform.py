"""Uniform: every view keeps patches at even distances in raster order, the same places in each. A baseline without a
paper of its own."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from aim_core.methods.base import Method
from aim_core.methods.before_decoder import before_decoder, check_share, share_of
from aim_core.ops.reduced import Reduced, keep_patches


@dataclass(frozen=True)
class UniformPatches:
    """Of n patches of a view keep k: number i is patch floor((i + 1/2) n / k)."""

    keep_ratio: float

    def __post_init__(self):
        check_share(self.keep_ratio)

    def __call__(self, tokens: Tensor, metric: Tensor | None = None) -> Reduced:
        n = tokens.shape[1]
        k = share_of(n, self.keep_ratio)
        kept = torch.zeros(tokens.shape[:2], dtype=torch.bool, device=tokens.device)
        kept[:, [(2 * i + 1) * n // (2 * k) for i in range(k)]] = True
        return keep_patches(tokens, kept)

    def reduces(self) -> bool:
        return self.keep_ratio < 1

    def num_left(self, num_views: int, grid: tuple[int, int]) -> int:
        return num_views * share_of(grid[0] * grid[1], self.keep_ratio)


def uniform(keep_ratio: float = 0.25) -> Method:
    """Tokens entering each layer: round(keep_ratio x patches) a view."""
    return before_decoder("uniform", UniformPatches(keep_ratio))
