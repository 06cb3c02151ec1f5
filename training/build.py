"""A fresh embedded model and its processor: stock LLaVA-OneVision classes at the size of a shape world."""

from __future__ import annotations

import re

import torch
from tokenizers import Regex, Tokenizer, decoders, normalizers, pre_tokenizers
from tokenizers.models import WordLevel
from torch import Tensor
from transformers import (
    LlavaOnevisionConfig,
    LlavaOnevisionForConditionalGeneration,
    LlavaOnevisionImageProcessor,
    LlavaOnevisionProcessor,
    LlavaOnevisionVideoProcessor,
    PreTrainedTokenizerFast,
    Qwen2Config,
    SiglipVisionConfig,
)

from training.questions import ANSWERS, WORDINGS, plural
from training.wordings import SYNONYMS, wide_words
from training.world import COLORS, SHAPES

IMAGE_SIZE, PATCH_SIZE = 96, 4  # 24 x 24 patches, 12 x 12 visual tokens a frame after the model's pooling
TOWER_LAYERS, OLD_TOWER_LAYERS = 4, 3
SPECIAL = ("<|pad|>", "<|unknown|>", "<|user|>", "<|assistant|>", "<|end|>", "<image>", "<video>")
CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{% if message['role'] == 'user' %}<|user|>{% else %}<|assistant|>{% endif %}"
    "{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<image>{% elif part['type'] == 'video' %}<video>"
    "{% else %}{{ part['text'] }}{% endif %}"
    "{% endfor %}"
    "{% if message['role'] == 'assistant' %}<|end|>{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def vocabulary(wide: bool = True) -> list[str]:
    """Every token the model knows: the special ones, then the words of questions and answers, by the alphabet.

    wide: of both worlds, else of the old one, as the model that is shipped knows them.
    """
    words = {"?", ",", ".", *COLORS, *SHAPES, *map(plural, SHAPES)}
    words |= wide_words() if wide else _old_words()
    return [*SPECIAL, *sorted(words)]


def _old_words() -> set[str]:
    wordings = [re.sub(r"\{\w+\}", " ", text) for texts in WORDINGS.values() for text in texts]
    words = {word for text in wordings for word in re.findall(r"[a-z]+", text)}
    return words | {answer for answers in ANSWERS.values() for answer in answers} | {"objects", "object"}


def make_tokenizer(wide: bool = True) -> PreTrainedTokenizerFast:
    """One token a word; capitals do not matter; synonyms count as the words they stand for, others as <|unknown|>."""
    tokens = {word: index for index, word in enumerate(vocabulary(wide))}
    tokenizer = Tokenizer(WordLevel(tokens, unk_token="<|unknown|>"))
    synonyms = [normalizers.Replace(Regex(rf"\b{word}\b"), meant) for word, meant in SYNONYMS.items()]
    tokenizer.normalizer = normalizers.Lowercase()
    if wide:
        tokenizer.normalizer = normalizers.Sequence([normalizers.Lowercase(), *synonyms])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.WhitespaceSplit(),
            pre_tokenizers.Split("?", "isolated"),
            pre_tokenizers.Split(",", "isolated"),
            pre_tokenizers.Split(".", "isolated"),
        ]
    )
    tokenizer.decoder = decoders.WordPiece(prefix="##", cleanup=True)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<|pad|>",
        unk_token="<|unknown|>",
        eos_token="<|end|>",
        additional_special_tokens=["<|user|>", "<|assistant|>", "<image>", "<video>"],
        clean_up_tokenization_spaces=False,
    )


def make_processor(
    image_size: int = IMAGE_SIZE, patch_size: int = PATCH_SIZE, wide: bool = True
) -> LlavaOnevisionProcessor:
    """The stock processor at this model's sizes."""
    size = {"height": image_size, "width": image_size}
    norm = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3}
    return LlavaOnevisionProcessor(
        image_processor=LlavaOnevisionImageProcessor(
            size=size, image_grid_pinpoints=[[image_size, image_size]], **norm
        ),
        tokenizer=make_tokenizer(wide),
        video_processor=LlavaOnevisionVideoProcessor(size=size, **norm),
        num_image_tokens=(image_size // patch_size) ** 2,
        vision_feature_select_strategy="full",
        chat_template=CHAT_TEMPLATE,
    )


def make_config(image_size: int = IMAGE_SIZE, patch_size: int = PATCH_SIZE, wide: bool = True) -> LlavaOnevisionConfig:
    """Twelve language layers of width 128 behind a tower of width 64, one layer deeper for the wide world."""
    words = vocabulary(wide)
    ids = {token: words.index(token) for token in SPECIAL}
    vision = SiglipVisionConfig(
        hidden_size=64,
        intermediate_size=256,
        num_hidden_layers=TOWER_LAYERS if wide else OLD_TOWER_LAYERS,
        num_attention_heads=2,
        image_size=image_size,
        patch_size=patch_size,
        vision_use_head=False,
    )
    text = Qwen2Config(
        vocab_size=len(words),
        hidden_size=128,
        intermediate_size=320,
        num_hidden_layers=12,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=8192,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=ids["<|end|>"],
        pad_token_id=ids["<|pad|>"],
    )
    return LlavaOnevisionConfig(
        vision_config=vision,
        text_config=text,
        image_token_index=ids["<image>"],
        video_token_index=ids["<video>"],
        image_grid_pinpoints=[[image_size, image_size]],
        tie_word_embeddings=True,
    )


def make_model(
    seed: int, image_size: int = IMAGE_SIZE, patch_size: int = PATCH_SIZE, wide: bool = True
) -> LlavaOnevisionForConditionalGeneration:
    """A model with fresh weights from `seed`; the tower's positions start as waves, so that neighbours are alike."""
    torch.manual_seed(seed)
    model = LlavaOnevisionForConditionalGeneration(make_config(image_size, patch_size, wide))
    positions = model.model.vision_tower.embeddings.position_embedding.weight
    with torch.no_grad():
        positions.copy_(_waves(image_size // patch_size, positions.shape[1]))
    return model


def _waves(rows: int, width: int) -> Tensor:
    """(rows * rows, width): sines and cosines of the row in one half, of the column in the other."""
    lengths = torch.logspace(0, 1, width // 4, base=rows)  # from one cell to the whole side, in cells
    angles = torch.arange(rows)[:, None] * (torch.pi / lengths)
    waves = torch.cat([angles.sin(), angles.cos()], dim=1) * 0.5  # (rows, width / 2)
    return torch.cat([waves.repeat_interleave(rows, dim=0), waves.repeat(rows, 1)], dim=1)
