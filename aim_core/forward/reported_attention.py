"""Reported attention: stock sdpa attention that first tells somebody a module's query and key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

_NAME = "sdpa_reported"
# told query, key, scale and mask; returns whether attention is to be computed, or the mask for it
Report = Callable[[Tensor, Tensor, float, Tensor | None], bool | Tensor]
_reports: WeakKeyDictionary[nn.Module, Report] = WeakKeyDictionary()


@contextmanager
def reported_attention(model: Any) -> Iterator[None]:
    """Let a model that attends by stock sdpa do so by the one that reports, inside the block."""
    AttentionInterface.register(_NAME, _reporting_attention)
    AttentionMaskInterface.register(_NAME, ALL_MASK_ATTENTION_FUNCTIONS["sdpa"])
    try:
        model.set_attn_implementation(_NAME)
        yield
    finally:
        model.set_attn_implementation("sdpa")


@contextmanager
def on_attention(module: nn.Module, report: Report) -> Iterator[None]:
    """Tell `report`, and nobody else, what a module of such a model attends with, inside the block."""
    _reports[module] = report
    try:
        yield
    finally:
        _reports.pop(module, None)


def _reporting_attention(module: nn.Module, query: Tensor, key: Tensor, value: Tensor, attention_mask, **kwargs):
    """Stock sdpa attention, after reporting query and key of the module."""
    report = _reports.get(module)
    if report is not None:
        told = report(query, key, kwargs["scaling"], attention_mask)
        if told is False:
            return torch.zeros_like(query).transpose(1, 2), None
        attention_mask = attention_mask if told is True else told
    return ALL_ATTENTION_FUNCTIONS["sdpa"](module, query, key, value, attention_mask, **kwargs)
