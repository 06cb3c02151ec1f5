"""Tower: where a family's vision tower attends last, and how what it says of patches is read and pooled."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from aim_core.ops.tower_attention import attention_received

FEATURE_LAYER = "vision_feature_layer"  # of configurations


@dataclass(frozen=True, eq=False)
class Tower:
    """Where a family's vision tower attends in the last layer that its features come from.

    model:     the tower, a stock model.
    attention: its attention module in that layer.
    class_token: whether the first row is a class token, which is no patch.
    by_class:  whether attention received is that paid by the class token; else the mean over all rows.
    layers:    its layers up to that one, through which rows go as (pictures, [1 +] n, d) and in whose MLP each goes by
               itself; empty where tokens cannot be merged inside.
    parts:     names in a layer: attention, the norm before the MLP, the MLP.
    """

    model: PreTrainedModel
    attention: nn.Module
    class_token: bool = False
    by_class: bool = False
    layers: tuple[nn.Module, ...] = ()
    parts: tuple[str, str, str] = ("self_attn", "layer_norm2", "mlp")

    def read(self, query: Tensor, key: Tensor, scale: float, mask: Tensor | None) -> Tensor:
        """(b, n, 1 + m), for each patch the attention it received and its key, mean over heads.

        query, key: (b, heads, [1 +] n, m) of b pictures, or planes; mask: see `attention_received`.
        """
        rows = slice(1 if self.by_class else None)
        received = attention_received(query[:, :, rows], key, scale, None if mask is None else mask[:, :, rows])
        found = torch.cat([received[..., None], key.to(received.dtype).mean(dim=1)], dim=-1)
        return found[:, 1:] if self.class_token else found


def read_layers(layers: Sequence[Any], index: Any) -> tuple[Any, ...]:
    """The layers of a tower up to its hidden state `index`, as configurations count them (0: embeddings).

    Raises ValueError for anything but one such layer.
    """
    number = index + len(layers) + 1 if isinstance(index, int) and index < 0 else index
    if not isinstance(number, int) or not 1 <= number <= len(layers):
        raise ValueError(f"this method needs features of one layer of the vision tower, got {FEATURE_LAYER} {index}")
    return tuple(layers[:number])


def pool_squares(patches: Sequence[Tensor], side: int) -> Tensor:
    """(rows, c): means over squares of side x side patches, those of each picture in raster order.

    patches: (b, n, c) of square pictures in raster order.
    """
    found = []
    for own in patches:
        long = math.isqrt(own.shape[1]) // side
        squares = own.unflatten(1, (long, side, long, side))
        found.append(squares.mean(dim=(2, 4)).flatten(0, 2))
    return torch.cat(found)
