"""Masks: who may attend to whom, as sdpa takes it; None where causal attention says it all."""

from __future__ import annotations

import torch
from torch import Tensor


def prefill_mask(visible: Tensor) -> Tensor | None:
    """visible (b, n) bool, which rows may be attended to → (b, 1, n, n) bool, or None if all may.

    A row that would see nothing sees itself, so that no softmax is empty.
    """
    if visible.all():
        return None
    n = visible.shape[1]
    causal = torch.ones(n, n, dtype=torch.bool, device=visible.device).tril()
    allowed = causal & visible[:, None, :]
    blind = ~allowed.any(dim=-1, keepdim=True)
    return (allowed | (blind & torch.eye(n, dtype=torch.bool, device=visible.device)))[:, None]


def decode_mask(visible: Tensor | None, num_new: int, num_all: int, device: torch.device) -> Tensor | None:
    """Mask (b or 1, 1, num_new, num_all) bool of rows that come after a stored prompt, or None if it hides nothing.

    visible: (b, num_all) bool, stored and new rows that may be attended to; None for all.
    """
    if visible is None and num_new == 1:
        return None
    causal = torch.ones(num_new, num_all, dtype=torch.bool, device=device).tril(num_all - num_new)
    return causal[None, None] if visible is None else causal & visible.to(device)[:, None, None, :]
