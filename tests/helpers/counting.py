"""Counting: torch's own count of operations, whatever attention kernel this machine has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode


def counted(call: Callable[[], Any]) -> tuple[Any, dict[str, int]]:
    """What `call` returns, and the operations of each module in it by its name, "Global" for all of them together.

    Attention is counted by its two matrix products: FlopCounterMode has no formula for some of the fused kernels.
    """
    with torch.inference_mode(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        returned = call()
    return returned, {module: sum(kinds.values()) for module, kinds in counter.get_flop_counts().items()}
