"""Qwen2-VL in miniature. Facts of the stock code, for the adapter:

features   get_image_features / get_video_features → BaseModelOutputWithPooling; `pooler_output` is a tuple with one
           (t * h * w, d) tensor an image or video, rows in raster order of the merged cells.
layout     one span of <|image_pad|> or <|video_pad|> for each image or video, between <|vision_start|> and
           <|vision_end|>; no newline rows. `mm_token_type_ids` says 1 for image rows, 2 for video rows.
grid       image_grid_thw / video_grid_thw count patches; a token is a cell of merge_size² = 4 patches. A plane is
           temporal_patch_size = 2 frames (an odd last frame is repeated); an image is one plane.
resize     the whole picture is stretched to multiples of patch_size * merge_size, no padding, no crop.
positions  M-RoPE, (3, B, N): text counts up in all three; a visual row has (start + t, start + row, start + column);
           text goes on at start + max(h, w), so the position after a prompt is length + rope_deltas.
generate   passes position_ids (4, B, N), text positions first, and `mm_encoder_outputs`; `model.model.rope_deltas`
           is set and stays on the model. A step passes (4, B, 1): the length so far, and that + rope_deltas.
layers     hidden states, then by keyword: attention_mask, position_embeddings (3 sections already joined, (B, N,
           head_dim) each), position_ids (the text positions, or None from a plain forward), past_key_values.
"""

from __future__ import annotations

from transformers import (
    Qwen2VLConfig,
    Qwen2VLForConditionalGeneration,
    Qwen2VLImageProcessor,
    Qwen2VLProcessor,
    Qwen2VLVideoProcessor,
)

from tests.families.chat import QWEN_TURNS_WITH_SYSTEM
from tests.families.family import Family, in_turn
from tests.families.tokens import byte_tokenizer, ids
from tests.families.weights import liven

SPECIAL = [
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|vision_pad|>",
    "<|image_pad|>",
    "<|video_pad|>",
]
PATCH = 8
# 64 x 96 pixels in cells of 16 x 16; five frames in three planes
VIEWS = {"image": in_turn(1, 24), "images": in_turn(3, 24), "video": in_turn(3, 24)}
PIXELS = {"shortest_edge": 16 * 16, "longest_edge": 128 * 128}
TEXT = {
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 6,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 4096,
    "rope_parameters": {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [2, 3, 3]},
}


def qwen_tokenizer():
    return byte_tokenizer(SPECIAL, eos="<|im_end|>", pad="<|endoftext|>")


def qwen_ids(tokenizer) -> dict[str, int]:
    """Ids that the config of every Qwen-VL names."""
    return ids(
        tokenizer,
        image_token_id="<|image_pad|>",
        video_token_id="<|video_pad|>",
        vision_start_token_id="<|vision_start|>",
        vision_end_token_id="<|vision_end|>",
    )


def text_config(tokenizer) -> dict:
    marks = ids(tokenizer, eos_token_id="<|im_end|>", pad_token_id="<|endoftext|>", bos_token_id="<|endoftext|>")
    return TEXT | marks | {"vocab_size": len(tokenizer)}


def make():
    tokenizer = qwen_tokenizer()
    vision = {
        "depth": 2,
        "embed_dim": 32,
        "hidden_size": 64,
        "mlp_ratio": 2,
        "num_heads": 2,
        "patch_size": PATCH,
    }
    config = Qwen2VLConfig(
        vision_config=vision, text_config=text_config(tokenizer), tie_word_embeddings=True, **qwen_ids(tokenizer)
    )
    processor = Qwen2VLProcessor(
        Qwen2VLImageProcessor(patch_size=PATCH, size=PIXELS),
        tokenizer,
        Qwen2VLVideoProcessor(patch_size=PATCH, size=PIXELS, cap_pixels_per_frame=False),
        chat_template=QWEN_TURNS_WITH_SYSTEM,
    )
    return liven(Qwen2VLForConditionalGeneration(config), seed=1), processor


FAMILY = Family("qwen2_vl", make, VIEWS, layers=6)
