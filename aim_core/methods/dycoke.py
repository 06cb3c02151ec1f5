"""DyCoke's temporal merging (arXiv 2411.15024): in groups of four frames, what repeats another is dropped.

A ratio here says what is kept: its K is 1 - keep_ratio, 0.7 as released. The second half of DyCoke, choosing cached
tokens anew at every decoded word, is left out, as most ports do: it changes nothing in the prefill. A frame's count is
rounded down. Qwen's planes of two frames count as frames, and so do the crops of an image.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from aim_core.methods.base import Method
from aim_core.methods.before_decoder import before_decoder
from aim_core.ops.precision import widened
from aim_core.ops.reduced import Reduced, keep_patches

_GROUP = 4  # frames


@dataclass(frozen=True)
class DropRepeated:
    """Frames 4j stay whole; frames 4j + 1 and 4j + 2 are compared with 4j, and 4j + 3 with 4j + 2, place by place.

    Of a compared frame the share `keep_ratio` of its patches stays, rounded down: the least similar by cosine, of
    equals the earlier.
    """

    keep_ratio: float

    def __post_init__(self):
        if not 0 <= self.keep_ratio <= 1:
            raise ValueError(f"keep_ratio must be in [0, 1], got {self.keep_ratio}")

    def __call__(self, tokens: Tensor, metric: Tensor | None = None) -> Reduced:
        views, n = tokens.shape[:2]
        unit = F.normalize(widened(tokens), dim=-1)
        kept = torch.ones(views, n, dtype=torch.bool, device=tokens.device)
        for frame in range(views):
            if (turn := frame % _GROUP) == 0:
                continue
            cosine = (unit[frame] * unit[frame - (2 if turn == 2 else 1)]).sum(dim=-1)
            kept[frame, cosine.argsort(stable=True)[self._count(n) :]] = False
        return keep_patches(tokens, kept)

    def reduces(self) -> bool:
        return self.keep_ratio < 1

    def num_left(self, num_views: int, grid: tuple[int, int]) -> int:
        n, whole = grid[0] * grid[1], -(-num_views // _GROUP)
        return whole * n + (num_views - whole) * self._count(n)

    def _count(self, n: int) -> int:
        return int(round(n * self.keep_ratio, 9))


def dycoke(keep_ratio: float = 0.3) -> Method:
    """Tokens entering each layer: the share (1 + 3 keep_ratio) / 4 of whole groups of four frames; never under 1/4."""
    return before_decoder("DyCoke TTM", DropRepeated(keep_ratio))
