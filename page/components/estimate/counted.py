"""Counted: what settings will cost on a model, before any run; the estimate panel's script counts alike."""

from __future__ import annotations

from dataclasses import dataclass

from aim_core.adapters.base import Adapter
from aim_core.config import AimConfig
from aim_core.ops.flops import kv_bytes, prefill_flops
from aim_core.ops.merging import num_kept


@dataclass(frozen=True)
class Counted:
    """visual_per_layer: visual tokens that enter each layer. language_flops: of the prefill, by `flops.FORMULA`.

    kv_bytes: of the keys and values that it leaves for decoding.
    """

    visual_per_layer: tuple[int, ...]
    language_flops: int
    kv_bytes: int


def counted(adapter: Adapter, prompt: dict, config: AimConfig) -> Counted:
    """The cost of one prompt, an entry of `component.prompts`, with these settings."""
    merged = prompt["suffix"] + sum(count * num_kept(size, config.keep_ratio) for size, count in prompt["views"])
    visual = config.schedule.tokens_entering(merged, adapter.num_layers)
    tokens = [count + prompt["text"] for count in visual]
    kept = kv_bytes(tokens, adapter.sizes["kv"], adapter.model.dtype.itemsize)
    return Counted(tuple(visual), prefill_flops(tokens, **adapter.sizes), kept)
