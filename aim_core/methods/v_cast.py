"""V-CAST (arXiv 2603.27650): frames at the bends of a video keep more patches, those that stand out in them.

Released for Qwen3-VL, with positions kept, as they are here in every family with M-RoPE. Qwen's planes of two frames
count as frames, and so do the crops of an image.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from aim_core.methods.base import Method
from aim_core.methods.before_decoder import before_decoder, check_share
from aim_core.ops.deal_out import deal_out
from aim_core.ops.precision import widened
from aim_core.ops.reduced import Reduced, keep_patches

_SOFTNESS = 0.7  # of the softmax over frames


@dataclass(frozen=True)
class KeepAtBends:
    """Keep round(keep_ratio x all patches), at least 1 a frame, dealt out by how sharply the frames' means turn.

    In a frame those stay that are least like its mean and longest. Ties go to the earlier.
    """

    keep_ratio: float

    def __post_init__(self):
        check_share(self.keep_ratio)

    def __call__(self, tokens: Tensor, metric: Tensor | None = None) -> Reduced:
        x = widened(tokens)
        mean = F.normalize(x.mean(dim=1), dim=-1)  # (views, d)
        views, n = x.shape[:2]
        counts = deal_out((curvature(mean) / _SOFTNESS).softmax(dim=0).tolist(), [n] * views, self._total(views, n))
        unlike = 1 - (F.normalize(x, dim=-1) * mean[:, None]).sum(dim=-1)  # (views, n)
        scores = unlike + _unit_range(x.norm(dim=-1))
        kept = torch.zeros(tokens.shape[:2], dtype=torch.bool, device=tokens.device)
        for frame, count in enumerate(counts):
            kept[frame, scores[frame].argsort(descending=True, stable=True)[:count]] = True
        return keep_patches(tokens, kept)

    def reduces(self) -> bool:
        return self.keep_ratio < 1

    def num_left(self, num_views: int, grid: tuple[int, int]) -> int:
        return self._total(num_views, grid[0] * grid[1])

    def _total(self, views: int, n: int) -> int:
        return max(views, round(self.keep_ratio * views * n))


def curvature(mean: Tensor) -> Tensor:
    """(views,), 1 - cosine of the step to a frame's unit mean, (views, d), and the step from it; 1 at both ends."""
    bend = torch.ones(len(mean), dtype=mean.dtype, device=mean.device)
    step = F.normalize(mean[1:] - mean[:-1], dim=-1)
    bend[1:-1] = 1 - (step[1:] * step[:-1]).sum(dim=-1)
    return bend


def _unit_range(x: Tensor) -> Tensor:
    """(views, n) in [0, 1] within each view; 0 where all are equal."""
    low, high = x.amin(dim=1, keepdim=True), x.amax(dim=1, keepdim=True)
    return (x - low) / (high - low).clamp_min(torch.finfo(x.dtype).tiny)


def v_cast(keep_ratio: float = 0.25) -> Method:
    """Tokens entering each layer: max(frames, round(keep_ratio x all patches))."""
    return before_decoder("V-CAST", KeepAtBends(keep_ratio))
