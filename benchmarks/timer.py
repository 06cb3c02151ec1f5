"""Timer: milliseconds on a CPU or a GPU, and the times of one prefill."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch


class Timer:
    """Milliseconds on a device: by CUDA events on a GPU, by the clock elsewhere."""

    def __init__(self, device: torch.device):
        self._on_gpu, self._spans = device.type == "cuda", []

    @contextmanager
    def running(self) -> Iterator[None]:
        begun = self._now()
        yield
        self._spans.append((begun, self._now()))

    @property
    def ms(self) -> float:
        """All spans together."""
        if not self._on_gpu:
            return sum(end - begun for begun, end in self._spans) * 1000
        torch.cuda.synchronize()
        return sum(begun.elapsed_time(end) for begun, end in self._spans)

    def _now(self):
        if not self._on_gpu:
            return time.perf_counter()
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        return event


@dataclass(frozen=True)
class PrefillTiming:
    """One prefill. tokens: rows, text and visual, that each layer computed; times in ms, parts of `ms` after it."""

    tokens: tuple[int, ...]
    ms: float
    pagerank_ms: float = 0.0
    merge_ms: float = 0.0
