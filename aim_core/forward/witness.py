"""Witness: sees every forward of a decoder, and lets no answer through unless the rows went where they should."""

from __future__ import annotations

import threading
from typing import Any

import transformers
from torch import Tensor
from transformers import Cache
from transformers.cache_utils import DynamicLayer

from aim_core.forward.cache import PrunedCacheLayer
from aim_core.forward.dialect import cache_of


class Witness(threading.local):
    """Counts rows of one forward, in whole numbers that are known without waiting for a GPU.

    Each thread has its own forward. Everything here raises ValueError: what would come out is not to be trusted.
    """

    def __init__(self, num_layers: int):
        self.num_layers = num_layers
        self.held = self.returned = None
        self.begin({})

    def begin(self, kwargs: dict[str, Any]) -> None:
        """A forward begins with these arguments, the hooks' changes made."""
        self.cache: Cache | None = kwargs.get("past_key_values")
        self.entered: dict[int, int] = {}  # layer → rows that went in
        self.seen: dict[int, tuple[int, int]] = {}  # layer → rows of query and key that attention saw
        self.stored: dict[int, tuple[Any, int]] = {}  # layer → what held its rows before, and how many

    def enter(self, layer: int, hidden: Tensor) -> None:
        """The rows of `hidden` (b, m, d) enter a layer."""
        _check(layer not in self.entered, f"layer {layer} was entered twice")
        self.entered[layer] = hidden.shape[1]
        if self.cache is not None and layer < len(self.cache.layers):
            held = self.cache.layers[layer]
            self.stored[layer] = held, _num_stored(held)

    def attend(self, layer: int, query: Tensor, key: Tensor) -> None:
        """Attention of a layer sees query (b, heads, m, d) and key (b, kv_heads, n, d)."""
        _check(layer not in self.seen, f"attention of layer {layer} ran twice")
        self.seen[layer] = query.shape[2], key.shape[2]

    def leave(self, output: Any) -> None:
        """The forward ends."""
        _check(list(self.entered) == list(range(self.num_layers)), f"layers {list(self.entered)} were entered in turn")
        self.returned = cache_of(output) if isinstance(output, dict) else None
        if self.cache is not None and self.returned is not None:
            _check(self.returned is self.cache, "the decoder did not use the cache that it was given")
        self.held = self.cache if self.cache is not None else self.returned
        for layer, rows in self.entered.items():
            self._check_layer(layer, rows)

    def hand_over(self, output: Any) -> None:
        """The caller gets this."""
        if self.returned is not None and isinstance(output, dict):
            _check(cache_of(output) is self.returned, "the caller would not get the cache that was filled")

    def _check_layer(self, layer: int, rows: int) -> None:
        query, key = self.seen.get(layer, (0, 0))
        _check(query == rows, f"{rows} rows entered layer {layer} and its attention saw {query}")
        if self.held is None:
            _check(key == rows, f"{rows} rows entered layer {layer} and {key} were attended to")
            return
        held = self.held.layers[layer] if layer < len(self.held.layers) else None
        before, stored = self.stored.get(layer, (held, 0))
        if type(before) not in (DynamicLayer, PrunedCacheLayer):
            return  # of a fixed length, or compressed: its rows are not for counting
        _check(held is before, f"layer {layer} of the cache was put in the place of ours")
        now = _num_stored(held)
        _check(now == stored + rows, f"layer {layer} held {stored} rows, {rows} entered, and it holds {now}")
        _check(key == now, f"layer {layer} holds {now} rows and {key} were attended to")


def _num_stored(layer: Any) -> int:
    return layer.keys.shape[-2] if layer.is_initialized else 0


def _check(true: bool, otherwise: str) -> None:
    if not true:
        raise ValueError(
            f"no answer, since transformers {transformers.__version__} did not run the model as expected: {otherwise}"
        )
