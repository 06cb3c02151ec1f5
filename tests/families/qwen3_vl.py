"""Qwen3-VL in miniature. As Qwen2-VL, except:

features   BaseModelOutputWithDeepstackFeatures: `pooler_output` a tuple of (rows, d), `deepstack_features` a list with
           one tuple of (rows, d) for each of `deepstack_visual_indexes`.
deepstack  the decoder gets `visual_pos_masks` (B, N) and `deepstack_visual_embeds`, a list of (visual rows, d), and
           adds the i-th to the visual rows after layer i: a shortened sequence must shorten both.
layout     a video has a span for each plane: "<0.2 seconds><|vision_start|>" pads "<|vision_end|>"; the processor of
           this version leaves the template's own <|vision_start|> … <|vision_end|> around all of them.
positions  every span starts anew after the text before it, temporal position included: t is always 0 inside a span.
           M-RoPE sections are interleaved instead of joined in a row.
layers     no use_cache keyword; queries and keys are normalised.
"""

from __future__ import annotations

from transformers import (
    Qwen2VLImageProcessor,
    Qwen3VLConfig,
    Qwen3VLForConditionalGeneration,
    Qwen3VLProcessor,
    Qwen3VLVideoProcessor,
)

from tests.families.chat import QWEN_TURNS
from tests.families.family import Family
from tests.families.qwen2_vl import PATCH, PIXELS, VIEWS, qwen_ids, qwen_tokenizer, text_config
from tests.families.weights import liven

ALL_PIXELS = {"shortest_edge": 2 * 16 * 16, "longest_edge": 8 * 128 * 128}  # of all frames together


def make():
    tokenizer = qwen_tokenizer()
    vision = {
        "depth": 4,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_heads": 2,
        "patch_size": PATCH,
        "out_hidden_size": 64,
        "num_position_embeddings": 64,
        "deepstack_visual_indexes": [0, 1, 2],
    }
    rope = {"rope_type": "default", "rope_theta": 5e6, "mrope_section": [4, 2, 2], "mrope_interleaved": True}
    text = text_config(tokenizer) | {"head_dim": 16, "rope_parameters": rope, "num_hidden_layers": 8}
    config = Qwen3VLConfig(vision_config=vision, text_config=text, tie_word_embeddings=True, **qwen_ids(tokenizer))
    processor = Qwen3VLProcessor(
        Qwen2VLImageProcessor(patch_size=PATCH, size=PIXELS),
        tokenizer,
        Qwen3VLVideoProcessor(patch_size=PATCH, size=ALL_PIXELS, cap_pixels_per_frame=False),
        chat_template=QWEN_TURNS,
    )
    return liven(Qwen3VLForConditionalGeneration(config), seed=3), processor


FAMILY = Family("qwen3_vl", make, VIEWS, layers=8)
