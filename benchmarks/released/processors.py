"""Processors of the kind, and with the settings, of released checkpoints, around a tokenizer that is made here.

Where each setting comes from:

LLaVA-OneVision   num_image_tokens and strategy: convert_llava_onevision_weights_to_hf.py; the rest: library defaults.
LLaVA-1.5, -NeXT  CLIP-L/14 at 336: shortest side and crop, as the tower's; one token for the class, taken away again.
Qwen2(.5)-VL      3,136 to 12,845,056 pixels a picture, or a frame: public copies of preprocessor_config.json.
Qwen3-VL          65,536 to 16,777,216 pixels a picture, 4,096 to 25,165,824 a whole video: public copies of both files.
InternVL3         hiyouga/LlamaFactory#8342 prints the processor: 448 pixels, up to 12 tiles, crop_to_patches false in
                  the file and true by the processor's own default; a video in single frames of 448.
SmolVLM2          public copies of the 500M's files: 2,048 pixels in tiles of 512, 64 tokens each, videos at 512; of
                  2.2B huggingface/blog, smolvlm.md: 1,536 in tiles of 384, 81 tokens each.

Chat templates give the released prompts for one turn with media; they are written here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from transformers import (
    CLIPImageProcessor,
    GotOcr2ImageProcessor,
    InternVLProcessor,
    InternVLVideoProcessor,
    LlavaNextImageProcessor,
    LlavaNextVideoProcessor,
    LlavaNextVideoVideoProcessor,
    LlavaOnevisionImageProcessor,
    LlavaOnevisionProcessor,
    LlavaOnevisionVideoProcessor,
    LlavaProcessor,
    PreTrainedTokenizerFast,
    ProcessorMixin,
    Qwen2_5_VLProcessor,
    Qwen2VLImageProcessor,
    Qwen2VLProcessor,
    Qwen2VLVideoProcessor,
    Qwen3VLProcessor,
    Qwen3VLVideoProcessor,
    SmolVLMImageProcessor,
    SmolVLMProcessor,
    SmolVLMVideoProcessor,
)

from benchmarks.released.sizes import RELEASED
from benchmarks.released.vocabulary import tokenizer

_QWEN = {151643: "<|endoftext|>", 151644: "<|im_start|>", 151645: "<|im_end|>"}
_QWEN_VL = _QWEN | {
    151646: "<|object_ref_start|>",
    151647: "<|object_ref_end|>",
    151648: "<|box_start|>",
    151649: "<|box_end|>",
    151650: "<|quad_start|>",
    151651: "<|quad_end|>",
    151652: "<|vision_start|>",
    151653: "<|vision_end|>",
    151654: "<|vision_pad|>",
    151655: "<|image_pad|>",
    151656: "<|video_pad|>",
}
_INTERNVL = _QWEN | {151665: "<img>", 151666: "</img>", 151667: "<IMG_CONTEXT>", 151674: "<video>"}
_VICUNA = {0: "<unk>", 1: "<s>", 2: "</s>"}
_SMOL = {0: "<|endoftext|>", 1: "<|im_start|>", 2: "<|im_end|>", 49152: "<global-img>"}
_SMOL |= {49153 + 6 * row + column: f"<row_{row + 1}_col_{column + 1}>" for row in range(6) for column in range(6)}
_SMOL |= {49189: "<fake_token_around_image>", 49190: "<image>", 49279: "<end_of_utterance>"}

_CLIP = {"size": {"shortest_edge": 336}, "crop_size": {"height": 336, "width": 336}}
_LLAVA = {"patch_size": 14, "vision_feature_select_strategy": "default", "num_additional_image_tokens": 1}


def template(before: str, image: str, video: str, after: str, answer: str) -> str:
    """A chat template: each turn between `before` and `after`, which may name `message`, parts in their order."""
    parts = f"{{% if part.type == 'image' %}}{image}{{% elif part.type == 'video' %}}{video}{{% else %}}"
    turn = before + "{% for part in message.content %}" + parts + "{{ part.text }}{% endif %}{% endfor %}" + after
    return f"{{% for message in messages %}}{turn}{{% endfor %}}{{% if add_generation_prompt %}}{answer}{{% endif %}}"


_TURN, _END, _ANSWER = "<|im_start|>{{ message.role }}\n", "<|im_end|>\n", "<|im_start|>assistant\n"
_SYSTEM = "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n"
_SEEN = ("<|vision_start|><|image_pad|><|vision_end|>", "<|vision_start|><|video_pad|><|vision_end|>")
_LLAVA_ONEVISION = template(_TURN, "<image>\n", "<video>\n", _END, _ANSWER)
_LLAVA_TURN = template("{{ message.role.upper() }}: ", "<image>\n", "<video>\n", " ", "ASSISTANT:")
_QWEN_TURN = template(_TURN, *_SEEN, _END, _ANSWER)
_INTERNVL_TURN = template(_TURN, "<IMG_CONTEXT>\n", "<video>\n", _END, _ANSWER)
_SMOL_TURN = template(
    "<|im_start|>{{ message.role | capitalize }}:", "<image>", "<video>", "<end_of_utterance>\n", "Assistant:"
)


def _llava_onevision(text: Iterable[str]) -> ProcessorMixin:
    special = _QWEN | {151646: "<image>", 151647: "<video>"}
    return LlavaOnevisionProcessor(
        LlavaOnevisionImageProcessor(),
        tokenizer(special, text, eos="<|im_end|>", pad="<|endoftext|>"),
        LlavaOnevisionVideoProcessor(),
        num_image_tokens=729,
        vision_feature_select_strategy="full",
        chat_template=_LLAVA_ONEVISION,
    )


def _llava(text: Iterable[str]) -> ProcessorMixin:
    special = _VICUNA | {32000: "<image>", 32001: "<pad>"}
    own = tokenizer(special, text, eos="</s>", pad="<pad>", bos="<s>")
    return LlavaProcessor(CLIPImageProcessor(**_CLIP), own, chat_template=_LLAVA_TURN, **_LLAVA)


def _llava_next_video(text: Iterable[str]) -> ProcessorMixin:
    own = tokenizer(_VICUNA | {32000: "<video>", 32001: "<image>"}, text, eos="</s>", pad="<unk>", bos="<s>")
    video, image = LlavaNextVideoVideoProcessor(**_CLIP), LlavaNextImageProcessor(**_CLIP)
    return LlavaNextVideoProcessor(video, image, own, chat_template=_LLAVA_TURN, **_LLAVA)


def _qwen(text: Iterable[str]) -> PreTrainedTokenizerFast:
    return tokenizer(_QWEN_VL, text, eos="<|im_end|>", pad="<|endoftext|>")


def _qwen2_vl(kind: type[Qwen2VLProcessor] | type[Qwen2_5_VLProcessor]) -> Callable[[Iterable[str]], ProcessorMixin]:
    size = {"shortest_edge": 56 * 56, "longest_edge": 28 * 28 * 16384}

    def make(text: Iterable[str]) -> ProcessorMixin:
        video = Qwen2VLVideoProcessor(size=size, cap_pixels_per_frame=False)
        chat_template = _SYSTEM + _QWEN_TURN
        return kind(Qwen2VLImageProcessor(size=size), _qwen(text), video, chat_template=chat_template)

    return make


def _qwen3_vl(text: Iterable[str]) -> ProcessorMixin:
    half = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3, "patch_size": 16}
    image = Qwen2VLImageProcessor(size={"shortest_edge": 256 * 256, "longest_edge": 4096 * 4096}, **half)
    of_video = {"shortest_edge": 4096, "longest_edge": 32 * 32 * 24576}
    video = Qwen3VLVideoProcessor(size=of_video, cap_pixels_per_frame=False)
    return Qwen3VLProcessor(image, _qwen(text), video, chat_template=_QWEN_TURN)


def _internvl(text: Iterable[str]) -> ProcessorMixin:
    named = {"start_image_token": "<img>", "end_image_token": "</img>", "context_image_token": "<IMG_CONTEXT>"}
    own = tokenizer(_INTERNVL, text, eos="<|im_end|>", pad="<|endoftext|>", video_token="<video>", **named)
    colours = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}
    size: dict[str, Any] = {"size": {"height": 448, "width": 448}} | colours
    image = GotOcr2ImageProcessor(**size, crop_to_patches=False, min_patches=1, max_patches=12)
    return InternVLProcessor(
        image, own, InternVLVideoProcessor(**size), image_seq_length=256, chat_template=_INTERNVL_TURN
    )


def _smolvlm(tile: int, seq_len: int) -> Callable[[Iterable[str]], ProcessorMixin]:
    named = {
        "image_token": "<image>",
        "fake_image_token": "<fake_token_around_image>",
        "global_image_token": "<global-img>",
        "end_of_utterance_token": "<end_of_utterance>",
    }

    def make(text: Iterable[str]) -> ProcessorMixin:
        own = tokenizer(_SMOL, text, eos="<end_of_utterance>", pad="<|im_end|>", **named)
        cut = {"longest_edge": tile}
        sampling = {"fps": 1, "max_frames": 64, "video_size": cut}
        image = SmolVLMImageProcessor(size={"longest_edge": 4 * tile}, max_image_size=cut, do_image_splitting=True)
        video = SmolVLMVideoProcessor(max_image_size=cut, video_sampling=sampling)
        return SmolVLMProcessor(image, own, video, image_seq_len=seq_len, chat_template=_SMOL_TURN)

    return make


_MAKERS = {
    "llava_onevision": _llava_onevision,
    "llava": _llava,
    "llava_next_video": _llava_next_video,
    "qwen2_vl": _qwen2_vl(Qwen2VLProcessor),
    "qwen2_5_vl": _qwen2_vl(Qwen2_5_VLProcessor),
    "qwen3_vl": _qwen3_vl,
    "internvl": _internvl,
}


def make_processor(model_id: str, text: Iterable[str] = ()) -> ProcessorMixin:
    """A processor as `model_id` was published with; text: what its tokenizer learns from."""
    config = RELEASED[model_id]()
    if config.model_type != "smolvlm":
        return _MAKERS[config.model_type](text)
    vision = config.vision_config
    side = vision.image_size // vision.patch_size // config.scale_factor
    return _smolvlm(vision.image_size, side**2)(text)
