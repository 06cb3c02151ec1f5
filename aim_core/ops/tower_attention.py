"""Attention of the vision tower: how much each patch receives in one layer, and its keys, for methods to rank by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

_BLOCK = 256  # query rows of one picture whose attention is computed at a time


@dataclass(frozen=True, eq=False)
class TowerAttention:
    """What the last layer of the vision tower that is read says of the patches of several views.

    received: (views, n) float, attention received, mean over heads; with a class token in the lead (CLIP) that paid by
              the class token, else the mean over all query rows.
    keys:     (views, n, m) float, keys, mean over heads.
    Both pooled to visual tokens as the family pools its features.
    """

    received: Tensor
    keys: Tensor

    @classmethod
    def together(cls, parts: Sequence[TowerAttention]) -> TowerAttention:
        """The views of several, one after the other; all have the same n."""
        return cls(torch.cat([part.received for part in parts]), torch.cat([part.keys for part in parts]))

    def to(self, device: torch.device) -> TowerAttention:
        return TowerAttention(self.received.to(device), self.keys.to(device))

    def rows(self, index: Tensor) -> TowerAttention:
        """Some patches (k,) of a single view, as a view of k patches."""
        index = index.to(self.received.device)
        return TowerAttention(self.received[:, index], self.keys[:, index])


def attention_received(query: Tensor, key: Tensor, scale: float, mask: Tensor | None = None) -> Tensor:
    """(b, n), the attention each key gets, mean over heads and the rows of `query`.

    query: (b, heads, r, d); key: (b, heads, n, d); scale: what q·k is multiplied by.
    mask:  as sdpa takes it, (b or 1, heads or 1, r or 1, n): bool, True where a row may look, or numbers to add.
    Computed in float32 (float64 for float64 input), picture by picture and a block of rows at a time.
    """
    wide = torch.promote_types(query.dtype, torch.float32)
    received = torch.zeros(key.shape[0], key.shape[2], dtype=wide, device=key.device)
    for picture, (q, k) in enumerate(zip(query.to(wide), key.to(wide), strict=True)):
        for start in range(0, q.shape[1], _BLOCK):
            rows = slice(start, start + _BLOCK)
            logits = q[:, rows] @ k.mT * scale  # (heads, rows, n)
            if mask is not None:
                own = mask[picture if len(mask) > 1 else 0]
                own = own[:, rows] if own.shape[1] > 1 else own
                logits = logits.masked_fill(~own, -torch.inf) if own.dtype == torch.bool else logits + own
            received[picture] += logits.softmax(dim=-1).mean(dim=0).sum(dim=0)
    return received / query.shape[2]
