"""SparseVLM (arXiv 2410.04417): text tokens that look at the picture rate its tokens, at three depths.

Variant: the first version without recycling, so pruned tokens are gone; and those that stay keep their positions (the
first version numbers them anew). Ranked by the layer about to run, before which tokens leave.
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
from aim_core.methods.base import Method, where_needed
from aim_core.methods.before_decoder import check_share
from aim_core.methods.fastv import NoMerge
from aim_core.methods.scorers import causal_attention

_DEPTHS = (2 / 32, 6 / 32, 15 / 32)  # of the three drops, as released for 32 layers
_OF = 576  # patches of the published settings: tokens left on average → after each drop
_LEFT = {0: (0, 0, 0), 64: (66, 30, 17), 96: (238, 48, 26), 128: (303, 110, 36), 192: (300, 200, 110), 576: (576,) * 3}
_BLOCK = 256  # rows of attention computed at a time


@dataclass(frozen=True)
class ThreeDrops:
    """All visual tokens up to 2/32 of the depth, then fewer from there, from 6/32 and from 15/32 on, at least 1.

    keep_ratio:  64/576, 96/576, 128/576 and 192/576 leave the published shares; between them lines (ours).
    first_layer: before which none leaves; 0 for the depth alone.
    """

    keep_ratio: float
    first_layer: int = 0

    def __post_init__(self):
        check_share(self.keep_ratio)
        check_whole("first_layer", self.first_layer)
        if self.first_layer < 0:
            raise ValueError(f"first_layer must be at least 0, got {self.first_layer}")

    def tokens_entering(self, num_visual: int, num_layers: int) -> list[int]:
        begins = [max(1, self.first_layer, round(depth * num_layers)) for depth in _DEPTHS]
        if begins[-1] >= num_layers:
            raise ValueError(f"of {num_layers} layers none is left to drop before from layer {begins[-1]} on")
        stages = [num_visual, *(min(num_visual, max(1, round(num_visual * share))) for share in self._shares())]
        return [stages[sum(layer >= begin for begin in begins)] for layer in range(num_layers)]

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


def sparsevlm(keep_ratio: float = 192 / 576, first_layer: int = 0) -> Method:
    """Tokens entering each layer: all n, then 300/576, 200/576 and 110/576 of them, 0.327 n on average.

    A model with deepstack needs all tokens in its first layers: give a `first_layer` behind them.
    """
    return Method("SparseVLM", NoMerge(), ThreeDrops(keep_ratio, first_layer), RaterAttention())
