"""FastVID (arXiv 2503.11187): a video in segments; salient patches of each frame, and anchors that take in the others.

Variant: released checkpoints for transformers lack SigLIP's pooling head, whose features and attention it uses. Here
the mean of a frame's tokens stands for the frame, and attention received in the tower for the head's attention. Qwen's
planes of two frames count as frames, and so do the crops of an image. Tokens keep their positions, as released.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from aim_core.methods.base import Method, require_tower
from aim_core.methods.before_decoder import before_decoder, check_share
from aim_core.ops.density_peaks import peaks
from aim_core.ops.precision import widened
from aim_core.ops.reduced import Reduced, join_patches
from aim_core.ops.segments import cut_where_different
from aim_core.ops.tower_attention import TowerAttention

_ALIKE, _SEGMENTS = 0.9, 8  # cuts: below this cosine, and at least so many segments
_CONTEXT = 0.4  # of a frame's budget, for anchors
_PERIOD = 4  # every fourth frame of a segment, from its end, has anchors
_NEIGHBOURS = 4  # of the density
_OWN = 0.6  # what an anchor counts in its token, if others joined it


@dataclass(frozen=True)
class SalientAndAnchors:
    """Of a frame's budget m = int(keep_ratio x patches), at least 1, m - int(0.4 m) are its patches of most attention.

    int(0.4 m) x frames of each segment are anchors, dealt out evenly over every fourth frame of it, the later ones
    first, or over more frames where these are too few: patches of largest density x delta, see `peaks`. Every other
    patch of the segment joins the anchor most like it by cosine; an anchor's token is 0.6 of it and 0.4 of their mean.
    Ties go to the earlier. With no anchors the others are dropped.
    """

    keep_ratio: float
    seed: int = 0
    needs_tower: ClassVar[bool] = True

    def __post_init__(self):
        check_share(self.keep_ratio)

    def __call__(self, tokens: Tensor, metric: Tensor | None = None, tower: TowerAttention | None = None) -> Reduced:
        received = require_tower(tower).received
        x = widened(tokens)
        views, n = x.shape[:2]
        num_salient, num_context = self._budget(n)
        salient = received.argsort(dim=1, descending=True, stable=True).argsort(dim=1) < num_salient
        patch = torch.arange(views * n, device=x.device).view(views, n)
        home, unit = torch.where(salient, patch, -1), F.normalize(x, dim=-1)
        for segment in cut_where_different(x.mean(dim=1), _ALIKE, _SEGMENTS) if num_context else ():
            anchors = torch.cat([patch[frame, own] for frame, own in self._anchors(x, salient, segment)]).sort().values
            for frame in segment:
                rest = (~salient[frame]).nonzero()[:, 0]
                likest = (unit[frame, rest] @ unit.flatten(0, 1)[anchors].mT).argmax(dim=1)
                home[frame, rest] = anchors[likest]
            home.view(-1)[anchors] = anchors
        return join_patches(tokens, home, _weights(home, patch, x.dtype))

    def _budget(self, n: int) -> tuple[int, int]:
        """Salient patches of each frame, and anchors for each."""
        budget = max(1, int(round(n * self.keep_ratio, 9)))
        num_context = int(round(budget * _CONTEXT, 9))
        return budget - num_context, num_context

    def _anchors(self, x: Tensor, salient: Tensor, segment: range) -> Iterator[tuple[int, Tensor]]:
        """Frames of a segment with anchors, and which of their patches these are."""
        num_salient, num_context = self._budget(x.shape[1])
        for period in range(_PERIOD, 0, -1):
            frames = segment[::-1][::period]
            each, more = divmod(num_context * len(segment), len(frames))
            if each + (more > 0) <= x.shape[1] - num_salient:
                break
        for number, frame in enumerate(frames):
            rest = (~salient[frame]).nonzero()[:, 0]
            if count := each + (number < more):
                yield frame, rest[peaks(x[frame, rest], count, _NEIGHBOURS, self.seed)[0]]

    def reduces(self) -> bool:
        return self.keep_ratio < 1

    def num_left(self, num_views: int, grid: tuple[int, int]) -> int:
        return num_views * sum(self._budget(grid[0] * grid[1]))


def _weights(home: Tensor, patch: Tensor, dtype: torch.dtype) -> Tensor:
    """(views, n), what each patch counts in its token."""
    joins = (home >= 0) & (home != patch)
    others = torch.bincount(home[joins], minlength=home.numel()).to(dtype)  # for each patch, those that joined it
    own = torch.ones_like(others).masked_fill(others > 0, _OWN).view_as(home)
    return torch.where(joins, ((1 - _OWN) / others.clamp_min(1))[home.clamp_min(0)], own)


def fastvid(keep_ratio: float = 0.1, seed: int = 0) -> Method:
    """Tokens entering each layer: int(keep_ratio x patches) a frame; 19 of 196 as released."""
    return replace(before_decoder("FastVID", SalientAndAnchors(keep_ratio, seed)), positions="original")
