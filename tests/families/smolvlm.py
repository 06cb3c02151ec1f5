"""SmolVLM2 in miniature. Facts of the stock code, for the adapter:

features   get_image_features only, also for video: `pooler_output` is a list with one (tiles * rows, d) a sample.
           All-zero pictures count as padding and are skipped.
video      a span for each frame: "\nFrame from 00:01:<fake_token_around_image><global-img>" <image> × rows
           "<fake_token_around_image>"; frames are squeezed to a square. Times need the video's frames a second.
image      a span for each tile of a stretched canvas, "<fake_token_around_image><row_1_col_1>" <image> × rows, a
           newline after each row of tiles, then one for the whole picture after "<global-img>".
decoder    `model.model.text_model`; `model.get_decoder()` finds it.
positions  a plain range; a step of `generate` passes the length so far.
needs      the processor cannot be made without the package num2words.
"""

from __future__ import annotations

from transformers import (
    LlamaConfig,
    SmolVLMConfig,
    SmolVLMForConditionalGeneration,
    SmolVLMImageProcessor,
    SmolVLMProcessor,
    SmolVLMVideoProcessor,
)

from tests.families.chat import SMOLVLM
from tests.families.family import Family, in_turn
from tests.families.tokens import TEXT_SIZES, byte_tokenizer, ids
from tests.families.weights import liven

IMAGE, PATCH = 64, 8  # 8 × 8 patches, 4 × 4 visual tokens a tile
SPECIAL = [
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<end_of_utterance>",
    "<fake_token_around_image>",
    "<global-img>",
    "<image>",
    "<video>",
    *(f"<row_{row}_col_{column}>" for row in range(1, 7) for column in range(1, 7)),
]


def make():
    named = {
        "fake_image_token": "<fake_token_around_image>",
        "image_token": "<image>",
        "video_token": "<video>",
        "end_of_utterance_token": "<end_of_utterance>",
        "global_image_token": "<global-img>",
    }
    tokenizer = byte_tokenizer(SPECIAL, eos="<end_of_utterance>", pad="<|im_end|>", extra=named)
    vision = {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "image_size": IMAGE,
        "patch_size": PATCH,
    }
    marks = ids(tokenizer, eos_token_id="<end_of_utterance>", pad_token_id="<|im_end|>", bos_token_id="<|im_start|>")
    text = LlamaConfig(
        vocab_size=len(tokenizer),
        **TEXT_SIZES,
        tie_word_embeddings=False,
        **marks,
    )
    config = SmolVLMConfig(
        vision_config=vision,
        text_config=text,
        scale_factor=2,
        tie_word_embeddings=False,
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
    )
    sizes = {"size": {"longest_edge": 2 * IMAGE}, "max_image_size": {"longest_edge": IMAGE}}
    processor = SmolVLMProcessor(
        SmolVLMImageProcessor(**sizes, do_image_splitting=True),
        tokenizer,
        SmolVLMVideoProcessor(**sizes),
        image_seq_len=16,
        chat_template=SMOLVLM,
    )
    return liven(SmolVLMForConditionalGeneration(config), seed=8), processor


# 64 x 96 pixels become 2 x 2 tiles and the whole
VIEWS = {"image": in_turn(5, 16), "images": in_turn(15, 16), "video": in_turn(5, 16)}
FAMILY = Family("smolvlm", make, VIEWS, layers=6, needs="num2words")
