"""The families of models that are supported: one row each."""

from __future__ import annotations

from importlib import import_module

from transformers import PreTrainedModel, ProcessorMixin

from aim_core.adapters.base import Adapter

# model_type of the configuration → file in this folder and class in it, and what people call the family
FAMILIES = {
    "llava_onevision": ("llava_onevision", "LlavaOnevisionAdapter", "LLaVA-OneVision"),
}


def adapter_class(model_type: str) -> type[Adapter]:
    """The adapter of a family. Raises ValueError with what is supported."""
    if model_type not in FAMILIES:
        names = ", ".join(name for *_, name in FAMILIES.values())
        raise ValueError(f"{model_type} models are not supported; these are: {names}")
    file, name, _ = FAMILIES[model_type]
    return getattr(import_module(f"aim_core.adapters.{file}"), name)


def adapter_for(model: PreTrainedModel, processor: ProcessorMixin | None = None) -> Adapter:
    """The adapter around a model that is already loaded. Raises ValueError for a family or class not supported."""
    kind = adapter_class(model.config.model_type)
    if not isinstance(model, kind.model_class):
        raise ValueError(f"load the model as {kind.model_class.__name__}, got {type(model).__name__}")
    return kind(model, processor)
