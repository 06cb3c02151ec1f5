"""Last logits: `logits_to_keep` for a stock model whose forward does not have it (Qwen2.5-Omni)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import local
from typing import Any

from torch import Tensor, nn
from transformers import PreTrainedModel

from aim_core.forward.dialect import parameters


class _Asked(local):
    """How many rows the forward that a thread has under way is asked for; 0 for all of them."""

    rows = 0


@contextmanager
def last_logits(model: PreTrainedModel) -> Iterator[None]:
    """Inside the block the model's forward takes `logits_to_keep`, a number: its head sees so many of the last rows."""
    if "logits_to_keep" in parameters(model):
        yield
        return
    asked = _Asked()

    def ask(_model: nn.Module, args: tuple, kwargs: dict[str, Any]) -> tuple[tuple, dict[str, Any]]:
        asked.rows = kwargs.pop("logits_to_keep", None) or 0
        return args, kwargs

    def keep(_head: nn.Module, args: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return (args[0][:, -asked.rows :], *args[1:])

    before = model.register_forward_pre_hook(ask, with_kwargs=True)
    head = model.get_output_embeddings().register_forward_pre_hook(keep)
    try:
        yield
    finally:
        before.remove()
        head.remove()
