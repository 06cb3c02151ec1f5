"""Judge: whether the frames that were read of a film are those of their times."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from aim_core.media.frames import Frames
from tools.fuzz.clips import number_of

_CLOSE_S = 0.006  # Matroska and FLV keep milliseconds, GIF hundredths of a second


def faults(got: Frames, seconds: Sequence[float]) -> list[str]:
    """What is wrong, each in a few words, with frames of a film whose frame i appears at seconds[i] and shows i."""
    starts = np.asarray(seconds) - seconds[0]
    found = []
    for frame, time in zip(got.frames, got.times, strict=True):
        number = number_of(frame)
        if number >= len(starts) or abs(starts[number] - time) > _CLOSE_S:
            found.append(f"frame {number} at {time:.3f} s")
    if (np.diff(got.times) < 0).any():
        found.append("times descend")
    return found


def unlikely(got: Frames) -> list[str]:
    """What no file may make the reader say, each in a few words."""
    found = []
    if not (np.isfinite(got.duration) and got.duration >= 0):
        found.append(f"lasts {got.duration} s")
    if not (np.isfinite(got.times).all() and (got.times >= 0).all() and (got.times <= got.duration + _CLOSE_S).all()):
        found.append(f"frames at {got.times.tolist()} s of {got.duration} s")
    if (np.diff(got.times) < 0).any():
        found.append("times descend")
    return found


def away(got: Frames, seconds: Sequence[float]) -> float:
    """Seconds between the frames that are shown and those on screen in the middles of as many stretches, the most."""
    starts = np.asarray(seconds) - seconds[0]
    middles = (np.arange(len(got.times)) + 0.5) * got.duration / len(got.times)
    early, late = (
        starts[np.clip(np.searchsorted(starts, middles + by, side="right") - 1, 0, len(starts) - 1)]
        for by in (-_CLOSE_S, _CLOSE_S)
    )
    return float(np.minimum(np.abs(early - got.times), np.abs(late - got.times)).max())
