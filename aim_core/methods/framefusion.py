"""FrameFusion (arXiv 2501.01986): what a frame repeats of the one before joins it, layer by layer; then one drop.

Variant: a step comes before a layer, on its input; as released it comes inside the layer before, between attention and
MLP. Qwen's planes of two frames count as frames. Positions are kept, as released.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor

from aim_core.methods.base import Method
from aim_core.methods.fastv import NoMerge
from aim_core.methods.scorers import LastTokenAttention
from aim_core.ops.folding import Folded, best, fold, numbered
from aim_core.ops.precision import widened

_FEWEST = 0.1  # share joined in a step; once there are fewer, joining is over


@dataclass(frozen=True)
class FuseThenDrop:
    """Tokens join the one before them at their place while many are alike; what the budget still asks is dropped once.

    cost:      share of the visual tokens that enters a layer, mean over layers, that is aimed at.
    threshold: cosine from which on a token joins the nearest one left of an earlier view at the same place. A run of
               tokens that join each other becomes its plain mean, in the row of the first.
    Before each layer keep = (layers x cost - shares that entered those before) / (layers left x share now) would meet
    `cost` if nothing left after it. If more would join than 1 - keep allows, just so many do, the most similar, and
    that is all. Once less than a tenth joins, the share `keep` stays before the next layer, by scores, and that is all.
    """

    cost: float
    threshold: float = 0.6

    def __post_init__(self):
        if not 0 < self.cost <= 1:
            raise ValueError(f"cost must be in (0, 1], got {self.cost}")

    def tokens_entering(self, num_visual: int, num_layers: int) -> list[int]:
        return [num_visual] * num_layers

    def reduces(self) -> bool:
        return self.cost < 1

    def begin(self, num_layers: int, num_visual: int, cells: Tensor) -> Fusing:
        return Fusing(self, num_layers, num_visual, cells)


@dataclass(eq=False)
class Fusing:
    """The steps of one prompt, see `FuseThenDrop`."""

    schedule: FuseThenDrop
    num_layers: int
    num_visual: int
    cells: Tensor
    phase: str = field(default="joining", init=False)  # then "dropping" or "over"

    def wants_scores(self, layer: int) -> bool:
        return self.phase == "dropping"

    def step(
        self,
        layer: int,
        hidden: Tensor,
        scores: Tensor | None,
        rows: Tensor,
        entered: Sequence[int],
        protected: Tensor | None = None,
    ) -> Folded | None:
        if self.phase == "over" or not self.schedule.reduces():
            return None
        num = len(hidden)
        wanted = self.num_layers * self.schedule.cost * self.num_visual - sum(entered)
        keep = min(num, max(1, round(wanted / (self.num_layers - layer))))  # tokens
        if self.phase == "dropping" and scores is not None:
            self.phase = "over"
            place = best(scores, keep)
            return None if keep == num else fold(hidden, numbered(place, num), torch.ones_like(scores), place)
        order, likeness = self._likeness(hidden, self.cells[rows.to(self.cells.device)].to(hidden.device))
        if protected is not None:  # others may join it, it joins none
            likeness = likeness.masked_fill(protected[order], -torch.inf)
        joins = likeness >= self.schedule.threshold
        if joins.sum() > num - keep:
            self.phase = "over"
            joins = torch.zeros_like(joins)
            joins[likeness.argsort(descending=True, stable=True)[: num - keep]] = True
        elif joins.sum() < _FEWEST * num:
            self.phase = "dropping"
        return _runs(hidden, order, joins) if joins.any() else None

    def _likeness(self, hidden: Tensor, cells: Tensor) -> tuple[Tensor, Tensor]:
        """The tokens by place, then by view, (c,) int64; and of each in this order the cosine with the one before it,
        (c,), -inf for one that has none at its place."""
        block, view, patch = (cells - cells.amin(dim=0)).unbind(dim=1)
        place = block * (int(patch.max()) + 1) + patch
        order = (place * (int(view.max()) + 1) + view).argsort(stable=True)
        unit, own = F.normalize(widened(hidden[order]), dim=-1), place[order]
        likeness = unit.new_full((len(order),), -torch.inf)
        same = (own[1:] == own[:-1]) & (cells[order[1:], 0] >= 0)
        likeness[1:] = (unit[1:] * unit[:-1]).sum(dim=-1).masked_fill(~same, -torch.inf)
        return order, likeness


def _runs(hidden: Tensor, order: Tensor, joins: Tensor) -> Folded:
    """Every token that joins, (c,) bool in this order, in one with those before it."""
    group = torch.empty_like(order)
    group[order] = (~joins).cumsum(0) - 1
    size = torch.bincount(group)
    return fold(hidden, group, 1 / size[group].to(widened(hidden).dtype), order[~joins])


def framefusion(cost: float = 0.3, threshold: float = 0.6) -> Method:
    """Tokens entering each layer: decided while the layers run; the share `cost` of all, mean over layers."""
    return Method("FrameFusion", NoMerge(), FuseThenDrop(cost, threshold), LastTokenAttention(), positions="original")
