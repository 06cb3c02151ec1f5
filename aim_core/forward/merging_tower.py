"""MergingTower: what happens at each layer of a vision tower whose tokens merge inside it."""

from __future__ import annotations

from collections.abc import Callable
from threading import local

import torch
from torch import Tensor

from aim_core.adapters.tower import Tower
from aim_core.ops.flops import saved_in_tower
from aim_core.ops.tower_merging import MergedTower, tokens_by_layer


class MergingTower(local):
    """Called by the hooks on a tower's layers, in the order of its methods; each thread has its own state.

    share:    of patches, how many are left at the end, see `tokens_by_layer`.
    on_tower: told query, key, scale and mask of the last layer, each row's as its token had them: softmax over repeated
              keys is proportional attention.
    on_saved: told how many operations one forward does not do.
    """

    def __init__(
        self,
        tower: Tower,
        share: float,
        on_tower: Callable[[Tensor, Tensor, float, Tensor | None], None],
        on_saved: Callable[[int], None],
    ):
        self.tower, self.share, self.on_tower, self.on_saved = tower, share, on_tower, on_saved
        self._merged: MergedTower | None = None  # while a forward is under way
        self._counts: list[int] = []
        self._last = False

    @torch.no_grad()
    def attend(self, number: int, query: Tensor, key: Tensor, scale: float, mask: Tensor | None) -> bool | Tensor:
        """As attention of layer `number` begins: the mask for it, or True for the one it has."""
        if number == 0:
            self._begin(query, mask)
        merged, self._last = self._of_forward(), number == len(self.tower.layers) - 1
        if self._last:
            self.on_tower(merged.spread(query), merged.spread(key), scale, None)
        merged.match(key, self._counts[number] - self._counts[number + 1])
        return merged.attention_bias(query.dtype) if number else True

    def merge(self, rows: Tensor) -> Tensor:
        """What the norm before the MLP is given, (b, n, d) → (b, k, d)."""
        return self._of_forward().merge(rows)

    def unmerge(self, rows: Tensor) -> Tensor:
        """What the MLP makes of it, (b, k, d), for the residual rows that it is added to, (b, n, d)."""
        return self._of_forward().unmerge(rows)

    def leave(self, rows: Tensor) -> Tensor:
        """What leaves the layer, (b, n, d) → (b, k, d); the last one gives every row its token's.

        The mean of sums of residual rows and one MLP output is the sum of their mean and that output.
        """
        merged = self._of_forward()
        left = merged.leave_layer(rows)
        if self._last:
            self._merged = None
            return merged.spread(left)
        return left

    def _begin(self, query: Tensor, mask: Tensor | None) -> None:
        if self.tower.model.training and any(
            getattr(own, "gradient_checkpointing", False) for own in self.tower.layers
        ):
            raise ValueError("layers cannot be run a second time: call model.gradient_checkpointing_disable() first")
        if mask is not None and bool((mask.logical_not() if mask.dtype == torch.bool else mask).any()):
            raise ValueError(
                "ToMe in the tower merges whole pictures: pass them without padding (pixel_attention_mask)"
            )
        num_pictures, _, num_rows, _ = query.shape
        num_class, config = int(self.tower.class_token), self.tower.model.config
        self._merged = MergedTower(num_pictures, num_rows, num_class, query.device)
        self._counts = tokens_by_layer(num_rows - num_class, self.share, len(self.tower.layers))
        rows = [count + num_class for count in self._counts]
        self.on_saved(num_pictures * saved_in_tower(rows, config.hidden_size, config.intermediate_size))

    def _of_forward(self) -> MergedTower:
        assert self._merged is not None
        return self._merged
