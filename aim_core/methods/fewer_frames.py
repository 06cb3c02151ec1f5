"""Fewer frames: some frames at even distances keep all their patches, the others lose all. A baseline without a paper.

What every method that looks into frames must beat. Unlike sampling fewer frames from the file, the vision tower still
sees all, and text that names frames stays. Qwen's planes of two frames count as frames, and so do an image's crops.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from aim_core.methods.base import Method
from aim_core.methods.before_decoder import before_decoder, check_share, share_of
from aim_core.ops.reduced import Reduced, keep_patches


@dataclass(frozen=True)
class WholeFrames:
    """Of F frames keep k: number i is frame floor((i + 1/2) F / k)."""

    keep_ratio: float

    def __post_init__(self):
        check_share(self.keep_ratio)

    def __call__(self, tokens: Tensor, metric: Tensor | None = None) -> Reduced:
        num_frames = len(tokens)
        k = share_of(num_frames, self.keep_ratio)
        kept = torch.zeros(tokens.shape[:2], dtype=torch.bool, device=tokens.device)
        kept[[(2 * i + 1) * num_frames // (2 * k) for i in range(k)]] = True
        return keep_patches(tokens, kept)

    def reduces(self) -> bool:
        return self.keep_ratio < 1

    def num_left(self, num_views: int, grid: tuple[int, int]) -> int:
        return share_of(num_views, self.keep_ratio) * grid[0] * grid[1]


def fewer_frames(keep_ratio: float = 0.25) -> Method:
    """Tokens entering each layer: all patches of round(keep_ratio x frames) frames, at least one."""
    return before_decoder("fewer frames", WholeFrames(keep_ratio))
