"""What dropping is checked against: the plain model at full length, dropped rows masked layer by layer."""

from __future__ import annotations

from contextlib import ExitStack

import torch
from torch import Tensor


def masked_logits(adapter, embeds: Tensor, start: int, kept: list[Tensor], num_visual: int) -> Tensor:
    """Last-row logits (vocabulary,) of a full-length pass in which layer i sees only the visual rows kept[i]."""
    length = embeds.shape[1]
    causal = torch.ones(length, length, dtype=torch.bool, device=embeds.device).tril()

    def hook_for(layer_idx: int):
        gone = torch.ones(num_visual, dtype=torch.bool)
        gone[kept[layer_idx]] = False
        hidden_columns = torch.zeros(length, dtype=torch.bool)
        hidden_columns[start : start + num_visual] = gone
        allowed = causal & ~hidden_columns[None, :]
        allowed |= torch.eye(length, dtype=torch.bool)  # a masked row still sees itself, so that no row is empty
        bias = torch.zeros(length, length, dtype=embeds.dtype).masked_fill(~allowed, torch.finfo(embeds.dtype).min)

        def hook(_layer, args, kwargs):
            return args, kwargs | {"attention_mask": bias[None, None]}

        return hook

    with ExitStack() as stack, torch.inference_mode():
        for index, layer in enumerate(adapter.decoder.layers):
            stack.enter_context(layer.register_forward_pre_hook(hook_for(index), with_kwargs=True))
        return adapter.model(inputs_embeds=embeds, use_cache=False, logits_to_keep=1).logits[0, -1]
