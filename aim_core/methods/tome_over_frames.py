"""ToMe, token merging (arXiv 2210.09461), over space and time: bipartite matching of all tokens of several frames.

As the paper does for videos (section 5), whose tokens alternate into A and B wherever in space and time they are.
Variant: as `tome`, after the vision tower, not in its layers; and in windows of neighbouring frames, the last may be
shorter, so that no matrix of all patches by all is made. Qwen's planes of two frames count as frames, and so do the
crops of an image.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from aim_core.methods.across_frames import check_window, windows
from aim_core.methods.base import Method, require_tower
from aim_core.methods.before_decoder import before_decoder
from aim_core.methods.tome import MergeByKeys
from aim_core.ops.merging import num_kept
from aim_core.ops.reduced import Reduced, join_patches
from aim_core.ops.tower_attention import TowerAttention


@dataclass(frozen=True)
class MergeByKeysOverFrames(MergeByKeys):
    """Merge the n patches of each of a window's w frames into ceil(keep_ratio x w x n), `per_round` x w a round."""

    window: int = 8

    def __post_init__(self):
        super().__post_init__()
        check_window(self.window)

    def __call__(self, tokens: Tensor, metric: Tensor | None = None, tower: TowerAttention | None = None) -> Reduced:
        keys, n = require_tower(tower).keys, tokens.shape[1]
        homes = []
        for number, window in enumerate(keys.split(self.window)):
            frames = len(window)
            own = torch.arange(frames * n, device=tokens.device)[None]
            whole = MergeByKeys(self.keep_ratio, self.per_round * frames)
            home = whole.homes(window.reshape(1, frames * n, -1), own, own)
            homes.append(home.view(frames, n) + number * self.window * n)
        home = torch.cat(homes)
        size = torch.bincount(home.flatten(), minlength=home.numel())[home]
        return join_patches(tokens, home, 1 / size.to(torch.promote_types(tokens.dtype, torch.float32)))

    def num_left(self, num_views: int, grid: tuple[int, int]) -> int:
        n = grid[0] * grid[1]
        return sum(num_kept(frames * n, self.keep_ratio) for frames in windows(num_views, self.window))


def tome_over_frames(keep_ratio: float = 0.25, per_round: int = 16, window: int = 8) -> Method:
    """Tokens entering each layer: ceil(keep_ratio x patches) of each window."""
    return before_decoder("ToMe over frames", MergeByKeysOverFrames(keep_ratio, per_round, window))
