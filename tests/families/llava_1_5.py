"""LLaVA-1.5 in miniature. Facts of the stock code, for the adapter:

features   get_image_features → BaseModelOutputWithPooling; `pooler_output` is a list with one (rows, d) an image, after
           the projector. They are CLIP's hidden state `vision_feature_layer` (−2) without the class token.
layout     one span of <image> for each image; no newline rows. The processor counts one token more and takes one away
           for the class token.
grid       image_size / patch_size squared, 24 × 24 as released.
resize     shortest side to 336, then a centred crop: what lies outside the square is never seen.
positions  a plain range; a step of `generate` passes the length so far.
layers     hidden states, then by keyword: attention_mask, position_embeddings, position_ids, past_key_values.
"""

from __future__ import annotations

from transformers import (
    CLIPImageProcessor,
    CLIPVisionConfig,
    LlamaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
)

from tests.families.chat import VICUNA
from tests.families.family import Family, in_turn
from tests.families.tokens import byte_tokenizer, ids
from tests.families.weights import liven

IMAGE, PATCH = 64, 8
SPECIAL = ["<unk>", "<s>", "</s>", "<image>", "<pad>"]


def vicuna_config(tokenizer, layers: int) -> LlamaConfig:
    """A Llama without grouped queries, as Vicuna-7B."""
    marks = ids(tokenizer, bos_token_id="<s>", eos_token_id="</s>", pad_token_id="<pad>")
    return LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=layers,
        num_attention_heads=4,
        num_key_value_heads=4,
        max_position_embeddings=4096,
        tie_word_embeddings=False,
        **marks,
    )


def clip_config() -> CLIPVisionConfig:
    """Three layers, of which the last is not used: features are those of layer −2."""
    return CLIPVisionConfig(
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=3,
        num_attention_heads=2,
        image_size=IMAGE,
        patch_size=PATCH,
        projection_dim=32,
    )


def clip_image_processor() -> CLIPImageProcessor:
    return CLIPImageProcessor(size={"shortest_edge": IMAGE}, crop_size={"height": IMAGE, "width": IMAGE})


def make():
    tokenizer = byte_tokenizer(SPECIAL, eos="</s>", pad="<pad>", bos="<s>")
    config = LlavaConfig(
        vision_config=clip_config(),
        text_config=vicuna_config(tokenizer, layers=6),
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        image_seq_length=(IMAGE // PATCH) ** 2,
        vision_feature_layer=-2,
        vision_feature_select_strategy="default",
        tie_word_embeddings=False,
    )
    processor = LlavaProcessor(
        clip_image_processor(),
        tokenizer,
        patch_size=PATCH,
        vision_feature_select_strategy="default",
        chat_template=VICUNA,
        num_additional_image_tokens=1,
    )
    return liven(LlavaForConditionalGeneration(config), seed=4), processor


FAMILY = Family("llava", make, {"image": in_turn(1, 64), "images": in_turn(3, 64)}, layers=6)
