"""Iterations: PageRank scores of every measured layer after each iteration, packed into the explorer's record."""

from __future__ import annotations

import numpy as np

from aim_core.trace import Trace
from page.components.explorer.packing import packed_log

MOST = 2_000_000  # numbers in one record; where heads would exceed it, only their root mean square travels


def steps_record(trace: Trace) -> dict:
    """heads, iterations, and by layer a `packed_log` of (heads, iterations + 1, kept); no layers where none has any."""
    steps = {layer.layer: layer.steps for layer in trace.layers if layer.steps.size}
    if not steps:
        return {"heads": 0, "iterations": 0, "layers": {}}
    if sum(part.size for part in steps.values()) > MOST:
        steps = {layer: _over_heads(part) for layer, part in steps.items()}
    heads, points, _ = next(iter(steps.values())).shape
    layers = {str(layer): packed_log(part) for layer, part in steps.items()}
    return {"heads": heads, "iterations": points - 1, "layers": layers}


def _over_heads(steps: np.ndarray) -> np.ndarray:
    """(1, iterations + 1, kept), the root mean square over heads: what a score is."""
    return np.sqrt(np.square(steps, dtype=np.float64).mean(axis=0, keepdims=True)).astype(np.float32)
