"""InternVL3 in miniature. Facts of the stock code, for the adapter:

features   get_image_features only, also for video (frames arrive in `pixel_values`): `pooler_output` is one
           (tiles, 256, d) tensor, after pixel shuffle (32 × 32 patches → 16 × 16) and the projector.
video      a span for each frame: "Frame1: <img>" <IMG_CONTEXT> × 256 "</img>\n"; frames are squeezed to a square.
image      one span "<img>" <IMG_CONTEXT> × 256 × tiles "</img>": tiles in raster order of a canvas the picture is
           stretched to, then, if there is more than one, a thumbnail of the whole picture. The image processor's file
           says crop_to_patches false, as published; the processor overrules it.
positions  a plain range; a step of `generate` passes the length so far.
layers     as Qwen2, and a keyword image_sizes=None that does nothing.
"""

from __future__ import annotations

from transformers import (
    GotOcr2ImageProcessor,
    InternVLConfig,
    InternVLForConditionalGeneration,
    InternVLProcessor,
    InternVLVideoProcessor,
    InternVLVisionConfig,
)

from tests.families.chat import INTERNVL
from tests.families.family import Family, in_turn
from tests.families.tokens import byte_tokenizer, qwen2_text
from tests.families.weights import liven

IMAGE, PATCH = 64, 8  # 8 × 8 patches, 4 × 4 visual tokens a tile
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<img>", "</img>", "<IMG_CONTEXT>", "<video>"]


def make():
    named = {
        "start_image_token": "<img>",
        "end_image_token": "</img>",
        "context_image_token": "<IMG_CONTEXT>",
        "video_token": "<video>",
    }
    tokenizer = byte_tokenizer(SPECIAL, eos="<|im_end|>", pad="<|endoftext|>", extra=named)
    vision = InternVLVisionConfig(
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=IMAGE,
        patch_size=PATCH,
        attention_bias=True,
    )
    config = InternVLConfig(
        vision_config=vision,
        text_config=qwen2_text(tokenizer),
        image_token_id=tokenizer.convert_tokens_to_ids("<IMG_CONTEXT>"),
        image_seq_length=16,
        tie_word_embeddings=True,
    )
    size = {"height": IMAGE, "width": IMAGE}
    processor = InternVLProcessor(
        GotOcr2ImageProcessor(size=size, crop_to_patches=False, min_patches=1, max_patches=6),
        tokenizer,
        InternVLVideoProcessor(size=size),
        image_seq_length=16,
        chat_template=INTERNVL,
    )
    return liven(InternVLForConditionalGeneration(config), seed=17), processor


# 64 x 96 pixels become 2 x 3 tiles and a thumbnail
VIEWS = {"image": in_turn(7, 16), "images": in_turn(21, 16), "video": in_turn(5, 16)}
FAMILY = Family("internvl", make, VIEWS, layers=6)
