"""FlashVID (arXiv 2602.08024): patches that are attended to and diverse; the others in trees through time; a late drop.

Trees stay within a segment here, and a frame's share of its segment's budget goes by the number of its trees. Qwen's
planes of two frames count as frames, and so do the crops of an image. Positions are kept, as released.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from aim_core.methods.base import Method, require_tower
from aim_core.methods.before_decoder import check_share
from aim_core.methods.drop_at_depth import DropAtDepth
from aim_core.methods.scorers import LastTokenAttention
from aim_core.ops.deal_out import deal_out
from aim_core.ops.density_peaks import peaks
from aim_core.ops.precision import widened
from aim_core.ops.reduced import Reduced, join_patches, weighted_sums
from aim_core.ops.segments import cut_where_different
from aim_core.ops.tower_attention import TowerAttention

_ALIKE, _SEGMENTS = 0.9, 8  # cuts: below this cosine, and at least so many segments
_SELECTED = 0.7  # of a frame's budget, by attention and diversity
_LINK = 0.8  # cosine above which a patch joins one of the frame before
_NEIGHBOURS = 7  # of the density
_DEPTH = 20 / 28  # layer of the late drop, as released for 28 layers


@dataclass(frozen=True)
class SelectAndTrees:
    """Of a frame's budget b = ceil(keep_ratio x patches), ceil(0.7 b) are selected, the others are means of trees.

    Selected (ADTS v2): see `select`, with the attention received and the product with the mean of the segment's frame
    means. Trees (TSTM): of the rest each joins the most similar of the frame before if their cosine is above 0.8, but
    only along so many of the strongest links that as many trees are left as the budget has tokens; a tree is a mean,
    at its earliest patch. Where more trees are left, those of each frame are clustered by `peaks`. Segments: see
    `cut_where_different`, of frame means. Ties go to the earlier.
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
        num_selected, num_trees = self._budget(n)
        home = torch.full((views, n), -1, device=x.device)
        weight = torch.ones(views, n, dtype=x.dtype, device=x.device)
        for segment in cut_where_different(x.mean(dim=1), _ALIKE, _SEGMENTS):
            rows = slice(segment.start, segment.stop)
            event = x[rows].mean(dim=(0, 1))
            for frame in segment:
                chosen = select(x[frame], received[frame] * (x[frame] @ event), num_selected)
                home[frame, chosen] = frame * n + chosen
            if num_trees:
                taken = home[rows] >= 0
                joins, share = self._trees(x[rows], taken, num_trees * len(segment))
                home[rows] = torch.where(taken, home[rows], segment.start * n + joins)
                weight[rows] = torch.where(taken, 1, share)
        return join_patches(tokens, home, weight)

    def _budget(self, n: int) -> tuple[int, int]:
        """Patches selected of each frame, and tokens of trees for each."""
        budget = math.ceil(round(n * self.keep_ratio, 9))
        num_selected = math.ceil(round(budget * _SELECTED, 9))
        return num_selected, budget - num_selected

    def _trees(self, x: Tensor, taken: Tensor, budget: int) -> tuple[Tensor, Tensor]:
        """Of the w frames of a segment, x (w, n, d), the patch (w, n) that each patch not taken, (w, n) bool, joins,
        counted in the segment, and what it counts in that token."""
        free = [(~own).nonzero()[:, 0] for own in taken]
        root = _roots(x, free, sum(map(len, free)) - budget)
        trees = root[~taken].unique()  # in raster order of their roots
        tree = torch.where(taken, -1, torch.searchsorted(trees, root))
        size = torch.bincount(tree[~taken], minlength=len(trees)).to(x.dtype)
        means = weighted_sums(x, tree, 1 / size[tree.clamp_min(0)], len(trees))
        frames = [own for own in (trees // x.shape[1] == torch.arange(len(x), device=x.device)[:, None]) if own.any()]
        counts = deal_out([int(own.sum()) / len(trees) for own in frames], [int(own.sum()) for own in frames], budget)
        joins, share = torch.empty_like(trees), torch.empty_like(size)
        for own, count in zip(frames, counts, strict=True):
            centres, cluster = peaks(means[own], count, _NEIGHBOURS, self.seed)
            joins[own] = trees[own][centres[cluster]]
            share[own] = 1 / (torch.bincount(cluster, minlength=count)[cluster] * size[own])
        return joins[tree.clamp_min(0)], share[tree.clamp_min(0)]

    def reduces(self) -> bool:
        return self.keep_ratio < 1

    def num_left(self, num_views: int, grid: tuple[int, int]) -> int:
        return num_views * sum(self._budget(grid[0] * grid[1]))


def select(x: Tensor, worth: Tensor, count: int) -> Tensor:
    """(count,) int64, patches of one frame by max-min diversity, in the order they are chosen.

    x: (n, d); worth: (n,), which scales the distance 1 - cosine to each patch (a matrix that is not symmetric). First
    the patch whose second smallest entry is largest, then each time that whose smallest to the chosen is.
    """
    unit = F.normalize(x, dim=-1)
    scaled = (1 - unit @ unit.mT).fill_diagonal_(0) * worth  # (n, n), row: from, column: to
    chosen = torch.zeros(count, dtype=torch.int64, device=x.device)
    newest = scaled.sort(dim=0).values[min(1, len(x) - 1)].argmax()
    nearest = torch.full_like(worth, torch.inf)
    for number in range(count):
        chosen[number] = newest
        nearest = torch.minimum(nearest, scaled[newest])
        nearest[newest] = -torch.inf
        newest = nearest.argmax()
    return chosen


def _roots(x: Tensor, free: list[Tensor], most_links: int) -> Tensor:
    """(w, n) int64, for each patch of w frames, x (w, n, d), the root of its tree, itself where it joins none.

    free: for each frame the patches that may join, and be joined.
    """
    n, unit = x.shape[1], F.normalize(x, dim=-1)
    root = torch.arange(len(x) * n, device=x.device)
    strengths, children, parents = [x.new_zeros(0)], [root[:0]], [root[:0]]
    for frame in range(1, len(x)):
        strength, place = (unit[frame, free[frame]] @ unit[frame - 1, free[frame - 1]].mT).max(dim=1)
        strengths.append(strength)
        children.append(frame * n + free[frame])
        parents.append((frame - 1) * n + free[frame - 1][place])
    strength, child, parent = torch.cat(strengths), torch.cat(children), torch.cat(parents)
    strongest = strength.argsort(descending=True, stable=True)[:most_links]
    linked = strongest[strength[strongest] > _LINK].sort().values
    for frame in range(1, len(x)):
        now = linked[child[linked] // n == frame]
        root[child[now]] = root[parent[now]]
    return root.view(len(x), n)


def flashvid(keep_ratio: float = 0.25, expansion: float = 1.25, inner_ratio: float = 0.3, seed: int = 0) -> Method:
    """Tokens entering each layer: ceil(expansion x keep_ratio x patches) a frame, and from 20/28 of the depth on
    `inner_ratio` of all; with the released numbers the mean over 28 layers is keep_ratio x all patches."""
    merger = SelectAndTrees(min(1.0, expansion * keep_ratio), seed)
    return Method("FlashVID", merger, DropAtDepth(_DEPTH, inner_ratio), LastTokenAttention(), positions="original")
