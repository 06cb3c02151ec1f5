"""Frames: the decoded pictures of one file, and how the child process hands them to its parent."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from aim_core.media.check import MediaKind

_PIXELS, _REPLY = "frames.npy", "reply.json"


@dataclass(frozen=True, eq=False)
class Frames:
    """What was sampled from a video or read from a picture.

    frames:   (F, H, W, 3) uint8 RGB, upright, in time order.
    times:    (F,) float32, seconds from the first frame of the file to the start of each one here.
    duration: seconds from the start of the first frame to the end of the last one; 0 for a picture.
    kind:     "video" or "image".
    """

    frames: np.ndarray
    times: np.ndarray
    duration: float
    kind: MediaKind


def write_frames(folder: Path, result: Frames) -> None:
    """Leave `result` in `folder`."""
    np.save(folder / _PIXELS, result.frames)
    reply = {"times": [float(t) for t in result.times], "duration": float(result.duration), "kind": result.kind}
    (folder / _REPLY).write_text(json.dumps(reply))


def write_error(folder: Path, sentence: str) -> None:
    """Leave a sentence for the user in `folder`, in place of frames."""
    (folder / _REPLY).write_text(json.dumps({"error": sentence}))


def read_reply(folder: Path) -> Frames | str:
    """What the child left: frames, or its sentence. Raises OSError, ValueError or KeyError if that is neither.

    The child has handled hostile bytes, so nothing here is unpickled and the arrays are looked at.
    """
    reply = json.loads((folder / _REPLY).read_text())
    if "error" in reply:
        return str(reply["error"])
    frames = np.load(folder / _PIXELS, allow_pickle=False)
    times = np.array(reply["times"], dtype=np.float32)
    if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[3] != 3 or times.shape != frames.shape[:1]:
        raise ValueError(f"the child left frames {frames.dtype} {frames.shape} and times {times.shape}")
    return Frames(frames, times, float(reply["duration"]), reply["kind"])
