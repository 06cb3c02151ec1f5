"""Footprint: the memory that a checkpoint needs for its weights and for one prompt, before it is loaded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoProcessor

from aim_core.adapters.base import Adapter
from aim_core.adapters.call import Call
from aim_core.adapters.registry import outline_of
from aim_core.checkpoint import read_checkpoint
from aim_core.low_bits import FULL, largest_unpacked, saved_bytes
from aim_core.media.frames import SOUND_RATE
from aim_core.ops.flops import kv_bytes

TEXT_TOKENS = 64  # around the visual ones: a question, and what a chat puts around it
SOUND_SECONDS = 60.0  # of a film, where a model hears and nothing else is known


@dataclass(frozen=True)
class Footprint:
    """Bytes. weights: of the model; kv: of the keys and values of a dense prefill; activations: of what it holds
    beside them at its largest, by `decoder_activations` and `vision_activations`; an audio encoder holds less for each
    token than the decoder does."""

    weights: int
    kv: int
    activations: int

    @property
    def total(self) -> int:
        return self.weights + self.kv + self.activations


def outlined(folder: Path) -> Adapter:
    """The adapter around a checkpoint's model without its weights, on the meta device. Raises what transformers does,
    and ValueError for a family that is not supported."""
    adapter = outline_of(AutoConfig.from_pretrained(folder))
    adapter.processor = AutoProcessor.from_pretrained(folder)
    return adapter


def footprint(
    folder: Path,
    adapter: Adapter,
    dtype: torch.dtype,
    num_frames: int,
    height: int,
    width: int,
    weights: str = FULL,
    sound_seconds: float = SOUND_SECONDS,
) -> Footprint:
    """Of a checkpoint and a dense prompt with so many frames of this size, and so much sound where the model hears.

    adapter: with or without weights; weights: how they will be kept, see `low_bits.WEIGHTS`.
    Raises CheckpointError.
    """
    frames = num_frames if "video" in adapter.modalities else 1
    call = adapter.expected_call(frames, height, width)
    heard = sum(adapter.expected_audio(round(sound_seconds * SOUND_RATE))[0]) if sound_seconds else 0
    tokens = sum(medium.num_rows for medium in adapter.media(call)) + heard + TEXT_TOKENS
    decoder = decoder_activations(tokens, **adapter.sizes, number_bytes=dtype.itemsize)
    tower = adapter.model.config.vision_config
    vision = vision_activations(call, tower, dtype.itemsize, adapter.keeps_tower_states)
    return Footprint(
        weights=read_checkpoint(folder).bytes_as(dtype) - saved_bytes(adapter, weights, dtype),
        kv=kv_bytes([tokens] * adapter.num_layers, adapter.sizes["kv"], dtype.itemsize),
        activations=max(decoder + largest_unpacked(adapter, weights, dtype), vision),
    )


def decoder_activations(tokens: int, hidden: int, kv: int, intermediate: int, q: int, number_bytes: int) -> int:
    """Bytes of one decoder layer at its largest, in the product of the gated MLP: three rows of its width and three of
    the model's; or in attention: query, keys and values before and after rotation, with the mask. PageRank holds the
    attention of one head in float32 beside that."""
    mlp = tokens * (3 * intermediate + 3 * hidden)
    attention = tokens * (3 * hidden + 2 * q + 4 * kv)
    return max(mlp, attention) * number_bytes + tokens**2 * 4


def vision_activations(call: Call, config: Any, number_bytes: int, keeps_states: bool) -> int:
    """Bytes of a tower's layer at its largest, for all pictures of a call at once: pixels and a copy of them; four
    rows of its width and three of its MLP's for each patch, and one more for each layer whose states are kept.

    config: of the tower.
    """
    pixels = sum(value.numel() for name, value in call.arguments.items() if name.startswith("pixel_values"))
    side = getattr(config, "patch_size", 14)
    area = side[0] * side[1] if isinstance(side, list | tuple) else side**2
    patches = pixels // (3 * area * getattr(config, "temporal_patch_size", 1))
    hidden = getattr(config, "embed_dim", None) or config.hidden_size
    mlp = getattr(config, "intermediate_size", None) or round(hidden * getattr(config, "mlp_ratio", 4))
    layers = getattr(config, "num_hidden_layers", None) or config.depth
    rows = 4 + layers if keeps_states else 4
    return (2 * pixels + patches * (rows * hidden + 3 * mlp)) * number_bytes
