"""Precision: similarities and means are computed in float32 at least."""

from __future__ import annotations

import torch
from torch import Tensor


def widened(x: Tensor) -> Tensor:
    """The same numbers in float32, or as they are where they have more digits already."""
    return x.to(torch.promote_types(x.dtype, torch.float32))
