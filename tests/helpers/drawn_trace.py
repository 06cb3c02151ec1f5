"""A small trace for drawing tests: striped frames, a known merge, and a schedule that ends with nothing."""

from dataclasses import replace

import numpy as np

from aim_core.config import AimConfig
from aim_core.layer_trace import LayerTrace
from aim_core.ops.flops import Cost
from aim_core.overrides import TokenOverrides
from aim_core.result import Result, Timing
from aim_core.trace import Trace
from aim_core.view import View


def make_trace(num_frames: int = 2, size: tuple[int, int] = (50, 70), scored: bool = True) -> Trace:
    """Frames of 3 x 4 patches merged to 6 tokens, one suffix row, 5 layers; scores in layers 1 and 2.

    Layer 2 keeps every other row, layer 3 only row 0, layer 4 none. A row's score in layer 1 is its number + 1.
    """
    group = np.tile([0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 4, 5], (num_frames, 1))
    rows = np.arange(6 * num_frames + 1)
    kept = [rows, rows, rows[::2], rows[:1], rows[:0]]
    none = np.zeros(0, np.float32)
    scores = [none, (rows + 1).astype(np.float32), 2.0 ** -rows[::2].astype(np.float32), none, none]
    layers = tuple(LayerTrace(i, kept[i], scores[i] if scored else none) for i in range(5))
    frames = np.full((num_frames, *size, 3), 150, np.uint8)
    frames[:, :, ::2] = (90, 160, 120)
    times = np.arange(num_frames, dtype=np.float32) * 0.5
    planned = np.array([len(part) for part in kept])
    planned[3] = 3  # not what was run, so that a chart has to show both
    return Trace(frames, times, (3, 4), group, layers, planned)


def make_dropped_trace(size: tuple[int, int] = (50, 70)) -> Trace:
    """Two frames of 3 x 4 patches before 4 layers; some were dropped, and token 0 has patches in both frames.

    Token 0: patches 0 and 1 of frame 0, patch 0 of frame 1. Tokens 1 to 3: patch 5, 6 and 11 of frame 0, alone.
    Token 4: patches 4 and 5 of frame 1. Row 5: a separator. Layer 2 keeps rows 0 and 4, 3 none; layer 1 is scored.
    """
    rows = np.full((2, 12), -1)
    rows[0, [0, 1, 5, 6, 11]], rows[1, [0, 4, 5]] = [0, 0, 1, 2, 3], [0, 4, 4]
    none = np.zeros(0, np.float32)
    scores = np.array([6, 3, 2, 1, 5, 4], np.float32) / 21
    kept = [np.arange(6), np.arange(6), np.array([0, 4]), np.arange(0)]
    layers = tuple(LayerTrace(index, own, scores if index == 1 else none) for index, own in enumerate(kept))
    base = make_trace(2, size)
    views = [View(0, (frame,), (3, 4)) for frame in range(2)]
    planned = np.array([len(own) for own in kept])
    return Trace.of_views(base.frames, base.times, views, list(rows), layers, planned)


def make_folded_trace(size: tuple[int, int] = (50, 70)) -> Trace:
    """As `make_trace`, but right before layer 2 rows 1 and 3 were folded into row 4 and row 5 into row 12, a separator;
    the others that left were dropped."""
    trace = make_trace(size=size)
    layers = list(trace.layers)
    layers[2] = replace(layers[2], folded=np.array([[1, 4], [3, 4], [5, 12]]))
    return replace(trace, layers=tuple(layers))


def make_result(trace: Trace, overrides: TokenOverrides | None = None) -> Result:
    """A result with this trace and nothing else of interest."""
    tokens = tuple(trace.retained.tolist())
    cost, timing = Cost(tokens, tokens, 0, 0, 0), Timing(0, 0, 0, 0)
    return Result("yes", (1,), AimConfig(), trace, cost, timing, np.zeros(1, np.float32), overrides or TokenOverrides())
