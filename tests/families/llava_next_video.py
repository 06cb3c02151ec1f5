"""LLaVA-NeXT-Video in miniature. As LLaVA-1.5, except:

features   get_video_features: `pooler_output` is one (videos, frames * rows, d) tensor. get_image_features: a list with
           one packed (rows, d) an image.
video      one span of <video> for all frames; CLIP's 24 × 24 is averaged 2 × 2 before the projector; no newline.
image      one span of <image>: the whole picture (24 × 24 rows, squeezed to a square crop), then the canvas of crops in
           raster order without its padding, one `image_newline` row after each row of the canvas.
"""

from __future__ import annotations

from transformers import (
    LlavaNextImageProcessor,
    LlavaNextVideoConfig,
    LlavaNextVideoForConditionalGeneration,
    LlavaNextVideoProcessor,
    LlavaNextVideoVideoProcessor,
)

from tests.families.chat import VICUNA
from tests.families.family import Family, in_turn, with_newlines
from tests.families.llava_1_5 import IMAGE, PATCH, clip_config, vicuna_config
from tests.families.tokens import byte_tokenizer
from tests.families.weights import liven

SPECIAL = ["<unk>", "<s>", "</s>", "<image>", "<video>", "<pad>"]
CANVASES = [[IMAGE, 2 * IMAGE], [2 * IMAGE, IMAGE], [2 * IMAGE, 2 * IMAGE], [3 * IMAGE, IMAGE], [IMAGE, 3 * IMAGE]]


def make():
    tokenizer = byte_tokenizer(SPECIAL, eos="</s>", pad="<pad>", bos="<s>")
    config = LlavaNextVideoConfig(
        vision_config=clip_config(),
        text_config=vicuna_config(tokenizer, layers=6),
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        video_token_index=tokenizer.convert_tokens_to_ids("<video>"),
        image_grid_pinpoints=CANVASES,
        vision_feature_layer=-2,
        vision_feature_select_strategy="default",
        spatial_pool_mode="average",
        spatial_pool_stride=2,
        tie_word_embeddings=False,
    )
    size = {"size": {"shortest_edge": IMAGE}, "crop_size": {"height": IMAGE, "width": IMAGE}}
    processor = LlavaNextVideoProcessor(
        LlavaNextVideoVideoProcessor(**size),
        LlavaNextImageProcessor(image_grid_pinpoints=CANVASES, **size),
        tokenizer,
        chat_template=VICUNA,
        patch_size=PATCH,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
    )
    return liven(LlavaNextVideoForConditionalGeneration(config), seed=5), processor


# 64 x 96 pixels fill 8 x 12 cells of a canvas of 8 x 16
VIEWS = {"image": [*in_turn(1, 64), with_newlines(64, 8, 12)], "video": in_turn(5, 16)}
FAMILY = Family("llava_next_video", make, VIEWS, layers=6)
