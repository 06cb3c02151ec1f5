"""Qwen2.5-Omni's thinker in miniature. As Qwen2.5-VL, except:

positions  TMRoPE: a plane's temporal position is start + int(plane * video_second_per_grid * position_id_per_seconds),
           an image is one plane; one audio token, 40 ms, counts up by 1 in all three axes; text goes on at the maximum
           of the three axes of the last chunk + 1. The processor gives video_second_per_grid = temporal_patch_size /
           fps, and reads fps from its arguments alone: 2.0 if it is not told.
audio      get_audio_features → `last_hidden_state` (tokens, d) of all audios; `forward` calls it, `generate` does not
           before. A token stands for 4 mel frames of 10 ms. Between <|audio_bos|> and <|audio_eos|>, one span of
           <|AUDIO|>.
audio in video  <|vision_bos|><|audio_bos|>, then by chunks of seconds_per_chunk: planes that begin in it, then audio
           tokens of it, both counted from the same start; <|audio_eos|><|vision_eos|>. `generate` goes on at the
           position after the last row's, which may be below the prompt's maximum; a plain forward goes on after it.
sizes      the processor has sizes of its own for videos, at least 128 x 28 x 28 pixels a frame, whatever its video
           processor says: a patch is 32 pixels here, so that a frame is not too many of them.
checkpoint whole models hold a talker and a vocoder beside; the thinker's class loads `thinker_config` and `thinker.*`.
"""

from __future__ import annotations

from transformers import (
    Qwen2_5OmniProcessor,
    Qwen2_5OmniThinkerConfig,
    Qwen2_5OmniThinkerForConditionalGeneration,
    Qwen2VLImageProcessor,
    Qwen2VLVideoProcessor,
    WhisperFeatureExtractor,
)

from tests.families.chat import QWEN_OMNI_TURNS
from tests.families.family import Family, in_turn
from tests.families.qwen2_5_vl import VISION
from tests.families.qwen2_vl import TEXT
from tests.families.tokens import byte_tokenizer, ids
from tests.families.weights import liven

PATCH = 32
PIXELS = {"shortest_edge": 128 * 28 * 28, "longest_edge": 768 * 28 * 28}
# 64 x 96 pixels become 320 x 448, in cells of 64 x 64; five frames in three planes
VIEWS = {"image": in_turn(1, 35), "images": in_turn(3, 35), "video": in_turn(3, 35)}
NAMED = {
    "image_token": "<|IMAGE|>",
    "video_token": "<|VIDEO|>",
    "audio_token": "<|AUDIO|>",
    "vision_bos_token": "<|vision_bos|>",
    "vision_eos_token": "<|vision_eos|>",
    "audio_bos_token": "<|audio_bos|>",
    "audio_eos_token": "<|audio_eos|>",
}
AUDIO = {
    "num_mel_bins": 16,
    "encoder_layers": 2,
    "encoder_attention_heads": 2,
    "encoder_ffn_dim": 64,
    "d_model": 32,
    "max_source_positions": 100,
    "n_window": 50,
    "output_dim": 64,
}
RATE, SECONDS = 16000, 8  # of sound, and the most that the processor takes


def omni_tokenizer():
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", *NAMED.values()]
    return byte_tokenizer(special, eos="<|im_end|>", pad="<|endoftext|>", extra=NAMED)


def vision_config() -> dict:
    named = {name: value for name, value in VISION.items() if name != "tokens_per_second"}
    return named | {"patch_size": PATCH, "window_size": 4 * 2 * PATCH}


def thinker_config(tokenizer) -> Qwen2_5OmniThinkerConfig:
    marks = ids(tokenizer, eos_token_id="<|im_end|>", pad_token_id="<|endoftext|>", bos_token_id="<|endoftext|>")
    named = ids(
        tokenizer,
        image_token_index="<|IMAGE|>",
        video_token_index="<|VIDEO|>",
        audio_token_index="<|AUDIO|>",
        vision_start_token_id="<|vision_bos|>",
        vision_end_token_id="<|vision_eos|>",
        audio_start_token_id="<|audio_bos|>",
        audio_end_token_id="<|audio_eos|>",
    )
    return Qwen2_5OmniThinkerConfig(
        audio_config=AUDIO,
        vision_config=vision_config(),
        text_config=TEXT | marks | {"vocab_size": len(tokenizer), "tie_word_embeddings": False},
        tie_word_embeddings=False,
        **named,
    )


def processor_of(tokenizer) -> Qwen2_5OmniProcessor:
    return Qwen2_5OmniProcessor(
        Qwen2VLImageProcessor(patch_size=PATCH, size=PIXELS),
        Qwen2VLVideoProcessor(patch_size=PATCH, size=PIXELS, cap_pixels_per_frame=False),
        WhisperFeatureExtractor(feature_size=AUDIO["num_mel_bins"], chunk_length=SECONDS, sampling_rate=RATE),
        tokenizer,
        chat_template=QWEN_OMNI_TURNS,
    )


def make():
    tokenizer = omni_tokenizer()
    model = Qwen2_5OmniThinkerForConditionalGeneration(thinker_config(tokenizer))
    return liven(model, seed=9), processor_of(tokenizer)


FAMILY = Family("qwen2_5_omni_thinker", make, VIEWS, layers=6, since="5.23")
