"""Greedy decoding: the most likely token after each other, on a cache that a prefill has filled."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel

from aim_core.forward.dialect import call


def decode(
    model: PreTrainedModel,
    logits: Tensor,
    cache: DynamicCache,
    max_new_tokens: int,
    on_token: Callable[[list[int]], None] | None = None,
) -> list[int]:
    """Token ids, the end mark included; logits (1, vocabulary) of the first. on_token: told the ids after each."""
    ends = end_ids(model)
    answer = [int(logits.argmax(-1))]
    tell = on_token or (lambda ids: None)
    tell(answer)
    while answer[-1] not in ends and len(answer) < max_new_tokens:
        token = torch.tensor([[answer[-1]]], device=logits.device)
        out = call(model, input_ids=token, past_key_values=cache, use_cache=True, logits_to_keep=1)
        answer.append(int(out.logits[:, -1].argmax(-1)))
        tell(answer)
    return answer


def end_ids(model: PreTrainedModel) -> set[int]:
    """The token ids that end an answer."""
    ends = model.generation_config.eos_token_id
    if ends is None:
        ends = model.get_decoder().config.eos_token_id
    return set(ends) if isinstance(ends, list | tuple) else {ends}
