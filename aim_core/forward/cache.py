"""PrunedCacheLayer: keys and values of one layer without the pruned tokens, numbered as the full prompt."""

from __future__ import annotations

import torch
from torch import Tensor
from transformers import Cache, DynamicCache, PreTrainedConfig
from transformers.cache_utils import DynamicLayer


class PrunedCacheLayer(DynamicLayer):
    """A stock cache layer that also knows what is not in it.

    num_absent: rows of the full prompt that are not stored here (merged away, dropped), less any padding added.
    visible:    (b, stored) bool, which stored rows new ones may attend to; None for all.
    shift:      (b, 1) int64, by how much new positions are lower than those of the full prompt.

    Its length is that of the full prompt, so that `generate`, chat turns with all earlier ids, masks and positions
    go on as if nothing had been taken away. Only a pass that knows what is missing can add rows: a model
    outside `aim` would number and mask them wrongly, without a sound.
    """

    def __init__(self, num_absent: int, visible: Tensor | None, shift: Tensor):
        super().__init__()
        self.num_absent, self.visible, self.shift = num_absent, visible, shift
        self._whole = self._open = False

    def accept_rows(self) -> None:
        """Accept the rows of the pass that is now in this layer."""
        self._open = True

    def update(self, key_states: Tensor, value_states: Tensor, *args, **kwargs) -> tuple[Tensor, Tensor]:
        """Add rows as stock does. Raises ValueError if no pass of `aim` is in this layer."""
        if not (self._open or self._whole):
            raise ValueError("this cache was filled inside aim() and rows are missing from it: go on inside one")
        self._open = False
        return super().update(key_states, value_states, *args, **kwargs)

    @property
    def num_stored(self) -> int:
        return self.keys.shape[-2] if self.is_initialized else 0

    def append_visibility(self, incoming: Tensor, all_visible: bool) -> None:
        """Append whether new rows, (b, q) bool, may be attended to; `all_visible`: they all may."""
        if self.visible is None and all_visible:
            return
        if self.visible is None:
            self.visible = incoming.new_ones((len(incoming), self.num_stored))
        self.visible = torch.cat([self.visible, incoming.to(self.visible.device)], dim=1)

    def get_seq_length(self) -> int:
        return self.num_stored + self.num_absent if self.is_initialized else 0

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return self.num_stored + query_length, 0

    def reset(self) -> None:
        super().reset()
        self.num_absent, self.visible, self.shift, self._whole = 0, None, torch.zeros_like(self.shift), True

    def crop(self, tokens_to_remove: int) -> None:
        super().crop(tokens_to_remove)
        if self.visible is not None:
            self.visible = self.visible[:, : self.num_stored]

    def reorder_cache(self, beam_idx: Tensor) -> None:
        super().reorder_cache(beam_idx)
        self._each(lambda x: x.index_select(0, beam_idx.to(x.device)))

    def batch_repeat_interleave(self, repeats: int) -> None:
        super().batch_repeat_interleave(repeats)
        self._each(lambda x: x.repeat_interleave(repeats, dim=0))

    def batch_select_indices(self, indices: Tensor) -> None:
        super().batch_select_indices(indices)
        self._each(lambda x: x[indices.to(x.device)])

    def _each(self, change) -> None:
        self.shift = change(self.shift)
        if self.visible is not None:
            self.visible = change(self.visible)


def cache_to_fill(
    cache: Cache | None, config: PreTrainedConfig, num_layers: int, uses_cache: bool
) -> DynamicCache | None:
    """The cache that a prefill may put pruned layers into: the caller's, or a new one if one is used at all.

    Raises ValueError for a cache whose layers must all have one length.
    """
    if cache is None:
        return DynamicCache(config=config) if uses_cache else None
    plain = type(cache) is DynamicCache and all(type(layer) is DynamicLayer for layer in cache.layers)
    if not plain or cache.offloading:
        raise ValueError(f"only a DynamicCache can hold layers of different lengths, got {type(cache).__name__}")
    cache.layers += [DynamicLayer() for _ in range(num_layers - len(cache.layers))]
    return cache
