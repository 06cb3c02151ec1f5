"""The families of models that are supported: one row each."""

from __future__ import annotations

from importlib import import_module

import torch
from transformers import PreTrainedConfig, PreTrainedModel, ProcessorMixin

from aim_core.adapters.base import Adapter

# model_type of the configuration → file in this folder and class in it, and what people call the family
FAMILIES = {
    "llava_onevision": ("llava_onevision", "LlavaOnevisionAdapter", "LLaVA-OneVision"),
    "qwen2_vl": ("qwen2_vl", "Qwen2VLAdapter", "Qwen2-VL"),
    "qwen2_5_vl": ("qwen2_5_vl", "Qwen25VLAdapter", "Qwen2.5-VL"),
    "qwen3_vl": ("qwen3_vl", "Qwen3VLAdapter", "Qwen3-VL"),
    "llava": ("llava_1_5", "Llava15Adapter", "LLaVA-1.5"),
    "llava_next_video": ("llava_next_video", "LlavaNextVideoAdapter", "LLaVA-NeXT-Video"),
    "internvl": ("internvl", "InternVLAdapter", "InternVL3"),
    "smolvlm": ("smolvlm", "SmolVLMAdapter", "SmolVLM2"),
    "qwen2_5_omni_thinker": ("qwen2_5_omni", "Qwen25OmniAdapter", "Qwen2.5-Omni"),
}
# model_type of a checkpoint that holds a family's model beside others → that family's, and where the model has it
PARTS = {"qwen2_5_omni": ("qwen2_5_omni_thinker", "thinker")}

# What a wrapper around a model has → how to get at what it wraps
_WRAPPED = {
    "_orig_mod": "model._orig_mod",  # torch.compile
    "get_base_model": "model.get_base_model()",  # peft
    "module": "model.module",  # DataParallel and its like
}


def adapter_class(model_type: str) -> type[Adapter]:
    """The adapter of a family, also by a checkpoint that it is a part of. Raises ValueError with what is supported."""
    model_type, _ = PARTS.get(model_type, (model_type, ""))
    if model_type not in FAMILIES:
        names = ", ".join(name for *_, name in FAMILIES.values())
        raise ValueError(f"{model_type} models are not supported; these are: {names}")
    file, name, _ = FAMILIES[model_type]
    return getattr(import_module(f"aim_core.adapters.{file}"), name)


def outline_of(config: PreTrainedConfig) -> Adapter:
    """The adapter around a model of this configuration without weights, on the meta device, and without a processor.

    Raises ValueError for a family, or a model of it, that is not supported.
    """
    family = adapter_class(config.model_type)
    family.check(config)
    _, part = PARTS.get(config.model_type, ("", ""))
    with torch.device("meta"):
        return family(family.model_class(getattr(config, f"{part}_config") if part else config).eval())


def adapter_for(model: PreTrainedModel, processor: ProcessorMixin | None = None) -> Adapter:
    """The adapter around a model that is already loaded. Raises ValueError for a family or class not supported."""
    if not isinstance(model, PreTrainedModel):
        for attribute, inside in _WRAPPED.items():
            if hasattr(model, attribute):
                raise ValueError(
                    f"aim() needs the model inside this {type(model).__name__}: give {inside}, and use that"
                )
        raise ValueError(f"give a model of transformers, got {type(model).__name__}")
    if model.config.model_type in PARTS:
        _, part = PARTS[model.config.model_type]
        raise ValueError(
            f"aim() shortens prompts for answers in text; {type(model).__name__} also makes speech: give model.{part}, "
            "and use that"
        )
    kind = adapter_class(model.config.model_type)
    kind.check(model.config)
    if not isinstance(model, kind.model_class):
        raise ValueError(f"load the model as {kind.model_class.__name__}, got {type(model).__name__}")
    return kind(model, processor)
