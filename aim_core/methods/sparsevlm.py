"""SparseVLM (arXiv 2410.04417): text tokens that look at the picture rate its tokens, at three depths.

The first version: of the tokens that leave, those rated best are clustered, and the clusters' means go on behind the
others (recycling; the second version has none). Variant: tokens keep their positions, a mean that of its cluster's
centre; the first version numbers all anew. Ranked by the layer about to run, before which tokens leave.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor

from aim_core.config import check_whole
from aim_core.methods.base import Method
from aim_core.methods.before_decoder import check_share
from aim_core.methods.counts import where_needed
from aim_core.methods.fastv import NoMerge
from aim_core.methods.scorers import causal_attention
from aim_core.ops.density_peaks import peaks
from aim_core.ops.folding import Folded, best, fold, numbered
from aim_core.ops.precision import widened
from aim_core.reasons import UnfitError

_DEPTHS = (2 / 32, 6 / 32, 15 / 32)  # of the three drops, as released for 32 layers
_OF = 576  # patches of the published settings: tokens left on average → after each drop
_LEFT = {0: (0, 0, 0), 64: (66, 30, 17), 96: (238, 48, 26), 128: (303, 110, 36), 192: (300, 200, 110), 576: (576,) * 3}
_PER_CLUSTER = 10  # recycled tokens
_BLOCK = 256  # rows of attention computed at a time


@dataclass(frozen=True)
class ThreeDrops:
    """All visual tokens up to 2/32 of the depth, then fewer from there, from 6/32 and from 15/32 on, at least 1, and
    beside them the clusters of those that are recycled.

    keep_ratio:  64/576, 96/576, 128/576 and 192/576 leave the published shares; between them lines (ours).
    first_layer: before which none leaves; 0 for the depth alone.
    recycled:    of the tokens that leave, the share that is recycled, and one more; 0 for none at all.
    """

    keep_ratio: float
    first_layer: int = 0
    recycled: float = 0.0

    def __post_init__(self):
        check_share(self.keep_ratio)
        check_whole("first_layer", self.first_layer)
        if self.first_layer < 0:
            raise ValueError(f"first_layer must be at least 0, got {self.first_layer}")
        if not 0 <= self.recycled <= 1:
            raise ValueError(f"recycled must be in [0, 1], got {self.recycled}")

    def tokens_entering(self, num_visual: int, num_layers: int) -> list[int]:
        counts, begins = [num_visual] * num_layers, self._begins(num_layers)
        for begin, kept in zip(begins, self._kept(num_visual), strict=True):
            before = counts[begin - 1]
            num_left = before - min(before, kept)
            counts[begin:] = [before - num_left + self.num_clusters(num_left)] * (num_layers - begin)
        return counts

    def num_kept(self, counts: Sequence[int], layer: int) -> int:
        """How many of the tokens that enter `layer` are no clusters."""
        stage = sum(layer >= begin for begin in self._begins(len(counts))) - 1
        return min(self._kept(counts[0])[stage], counts[layer])

    def num_recycled(self, num_left: int) -> int:
        """How many of so many tokens that leave are recycled."""
        return min(num_left, int(round(self.recycled * num_left, 9)) + 1) if self.recycled else 0

    def num_clusters(self, num_left: int) -> int:
        """How many clusters of them there are, ten tokens each and one more."""
        recycled = self.num_recycled(num_left)
        return recycled // _PER_CLUSTER + 1 if recycled else 0

    def _begins(self, num_layers: int) -> list[int]:
        begins = [max(1, self.first_layer, round(depth * num_layers)) for depth in _DEPTHS]
        if begins[-1] >= num_layers:
            raise UnfitError("no_layer", num_layers=num_layers, layer=begins[-1])
        return begins

    def _kept(self, num_visual: int) -> list[int]:
        """Tokens that stay at each drop."""
        return [min(num_visual, max(1, round(num_visual * share))) for share in self._shares()]

    def _shares(self) -> list[float]:
        """Of all tokens, after each drop."""
        wanted = self.keep_ratio * _OF
        low, high = list(pairwise(_LEFT))[min(len(_LEFT) - 1, bisect_right(list(_LEFT), wanted)) - 1]
        way = (wanted - low) / (high - low)
        return [(a + way * (b - a)) / _OF for a, b in zip(_LEFT[low], _LEFT[high], strict=True)]


@dataclass(frozen=True)
class RaterAttention:
    """Score by the attention that some text tokens, the raters, pay in the next layer, mean over heads and raters.

    raters: their distances from the prompt's end, 1 for its last token; set by `for_prompt`.
    """

    raters: tuple[int, ...] = ()
    looks_ahead: ClassVar[bool] = True

    def for_prompt(self, embeds: Tensor, visual: Tensor) -> RaterAttention:
        """Raters are text tokens behind the last visual one whose relevance is above the mean, all if they are equal.

        Relevance: softmax over text of visual · text as they enter layer 0, mean over visual tokens.
        """
        if not visual.any():
            return self  # nothing to rate
        x = embeds.to(torch.promote_types(embeds.dtype, torch.float32))
        text = x[int(visual.nonzero()[-1]) + 1 :]
        relevance = (x[visual] @ text.mT).softmax(dim=1).mean(dim=0)
        chosen = (relevance > relevance.mean()).nonzero()[:, 0].tolist()
        return RaterAttention(tuple(len(text) - row for row in chosen or range(len(text))))

    def __call__(self, query: Tensor, key: Tensor, scale: float) -> Tensor:
        if not self.raters:
            raise ValueError("text raters are chosen for one prompt: call for_prompt first")
        rows = query.shape[2] - torch.tensor(self.raters, device=query.device)
        parts = [causal_attention(query[:, :, own], key, scale, own) for own in rows.split(_BLOCK)]
        return torch.cat([part.mean(dim=1) for part in parts], dim=1).mean(dim=1)

    def layers(self, counts: Sequence[int]) -> frozenset[int]:
        return where_needed(counts)


@dataclass(frozen=True)
class Recycle:
    """Of the tokens that leave, the best rated are clustered by `peaks`, and each cluster's mean goes on, behind all
    others, in the row of its centre; means stand in the order of their centres.

    drops: says how many stay, are recycled, and how many clusters they make.
    """

    drops: ThreeDrops
    seed: int = 0

    def __call__(self, hidden: Tensor, scores: Tensor, counts: Sequence[int], layer: int) -> Folded:
        stay = best(scores, self.drops.num_kept(counts, layer))
        num_clusters = counts[layer] - len(stay)
        group = numbered(stay, len(hidden))
        weight = torch.ones(len(hidden), dtype=widened(hidden).dtype, device=hidden.device)
        leaves = (group < 0).nonzero()[:, 0]
        if not num_clusters:
            return fold(hidden, group, weight, stay)
        recycled = leaves[best(scores[leaves], max(num_clusters, self.drops.num_recycled(len(leaves))))]
        centres, cluster = peaks(widened(hidden[recycled]), num_clusters, num_clusters, self.seed)
        centres, number = centres.sort()
        cluster = numbered(number, num_clusters)[cluster]  # counted in the order of their centres
        group[recycled] = len(stay) + cluster
        weight[recycled] = 1 / torch.bincount(cluster, minlength=num_clusters)[cluster].to(weight.dtype)
        return fold(hidden, group, weight, torch.cat([stay, recycled[centres]]), num_clusters)


def sparsevlm(keep_ratio: float = 192 / 576, first_layer: int = 0, recycled: float = 0.3, seed: int = 0) -> Method:
    """Tokens entering each layer: all n, then 300/576, 200/576 and 110/576 of them beside a few clusters; 192 of 576 on
    average over 32 layers. recycled: see `ThreeDrops`; with 0 tokens that leave are gone, as in the second version.

    A model with deepstack needs all tokens in its first layers: give a `first_layer` behind them.
    """
    drops = ThreeDrops(keep_ratio, first_layer, recycled)
    folder = Recycle(drops, seed) if recycled else None
    return Method("SparseVLM", NoMerge(), drops, RaterAttention(), folder=folder)
