"""VidCom² (arXiv 2505.14454): frames that stand out keep more patches, and in each frame the unusual ones stay.

Needs no attention. Everything is measured on half of the channels, those that vary least, as released. Qwen's planes of
two frames count as frames, and so do the crops of an image. vLLM's port adds or removes tokens until the count is
exact; this one, as the authors released it, does not.
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

_SHARPNESS = 0.01  # of the softmax over frames
_WIDTHS = tuple(2.0**power for power in range(-3, 2))  # of the Gaussian kernels, summed


@dataclass(frozen=True)
class KeepUnusual:
    """Keep the patches least like the video's mean and their frame's; frames unlike the video keep more.

    keep_ratio: share of all patches, but for rounding frame by frame; a frame keeps at least 1. At 1 all stay (the
    formula would take some from frames like the others). Ties go to the earlier.
    """

    keep_ratio: float

    def __post_init__(self):
        check_share(self.keep_ratio)

    def __call__(self, tokens: Tensor, metric: Tensor | None = None) -> Reduced:
        x = _unit_features(tokens)
        to_video = _similarity(x, x.mean(dim=(0, 1), keepdim=True))  # (views, n)
        typical = to_video + _similarity(x, x.mean(dim=1, keepdim=True))
        kept = torch.full(tokens.shape[:2], self.keep_ratio == 1, device=tokens.device)
        for frame, count in enumerate(_frame_counts(to_video, self.keep_ratio)):
            kept[frame, typical[frame].argsort(stable=True)[:count]] = True
        return keep_patches(tokens, kept)

    def reduces(self) -> bool:
        return self.keep_ratio < 1


def _unit_features(tokens: Tensor) -> Tensor:
    """(views, n, d // 2) unit vectors of the channels that vary least over all patches."""
    x = widened(tokens)
    channels = x.flatten(0, 1).var(dim=0, correction=0).argsort(stable=True)[: max(1, x.shape[-1] // 2)]
    return F.normalize(x[..., channels], dim=-1)


def _similarity(x: Tensor, centre: Tensor) -> Tensor:
    """(views, n), Gaussian kernels of several widths, summed, of each patch (views, n, d) and a centre."""
    square = (x - centre).square().sum(dim=-1)
    return torch.stack([(-square / (2 * width)).exp() for width in _WIDTHS]).sum(dim=0)


def _frame_counts(to_video: Tensor, keep_ratio: float) -> list[int]:
    """Patches that each frame keeps; to_video: (views, n), similarity to the video's mean."""
    n = to_video.shape[1]
    unusual = -to_video.mean(dim=1)
    share = ((unusual - unusual.max()) / _SHARPNESS).softmax(dim=0)
    counts = (keep_ratio * (1 + share - share.mean()) * n).round()
    return counts.clamp(1, n).long().tolist()


def vidcom2(keep_ratio: float = 0.25) -> Method:
    """Tokens entering each layer: about keep_ratio x all patches; how many exactly is known from the video alone."""
    return before_decoder("VidCom2", KeepUnusual(keep_ratio))
