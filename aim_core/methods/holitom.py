"""HoliTom (arXiv 2505.21334): places that stay the same through a segment become one token; then a drop inside.

Variant: tokens stand in raster order, static ones in the first frame of their segment (released: before all frames).
Qwen's planes of two frames count as frames, and so do the crops of an image.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from aim_core.methods.base import Method, require_tower
from aim_core.methods.before_decoder import check_share
from aim_core.methods.drop_at_depth import DropAtDepth
from aim_core.methods.scorers import LastTokenAttention
from aim_core.ops.density_peaks import peaks
from aim_core.ops.folding import Folded, best, fold, numbered
from aim_core.ops.precision import widened
from aim_core.ops.reduced import Reduced, join_patches, keep_patches
from aim_core.ops.tower_attention import TowerAttention

_DEPTH = 18 / 28  # layer of the drop inside, as released for 28 layers
_NEIGHBOURS = 7  # of the density, at most as many as there are clusters
_OWN = 0.6  # what a centre counts in its token, if others joined it


@dataclass(frozen=True)
class MergeStatic:
    """Cut a video where most can be saved, merge what is static in each segment, and keep the best of what moves.

    threshold: a place is static in a segment if its cosine from each frame to the next is above this.
    Segments: those of the largest sum of (frames - 1) x static places, of equals the longest at the end.
    Of the tokens left when static places are one token each the share that gives keep_ratio x all patches stays: of a
    segment's static places, time means clustered by `peaks`, a centre counting 0.6 and the others 0.4; of each frame's
    other patches those that receive most attention, rounded up. Ties go to the earlier. At keep_ratio 1 all stay.
    """

    keep_ratio: float
    threshold: float = 0.8
    seed: int = 0
    needs_tower: ClassVar[bool] = True

    def __post_init__(self):
        check_share(self.keep_ratio)

    def __call__(self, tokens: Tensor, metric: Tensor | None = None, tower: TowerAttention | None = None) -> Reduced:
        received = require_tower(tower).received
        if self.keep_ratio == 1:
            return keep_patches(tokens, torch.ones(tokens.shape[:2], dtype=torch.bool, device=tokens.device))
        x = widened(tokens)
        views, n = x.shape[:2]
        unit = F.normalize(x, dim=-1)
        same = (unit[1:] * unit[:-1]).sum(dim=-1) > self.threshold  # (views - 1, n)
        segments = best_segments(same)
        static = [_static(same, segment) for segment in segments]
        saved = sum((len(segment) - 1) * int(own.sum()) for segment, own in zip(segments, static, strict=True))
        share = min(self.keep_ratio / (1 - saved / (views * n)), 1)
        home = torch.full((views, n), -1, device=x.device)
        weight = torch.ones(views, n, dtype=x.dtype, device=x.device)
        for segment, own in zip(segments, static, strict=True):
            rows, moving = slice(segment.start, segment.stop), (~own).nonzero()[:, 0]
            if own.any():
                places = own.nonzero()[:, 0]
                joins, counts = self._cluster(x[rows, places].mean(dim=0), share)
                home[rows, places], weight[rows, places] = segment.start * n + places[joins], counts / len(segment)
            for frame in segment:
                order = received[frame, moving].argsort(descending=True, stable=True)
                kept = moving[order[: math.ceil(round(share * len(moving), 9))]]
                home[frame, kept] = frame * n + kept
        return join_patches(tokens, home, weight)

    def _cluster(self, means: Tensor, share: float) -> tuple[Tensor, Tensor]:
        """Of c time means the one that each joins, itself for a centre, and what it counts in the token."""
        num = max(1, round(share * len(means)))
        centres, own = peaks(means, num, min(_NEIGHBOURS, num), self.seed)
        others = torch.bincount(own, minlength=num).to(means.dtype) - 1
        weight = ((1 - _OWN) / others.clamp_min(1))[own]
        weight[centres] = torch.ones_like(others).masked_fill(others > 0, _OWN)
        return centres[own], weight

    def reduces(self) -> bool:
        return self.keep_ratio < 1


def best_segments(same: Tensor) -> list[range]:
    """The segments of T frames that save most; same: (T - 1, n) bool, places that stay alike from each to the next."""
    steps = same.cpu()
    best, begins = [0], [0]  # saved of the first frames, and where the last segment of them begins
    for end in range(1, len(steps) + 2):
        static, most = torch.ones(steps.shape[1], dtype=torch.bool), -1
        for begin in range(end - 1, -1, -1):
            if begin < end - 1:
                static = static & steps[begin]
            saved = best[begin] + (end - begin - 1) * int(static.sum())
            if saved >= most:
                most, first = saved, begin
        best.append(most)
        begins.append(first)
    segments, end = [], len(steps) + 1
    while end:
        segments.append(range(begins[end], end))
        end = begins[end]
    return segments[::-1]


def _static(same: Tensor, segment: range) -> Tensor:
    """(n,) bool, places that are static in a segment; none in a single frame."""
    steps = same[segment.start : segment.stop - 1]
    return steps.all(dim=0) & (len(steps) > 0)


@dataclass(frozen=True)
class AverageIntoNearest:
    """The tokens of highest score stay; each other one is averaged into the one most like it by cosine, one after the
    other in the order of the prompt: (kept + dropped) / 2. Cosines are those before any of it; ties go to the earlier.
    """

    def __call__(self, hidden: Tensor, scores: Tensor, counts: Sequence[int], layer: int) -> Folded:
        place = best(scores, counts[layer])
        group = numbered(place, len(hidden))
        leaves = (group < 0).nonzero()[:, 0]
        unit = F.normalize(widened(hidden), dim=-1)
        group[leaves] = (unit[leaves] @ unit[place].mT).argmax(dim=1)
        joins = group[leaves]
        turn = (joins[:, None] == joins).tril().sum(dim=1)  # of those that join one token the first, the second, ...
        number = torch.bincount(joins, minlength=len(place))  # that join each
        halvings = number[group]
        halvings[leaves] -= turn - 1
        return fold(hidden, group, 0.5 ** halvings.to(unit.dtype), place)


def holitom(
    keep_ratio: float = 0.25, threshold: float = 0.8, inner_ratio: float = 0.5, inner_merge: bool = True, seed: int = 0
) -> Method:
    """Tokens entering each layer: about keep_ratio x all patches, known from the video alone, and from 18/28 of the
    depth on `inner_ratio` of them; inner_ratio 1 is the paper's "without M". inner_merge: whether the others are
    averaged into them, or dropped."""
    merger, folder = MergeStatic(keep_ratio, threshold, seed), AverageIntoNearest() if inner_merge else None
    return Method("HoliTom", merger, DropAtDepth(_DEPTH, inner_ratio), LastTokenAttention(), folder=folder)
