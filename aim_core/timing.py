"""Timing: how long a call takes by the clock, on the device that a model runs on."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch


def timed(device: torch.device, function: Callable, *args: Any) -> tuple[Any, float]:
    """Call it; what it returned, and the milliseconds that took, with all work on the device done."""
    _wait(device)
    begun = time.perf_counter()
    result = function(*args)
    _wait(device)
    return result, (time.perf_counter() - begun) * 1000


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
