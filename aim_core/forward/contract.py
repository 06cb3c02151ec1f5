"""Contract: everything private of transformers that the core leans on, looked for before anything runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import transformers
from torch import nn
from transformers import Cache
from transformers.cache_utils import DynamicLayer

from aim_core.adapters.base import Adapter
from aim_core.adapters.call import MODALITIES
from aim_core.forward.dialect import alias_in, arguments, parameters

# What forwards are given or report, by the core's names
_INNER = ("input_ids", "attention_mask", "position_ids", "past_key_values", "inputs_embeds", "mm_encoder_outputs")
_DECODER = ("inputs_embeds", "attention_mask", "position_ids", "past_key_values", "use_cache")
_LAYER = ("hidden_states", "attention_mask", "position_ids", "past_key_values", "position_embeddings")
_DEEPSTACK = ("visual_pos_masks", "deepstack_visual_embeds")
_CACHE = ("get_seq_length", "update", "crop", "reorder_cache", "batch_repeat_interleave", "batch_select_indices")
_STORED = ("keys", "values", "is_initialized")
# Methods of stock's cache layer that `cache.PrunedCacheLayer` has its own of, with their first parameters
OVERRIDDEN = {
    "get_seq_length": (),
    "get_mask_sizes": ("query_length",),
    "update": ("key_states", "value_states"),
    "reset": (),
    "crop": ("tokens_to_remove",),
    "reorder_cache": ("beam_idx",),
    "batch_repeat_interleave": ("repeats",),
    "batch_select_indices": ("indices",),
}


def check_contract(adapter: Adapter, tower: bool = False, inside: bool = False) -> None:
    """Raise ValueError, naming the version of transformers, if the model lacks something that the core leans on.

    tower: whether the vision tower's attention is asked for; inside: whether tokens are to merge in its layers.
    """
    missing = [*_of_model(adapter), *_of_decoder(adapter), *_of_cache()]
    if tower:
        missing += _of_tower(adapter, inside)
    if missing:
        raise ValueError(
            f"this version cannot work with {type(adapter.model).__name__} of transformers {transformers.__version__}: "
            f"missing {', '.join(missing)}; install a version of transformers that requirements.txt allows"
        )


def _of_model(adapter: Adapter) -> Iterator[str]:
    inner = adapter.inner
    yield from _lacking(adapter.model, ("logits_to_keep",) if adapter.keeps_logits else ())
    yield from _lacking(inner, _INNER)
    yield from _without(adapter.model, ("generate", "_get_candidate_generator"))
    if adapter.grid_positions:
        yield from _without(inner, ("rope_deltas",))
    for modality, reads in zip(MODALITIES, adapter.reads, strict=True):
        features = getattr(type(inner), f"get_{modality}_features", None)
        where = f"{type(inner).__name__}.get_{modality}_features"
        if features is not None:
            yield from (f"{name} of {where}" for name in reads if name not in arguments(features))
        elif reads[0] in parameters(inner):
            yield where


def _of_decoder(adapter: Adapter) -> Iterator[str]:
    decoder = adapter.decoder
    yield from _lacking(decoder, _DECODER + (_DEEPSTACK if adapter.first_droppable else ()))
    yield from _without(decoder, ("set_attn_implementation",))
    for layer in {type(layer): layer for layer in decoder.layers}.values():
        yield from _lacking(layer, _LAYER)
        yield from _without(layer, ("input_layernorm",))
        yield from _without(getattr(layer, "self_attn", None), ("scaling",))
    kinds = getattr(decoder.config, "layer_types", None)
    if kinds is not None and len(kinds) != len(decoder.layers):
        yield f"a word of {type(decoder.config).__name__}.layer_types for each layer"
    if kinds is None and getattr(decoder.config, "sliding_window", None):
        yield f"{type(decoder.config).__name__}.layer_types, which says where the sliding window is used"


def _of_tower(adapter: Adapter, inside: bool) -> Iterator[str]:
    yield from _without(adapter.inner, adapter.pooled_by)
    tower = adapter.tower()
    yield from _without(tower.model, ("set_attn_implementation",))
    for layer in {type(layer): layer for layer in tower.layers}.values() if inside else ():
        yield from _without(layer, tower.parts)


def _of_cache() -> Iterator[str]:
    for name, wanted in OVERRIDDEN.items():
        stock = getattr(DynamicLayer, name, None)
        if stock is None or arguments(stock)[: len(wanted)] != wanted:
            yield f"DynamicLayer.{name}({', '.join(wanted)})"
    yield from (f"Cache.{name}" for name in _CACHE if not hasattr(Cache, name))
    yield from _without(DynamicLayer(), _STORED)


def _lacking(module: nn.Module, wanted: tuple[str, ...]) -> Iterator[str]:
    names = parameters(module)
    for name in wanted:
        if alias_in(name, names) is None:
            yield f"{name} of {type(module).__name__}.forward"


def _without(owner: Any, wanted: tuple[str, ...]) -> Iterator[str]:
    yield from (f"{type(owner).__name__}.{name}" for name in wanted if not hasattr(owner, name))
