"""Sizes: the configurations of released checkpoints, so that a model of the true shape can be made without its weights.

Where each number comes from, as read on 2026-11-29 (repositories are on GitHub; defaults are those of transformers):

LLaVA-OneVision   huggingface/transformers, convert_llava_onevision_weights_to_hf.py: SigLIP of 26 layers, Qwen2-0.5B
                  and -7B, two tokens more, padded to 64. Canvases and ids: defaults of its configuration.
LLaVA-1.5         defaults of LlavaConfig and LlamaConfig (Vicuna-7B is a Llama-7B); 32,064 tokens:
                  huggingface/transformers, convert_llava_weights_to_hf.py (two more, padded to 64).
LLaVA-NeXT-Video  the same; convert_llava_next_video_weights_to_hf.py (three more, padded to 64; ids).
Qwen2, Qwen2.5    NVIDIA/NeMo, nemo/collections/llm/gpt/model/qwen2.py.
Qwen2-VL          NVIDIA/NeMo, nemo/collections/vlm/qwen2vl/model/qwen2vl.py; zhenhua32/Qwen2-VL, READ.md (the 7B model
                  printed); ids and the tower: defaults of Qwen2VLConfig.
Qwen2.5-VL        acproject/duorou, docs/qwen2.5vl_graph.md (the 7B model printed); NeMo as above for 3B; windows, full
                  layers and ids: defaults of Qwen2_5_VLConfig.
Qwen3-VL          pytorch/torchtitan, torchtitan/experiments/qwen3_vl/__init__.py (2B, 8B); of 4B the tower:
                  amdrajeevp1/onnxruntime-genai, QWEN3_VL_VISION_ARCHITECTURE.md; its language model: public copies of
                  config.json, which agree with each other.
InternVL3         huggingface/transformers, convert_internvl_weights_to_hf.py (Qwen2.5, ids, processor);
                  lablup/mlxcel#37 (1B: biases in InternViT, no tied embeddings, which 2B is taken to share);
                  151,674 tokens: hiyouga/LlamaFactory#8342.
SmolVLM2          huggingface/blog, smolervlm.md (256M, 500M: SigLIP base-patch16-512 on SmolLM2-135M and -360M) and
                  smolvlm.md (2.2B: so400m-patch14-384, nine patches a token, SmolLM2-1.7B);
                  buddy-compiler/buddy-mlir#867, apple/coreai-models#76 (heads and widths of 500M and 2.2B); public
                  copies of the 500M's config.json (vocabulary of 49,280, ids). Parameters come out as their names say.

What no shape depends on is left at the library's defaults: the bases of rotary positions, the epsilons of norms.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from transformers import (
    CLIPVisionConfig,
    InternVLConfig,
    InternVLVisionConfig,
    LlamaConfig,
    LlavaConfig,
    LlavaNextVideoConfig,
    LlavaOnevisionConfig,
    PreTrainedConfig,
    PreTrainedModel,
    Qwen2_5_VLConfig,
    Qwen2Config,
    Qwen2VLConfig,
    Qwen3VLConfig,
    SiglipVisionConfig,
    SmolVLMConfig,
)

from aim_core.adapters.registry import adapter_class


@dataclass(frozen=True)
class Decoder:
    """Sizes of a language model."""

    hidden: int
    intermediate: int
    layers: int
    heads: int
    kv_heads: int

    @property
    def fields(self) -> dict[str, int]:
        """By the names that every configuration of transformers has."""
        return {
            "hidden_size": self.hidden,
            "intermediate_size": self.intermediate,
            "num_hidden_layers": self.layers,
            "num_attention_heads": self.heads,
            "num_key_value_heads": self.kv_heads,
        }


QWEN2_HALF = Decoder(896, 4864, 24, 14, 2)
QWEN2_1_5 = Decoder(1536, 8960, 28, 12, 2)
QWEN2_3 = Decoder(2048, 11008, 36, 16, 2)
QWEN2_7 = Decoder(3584, 18944, 28, 28, 4)
QWEN3_1_7 = Decoder(2048, 6144, 28, 16, 8)
QWEN3_4 = Decoder(2560, 9728, 36, 32, 8)
QWEN3_8 = Decoder(4096, 12288, 36, 32, 8)
VICUNA_7 = Decoder(4096, 11008, 32, 32, 32)
SMOL_135 = Decoder(576, 1536, 30, 9, 3)
SMOL_360 = Decoder(960, 2560, 32, 15, 5)
SMOL_1700 = Decoder(2048, 8192, 24, 32, 32)

SIGLIP = {
    "hidden_size": 1152,
    "intermediate_size": 4304,
    "num_attention_heads": 16,
    "image_size": 384,
    "patch_size": 14,
}
CLIP = {"hidden_size": 1024, "intermediate_size": 4096, "num_attention_heads": 16}
CLIP |= {"image_size": 336, "patch_size": 14}
SMALL_QWEN3_TOWER: dict[str, Any] = {
    "depth": 24,
    "hidden_size": 1024,
    "intermediate_size": 4096,
    "deepstack_visual_indexes": [5, 11, 17],
}
LARGE_QWEN3_TOWER: dict[str, Any] = {
    "depth": 27,
    "hidden_size": 1152,
    "intermediate_size": 4304,
    "deepstack_visual_indexes": [8, 16, 24],
}


def _llava_onevision(text: Decoder, vocabulary: int, tied: bool) -> PreTrainedConfig:
    own = Qwen2Config(vocab_size=vocabulary, tie_word_embeddings=tied, **text.fields)
    tower = SiglipVisionConfig(num_hidden_layers=26, vision_use_head=False, **SIGLIP)
    return LlavaOnevisionConfig(vision_config=tower, text_config=own, tie_word_embeddings=tied)


def _llava(kind: type[LlavaConfig] | type[LlavaNextVideoConfig]) -> PreTrainedConfig:
    text = LlamaConfig(vocab_size=32064, **VICUNA_7.fields)
    tower = CLIPVisionConfig(num_hidden_layers=24, projection_dim=768, **CLIP)
    return kind(vision_config=tower, text_config=text)


def _qwen2_vl(text: Decoder, vocabulary: int, tied: bool) -> PreTrainedConfig:
    rope = {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [16, 24, 24]}
    own = text.fields | {"vocab_size": vocabulary, "rope_parameters": rope}
    return Qwen2VLConfig(text_config=own, vision_config={"hidden_size": text.hidden}, tie_word_embeddings=tied)


def _qwen2_5_vl(text: Decoder, vocabulary: int, tied: bool) -> PreTrainedConfig:
    rope = {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [16, 24, 24]}
    own = text.fields | {"vocab_size": vocabulary, "rope_parameters": rope}
    tower = {"hidden_size": 1280, "intermediate_size": 3420, "out_hidden_size": text.hidden, "tokens_per_second": 2}
    return Qwen2_5_VLConfig(text_config=own, vision_config=tower, tie_word_embeddings=tied)


def _qwen3_vl(text: Decoder, tower: dict, tied: bool) -> PreTrainedConfig:
    rope = {"rope_type": "default", "rope_theta": 5e6, "mrope_section": [24, 20, 20], "mrope_interleaved": True}
    own = text.fields | {"vocab_size": 151936, "head_dim": 128, "rope_parameters": rope}
    vision = tower | {"out_hidden_size": text.hidden}
    return Qwen3VLConfig(text_config=own, vision_config=vision, tie_word_embeddings=tied)


def _internvl(text: Decoder) -> PreTrainedConfig:
    own = Qwen2Config(vocab_size=151674, tie_word_embeddings=False, **text.fields)
    return InternVLConfig(
        vision_config=InternVLVisionConfig(attention_bias=True), text_config=own, tie_word_embeddings=False
    )


def _smolvlm(text: Decoder, scale_factor: int, **tower) -> PreTrainedConfig:
    own = LlamaConfig(vocab_size=49280, tie_word_embeddings=False, **text.fields)
    return SmolVLMConfig(text_config=own, vision_config=tower, scale_factor=scale_factor, image_token_id=49190)


_SMALL_SMOL_TOWER = {"hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12, "num_attention_heads": 12}
_SMALL_SMOL_TOWER |= {"image_size": 512, "patch_size": 16}

# id on the Hub → its configuration
RELEASED: dict[str, Callable[[], PreTrainedConfig]] = {
    "llava-hf/llava-onevision-qwen2-0.5b-ov-hf": partial(_llava_onevision, QWEN2_HALF, 152000, True),
    "llava-hf/llava-onevision-qwen2-7b-ov-hf": partial(_llava_onevision, QWEN2_7, 152128, False),
    "llava-hf/llava-1.5-7b-hf": partial(_llava, LlavaConfig),
    "llava-hf/LLaVA-NeXT-Video-7B-hf": partial(_llava, LlavaNextVideoConfig),
    "Qwen/Qwen2-VL-2B-Instruct": partial(_qwen2_vl, QWEN2_1_5, 151936, True),
    "Qwen/Qwen2-VL-7B-Instruct": partial(_qwen2_vl, QWEN2_7, 152064, False),
    "Qwen/Qwen2.5-VL-3B-Instruct": partial(_qwen2_5_vl, QWEN2_3, 151936, True),
    "Qwen/Qwen2.5-VL-7B-Instruct": partial(_qwen2_5_vl, QWEN2_7, 152064, False),
    "Qwen/Qwen3-VL-2B-Instruct": partial(_qwen3_vl, QWEN3_1_7, SMALL_QWEN3_TOWER, True),
    "Qwen/Qwen3-VL-4B-Instruct": partial(_qwen3_vl, QWEN3_4, SMALL_QWEN3_TOWER, True),
    "Qwen/Qwen3-VL-8B-Instruct": partial(_qwen3_vl, QWEN3_8, LARGE_QWEN3_TOWER, False),
    "OpenGVLab/InternVL3-1B-hf": partial(_internvl, QWEN2_HALF),
    "OpenGVLab/InternVL3-2B-hf": partial(_internvl, QWEN2_1_5),
    "OpenGVLab/InternVL3-8B-hf": partial(_internvl, QWEN2_7),
    "HuggingFaceTB/SmolVLM2-256M-Video-Instruct": partial(_smolvlm, SMOL_135, 4, **_SMALL_SMOL_TOWER),
    "HuggingFaceTB/SmolVLM2-500M-Video-Instruct": partial(_smolvlm, SMOL_360, 4, **_SMALL_SMOL_TOWER),
    "HuggingFaceTB/SmolVLM2-2.2B-Instruct": partial(_smolvlm, SMOL_1700, 3, num_hidden_layers=27, **SIGLIP),
}


def make_model(model_id: str, device: str = "meta", dtype: torch.dtype = torch.bfloat16) -> PreTrainedModel:
    """A model of this shape with fresh weights; on "meta" with none at all, in a moment and in no memory."""
    config = RELEASED[model_id]()
    usual = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with torch.device(device):
            return adapter_class(config.model_type).model_class(config).eval()
    finally:
        torch.set_default_dtype(usual)
