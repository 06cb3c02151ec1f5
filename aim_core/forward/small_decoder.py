"""A small random decoder of the user's class, for the canary: the same heads, fewer of them, a few layers."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from aim_core.adapters.base import Adapter
from aim_core.ops.flops import head_dim

_DRAWS = {"normal_", "uniform_", "trunc_normal_", "kaiming_uniform_", "kaiming_normal_", "xavier_uniform_"}


class _Undrawn(TorchFunctionMode):
    """Leaves fresh weights as memory has them, so that nobody's random numbers are used up."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        if getattr(func, "__name__", "") in _DRAWS:
            return args[0] if args else kwargs["tensor"]
        return func(*args, **(kwargs or {}))


def random_decoder(adapter: Adapter, generator: torch.Generator) -> nn.Module:
    """A narrow decoder of the same class with a few layers, in float32 on the CPU, with uneven attention."""
    with torch.device("cpu"), _Undrawn():
        decoder = type(adapter.decoder)(_narrow(adapter)).float().eval()
    for name, weight in decoder.named_parameters():
        if weight.ndim > 1:
            sharp = 1.6 if name.endswith(("q_proj.weight", "k_proj.weight")) else 1.0
            weight.normal_(0, sharp * weight.shape[1] ** -0.5, generator=generator)
        elif name.endswith("bias"):
            weight.normal_(0, 0.1, generator=generator)
    return decoder


def _narrow(adapter: Adapter) -> Any:
    """The decoder's configuration with the same heads, but two of them."""
    config = deepcopy(adapter.decoder.config)
    layers, grouped = max(1, adapter.first_droppable) + 2, config.num_key_value_heads < config.num_attention_heads
    width = 2 * head_dim(config)
    config.num_attention_heads, config.num_key_value_heads = 2, 1 if grouped else 2
    config.hidden_size, config.intermediate_size, config.num_hidden_layers = width, 32, layers
    config.vocab_size, config.pad_token_id, config._attn_implementation = 8, None, "sdpa"
    if getattr(config, "layer_types", None) is not None:
        config.layer_types = config.layer_types[:1] * layers
    return config
