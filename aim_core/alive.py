"""Alive: the rows of a prompt that are still there, layer by layer, for every sample of a batch."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from aim_core.methods.base import Rank


class Alive:
    """Which rows a layer has, and which of them may be seen.

    valid:     (b, n) bool, rows of the prompt that are not padding.
    droppable: (b, n) bool, rows that may be dropped.
    plans:     for each sample, how many droppable rows enter each layer.
    drops:     whether rows leave, or stay hidden.

    rows:    (b, m) int64, the rows of the prompt that the current layer has, ascending; padding comes first.
    visible: (b, m) bool, those that may be attended to.
    full: whether all of them may be, in every sample.

    How many rows are left is known from the plans, so that a GPU is not asked, and waited for, at every layer.
    """

    def __init__(self, valid: Tensor, droppable: Tensor, plans: Sequence[Sequence[int]], drops: bool):
        self.valid, self.droppable, self.plans, self.drops = valid, droppable & valid, plans, drops
        self.rows = torch.arange(valid.shape[1], device=valid.device).repeat(len(valid), 1)
        self.visible = valid
        self.scores: list[Tensor | None] = [None] * len(valid)  # (m,) each, in the layer before; -inf: not scored
        self._totals: list[int] = valid.sum(dim=1).tolist()
        self.full = min(self._totals) == valid.shape[1]

    def enter(self, layer: int) -> Tensor | None:
        """Let the best candidates into `layer`; (b, k) int64, which of the rows went on, or None for all.

        Ties go to the earlier row. Raises RuntimeError if there must be a choice and no scores to choose by.
        """
        scores, self.scores = self.scores, [None] * len(self.plans)
        losing = [sample for sample, plan in enumerate(self.plans) if layer and plan[layer] < plan[layer - 1]]
        if not losing:
            return None
        candidates = self.visible & self.droppable.gather(1, self.rows)
        self.visible = self.visible.clone()  # whoever holds the last layer's keeps it
        for sample in losing:
            before, after = self.plans[sample][layer - 1], self.plans[sample][layer]
            own = _places(candidates[sample], before)
            self.visible[sample, own[_worst(scores[sample], own, after, layer)]] = False
            self._totals[sample] -= before - after
        return self._leave() if self.drops else self._hide()

    def score(self, rank: Rank, query: Tensor, key: Tensor, scale: float, samples: Sequence[int]) -> None:
        """Ask for the scores of the current layer: query (b, heads, m, d) and key (b, kv_heads, m, d)."""
        for sample in samples:
            q, k = query[sample : sample + 1], key[sample : sample + 1]
            if self.full:
                self.scores[sample] = rank(q, k, scale)[0].to(self.rows.device)
                continue
            present = self.visible[sample] if self.drops else self.valid[sample].gather(0, self.rows[sample])
            hidden = ~self.visible[sample][present]
            scores = rank(*_out_of_sight(q[:, :, present], k[:, :, present], hidden), scale)[0].to(self.rows.device)
            whole = scores.new_full((len(present),), -torch.inf)
            whole[present] = scores
            self.scores[sample] = whole

    def _leave(self) -> Tensor:
        """Take hidden rows out; samples that keep fewer get filling in front."""
        longest = max(self._totals)
        picked = self.visible.to(torch.uint8).argsort(dim=1, stable=True)[:, -longest:]  # hidden ones first
        self.rows = self.rows.gather(1, picked)
        self.visible = self.visible.gather(1, picked)
        self.full = min(self._totals) == longest
        return picked

    def _hide(self) -> None:
        self.full = False


def _places(mask: Tensor, count: int) -> Tensor:
    """(count,) int64, ascending, where mask (m,) is true; `count` is how often that is."""
    return mask.to(torch.uint8).argsort(descending=True, stable=True)[:count]


def _worst(scores: Tensor | None, own: Tensor, count: int, layer: int) -> Tensor:
    """Indices into `own` of all but the best `count`."""
    if not count:
        return torch.arange(len(own), device=own.device)
    if scores is None:
        raise RuntimeError(f"layer {layer} must choose {count} of {len(own)} tokens without scores")
    return scores[own].argsort(descending=True, stable=True)[count:]


def _out_of_sight(query: Tensor, key: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
    """Give query and key one more feature that takes q·k of `hidden` (m,) keys below what any softmax can see."""
    if not hidden.any():
        return query, key
    far = 2.0**15  # exact in half precision; other keys get + 0, so their logits stay exact
    extra = hidden.to(key.dtype)[None, None, :, None].expand(*key.shape[:3], 1)
    return torch.cat([query, torch.full_like(query[..., :1], far)], dim=-1), torch.cat([key, -extra * far], dim=-1)
