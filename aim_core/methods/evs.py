"""EVS, efficient video sampling (arXiv 2510.14624): patches that look as they did a frame before are dropped.

As vLLM and SGLang ship it: by the cosine of the features that enter the language model. The paper compares pixels.
A ratio here says what is kept: their pruning rate q is 1 - keep_ratio. Positions: where a family has M-RoPE they are
kept, as released; elsewhere the shorter prompt is numbered anew. Qwen's planes of two frames count as frames, and so do
the crops of an image; one view by itself is left whole.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from aim_core.methods.base import Method
from aim_core.methods.before_decoder import before_decoder, check_share
from aim_core.ops.precision import widened
from aim_core.ops.reduced import Reduced, keep_patches

_FIRST = 255.0  # dissimilarity of the patches of frame 0, above any other, as released


@dataclass(frozen=True)
class DropUnchanged:
    """Of all frames' patches keep those least like the same place a frame before, by cosine; frame 0 stays whole.

    Kept: the share `keep_ratio` of all, rounded down, but never fewer than a frame has. Ties go to the earlier patch.
    """

    keep_ratio: float

    def __post_init__(self):
        check_share(self.keep_ratio)

    def __call__(self, tokens: Tensor, metric: Tensor | None = None) -> Reduced:
        views, n = tokens.shape[:2]
        unit = F.normalize(widened(tokens), dim=-1)
        change = torch.full((views, n), _FIRST, dtype=unit.dtype, device=unit.device)
        change[1:] = 1 - (unit[1:] * unit[:-1]).sum(dim=-1)
        order = change.flatten().argsort(descending=True, stable=True)
        kept = torch.zeros(views * n, dtype=torch.bool, device=tokens.device)
        kept[order[: self._count(views, n)]] = True
        return keep_patches(tokens, kept.view(views, n))

    def reduces(self) -> bool:
        return self.keep_ratio < 1

    def num_left(self, num_views: int, grid: tuple[int, int]) -> int:
        return self._count(num_views, grid[0] * grid[1])

    def _count(self, views: int, n: int) -> int:
        return max(n, int(round(views * n * self.keep_ratio, 9)))


def evs(keep_ratio: float = 0.25) -> Method:
    """Tokens entering each layer: max(a frame's patches, floor(keep_ratio x all patches)).

    The released code has no default rate.
    """
    return before_decoder("EVS", DropUnchanged(keep_ratio))
