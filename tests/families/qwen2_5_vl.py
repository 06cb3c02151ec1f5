"""Qwen2.5-VL in miniature. As Qwen2-VL, except:

features   window attention reorders cells inside the tower only: `pooler_output` is in raster order again.
positions  a video's temporal position is start + int(plane * tokens_per_second * second_per_grid_ts); the processor
           gives second_per_grid_ts = temporal_patch_size / sampled frames a second. Images do not scale.
"""

from __future__ import annotations

from transformers import (
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2_5_VLProcessor,
    Qwen2VLImageProcessor,
    Qwen2VLVideoProcessor,
)

from tests.families.chat import QWEN_TURNS_WITH_SYSTEM
from tests.families.family import Family
from tests.families.qwen2_vl import PATCH, PIXELS, VIEWS, qwen_ids, qwen_tokenizer, text_config
from tests.families.weights import liven

VISION = {
    "depth": 2,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_heads": 2,
    "patch_size": PATCH,
    "window_size": 4 * 2 * PATCH,
    "fullatt_block_indexes": [1],
    "out_hidden_size": 64,
    "tokens_per_second": 2,
}


def make():
    tokenizer = qwen_tokenizer()
    config = Qwen2_5_VLConfig(
        vision_config=VISION, text_config=text_config(tokenizer), tie_word_embeddings=False, **qwen_ids(tokenizer)
    )
    processor = Qwen2_5_VLProcessor(
        Qwen2VLImageProcessor(patch_size=PATCH, size=PIXELS),
        tokenizer,
        Qwen2VLVideoProcessor(patch_size=PATCH, size=PIXELS, cap_pixels_per_frame=False),
        chat_template=QWEN_TURNS_WITH_SYSTEM,
    )
    return liven(Qwen2_5_VLForConditionalGeneration(config), seed=12), processor


FAMILY = Family("qwen2_5_vl", make, VIEWS, layers=6)
