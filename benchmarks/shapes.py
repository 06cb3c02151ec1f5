"""Shapes: random models as wide as released ones, and prompts of random visual tokens for them.

Random attention costs what trained attention costs: no step of a prefill depends on the values.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import LlavaOnevisionConfig, LlavaOnevisionForConditionalGeneration, Qwen2Config, SiglipVisionConfig

from aim_core.adapters.base import Adapter
from aim_core.adapters.layout import Layout, MediaSpan, assign_rows, consecutive
from aim_core.adapters.llava_onevision import LlavaOnevisionAdapter
from aim_core.view import View

_BEFORE = 14  # rows of text before the video, as in the chat template


@dataclass(frozen=True)
class Shape:
    """Sizes of a language model."""

    name: str
    layers: int
    hidden: int
    heads: int
    kv_heads: int
    intermediate: int


HALF_BILLION = Shape("Qwen2-0.5B", 24, 896, 14, 2, 4864)
SEVEN_BILLION = Shape("Qwen2-7B", 28, 3584, 28, 4, 18944)
TINY = Shape("tiny", 8, 64, 4, 2, 96)  # for tests
SHAPES = {shape.name: shape for shape in (HALF_BILLION, SEVEN_BILLION, TINY)}


def random_model(shape: Shape, layers: int, device: str = "cpu", dtype: torch.dtype = torch.float32) -> Adapter:
    """A LLaVA-OneVision with `layers` layers of this shape, a small vocabulary and a tower too small to matter."""
    text = Qwen2Config(
        vocab_size=1000,
        hidden_size=shape.hidden,
        intermediate_size=shape.intermediate,
        num_hidden_layers=layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        tie_word_embeddings=True,
        max_position_embeddings=65536,
    )
    vision = SiglipVisionConfig(
        hidden_size=64, intermediate_size=64, num_hidden_layers=1, num_attention_heads=1, image_size=384, patch_size=14
    )
    config = LlavaOnevisionConfig(vision_config=vision, text_config=text, image_token_index=5, video_token_index=6)
    usual = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with torch.device(device):
            return LlavaOnevisionAdapter(LlavaOnevisionForConditionalGeneration(config).eval())
    finally:
        torch.set_default_dtype(usual)


@dataclass(frozen=True, eq=False)
class Prompt:
    """A video between two parts of text, not merged yet: embeds (1, N, d), and which rows are visual."""

    embeds: Tensor
    layout: Layout

    @property
    def num_visual(self) -> int:
        return len(self.layout.visual)


def random_prompt(adapter: Adapter, num_frames: int, side: int, num_text: int) -> Prompt:
    """`num_frames` frames of side x side tokens and one newline row, between `num_text` rows of text."""
    per_frame, weight = side * side, adapter.model.get_input_embeddings().weight
    views = tuple(consecutive(View(0, (frame,), (side, side)), frame * per_frame) for frame in range(num_frames))
    video = MediaSpan(num_frames * per_frame + 1, views)
    places = torch.arange(_BEFORE, _BEFORE + video.num_rows, device=weight.device)
    made = torch.Generator(weight.device).manual_seed(0)
    size = (1, num_text + video.num_rows, weight.shape[1])
    embeds = torch.randn(size, generator=made, device=weight.device, dtype=weight.dtype) * 0.02
    return Prompt(embeds, assign_rows(places, [video]))
