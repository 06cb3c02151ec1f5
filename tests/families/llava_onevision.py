"""LLaVA-OneVision in miniature. Facts of the stock code, for the adapter:

features   get_video_features: `pooler_output` is one (videos, frames * rows + 1, d) tensor, the newline row included.
           get_image_features: a list with one packed (rows, d) an image.
video      one span of <video>: 27 × 27 patches a frame, made 14 × 14 by bilinear interpolation; one newline at the end.
           Frames are squeezed to a square.
image      alone in a prompt: one span of <image>: the whole picture squeezed to a square (27 × 27 rows), then the
           canvas of crops (resized to fit, centred, padded) in raster order without its padding; each row of it ends in
           one `image_newline` row. A canvas beyond 9 crops' worth of patches times 1.1² is shrunk by interpolation.
images     several in one prompt (a nested list for the processor, batch_num_images > 1): each padded to a square with
           the mean colour, 27 × 27 rows and one newline row, a span each; no crops. (A flat list means one a prompt.)
positions  a plain range; a step of `generate` passes the length so far.
layers     hidden states, then by keyword: attention_mask, position_embeddings, position_ids, past_key_values.
"""

from __future__ import annotations

from itertools import product

from transformers import (
    LlavaOnevisionConfig,
    LlavaOnevisionForConditionalGeneration,
    LlavaOnevisionImageProcessor,
    LlavaOnevisionProcessor,
    LlavaOnevisionVideoProcessor,
    SiglipVisionConfig,
)

from tests.families.chat import LLAVA_ONEVISION
from tests.families.family import Family, in_turn, with_newlines
from tests.families.tokens import byte_tokenizer, qwen2_text
from tests.families.weights import liven

IMAGE, PATCH = 40, 8  # 5 × 5 patches, an odd number as in the released 27 × 27
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<image>", "<video>"]
CANVASES = [[IMAGE * rows, IMAGE * columns] for rows, columns in product(range(1, 5), repeat=2)]


def make():
    tokenizer = byte_tokenizer(SPECIAL, eos="<|im_end|>", pad="<|endoftext|>")
    vision = SiglipVisionConfig(
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=IMAGE,
        patch_size=PATCH,
        vision_use_head=False,
    )
    config = LlavaOnevisionConfig(
        vision_config=vision,
        text_config=qwen2_text(tokenizer),
        image_grid_pinpoints=CANVASES,
        tie_word_embeddings=True,
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        video_token_index=tokenizer.convert_tokens_to_ids("<video>"),
    )
    size = {"height": IMAGE, "width": IMAGE}
    processor = LlavaOnevisionProcessor(
        LlavaOnevisionImageProcessor(size=size, image_grid_pinpoints=CANVASES),
        tokenizer,
        LlavaOnevisionVideoProcessor(size=size),
        num_image_tokens=(IMAGE // PATCH) ** 2,
        vision_feature_select_strategy="full",
        chat_template=LLAVA_ONEVISION,
    )
    return liven(LlavaOnevisionForConditionalGeneration(config), seed=6), processor


# 64 x 96 pixels fill the canvas of 2 x 3 crops; several images have no crops; a frame is pooled to 3 x 3
VIEWS = {
    "image": [*in_turn(1, 25), with_newlines(25, 10, 15)],
    "images": in_turn(3, 25, between=1),
    "video": in_turn(5, 9),
}
FAMILY = Family("llava_onevision", make, VIEWS, layers=6)
