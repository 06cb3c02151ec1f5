"""A small trace for drawing tests: striped frames, a known merge, and a schedule that ends with nothing."""

import numpy as np

from aim_core.config import AimConfig
from aim_core.ops.flops import Cost
from aim_core.overrides import TokenOverrides
from aim_core.result import Result, Timing
from aim_core.trace import LayerTrace, Trace


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


def make_result(trace: Trace, overrides: TokenOverrides | None = None) -> Result:
    """A result with this trace and nothing else of interest."""
    tokens = tuple(trace.retained.tolist())
    cost, timing = Cost(tokens, tokens, 0, 0, 0), Timing(0, 0, 0, 0)
    return Result("yes", (1,), AimConfig(), trace, cost, timing, np.zeros(1, np.float32), overrides or TokenOverrides())
