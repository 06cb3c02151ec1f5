"""Sample: which frames of a video to take, by time and not by number."""

from __future__ import annotations

import numpy as np

_TOLERANCE_S = 1e-3  # Matroska and FLV round times to a millisecond


def sample(starts: np.ndarray, ends: np.ndarray, num_frames: int) -> tuple[np.ndarray, float]:
    """Indices of the frames on screen at the middles of `num_frames` equal stretches, and the duration.

    starts: (n,) seconds, ascending, when each frame appears; n >= 1.
    ends:   (n,) seconds, when each disappears; one that is not after its start counts as unknown.

    Returns (num_frames,) int64 in [0, n), not descending, where a frame that stays long repeats; and the
    seconds from the first start to the last end.
    """
    duration = last_end(starts, ends) - float(starts[0])
    middles = (np.arange(num_frames) + 0.5) * duration / num_frames  # (num_frames,)
    found = np.searchsorted(starts - starts[0], middles + _TOLERANCE_S, side="right") - 1
    return found.astype(np.int64), duration


def last_end(starts: np.ndarray, ends: np.ndarray) -> float:
    """When the last frame disappears; if the file does not say, it stays as long as frames usually do."""
    if ends[-1] > starts[-1]:
        return float(ends[-1])
    usual = float(np.median(np.diff(starts))) if len(starts) > 1 else 0.0
    return float(starts[-1]) + usual
