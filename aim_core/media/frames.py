"""Frames: the decoded pictures of one file, and how the child process hands them to its parent."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

import numpy as np

from aim_core.media.check import MediaKind

_LONGEST_HEAD = 1 << 16  # bytes of the line before the pixels
_LONGEST_SENTENCE = 400
SOUND_RATE = 16_000  # samples a second
READERS = ("decord", "PyAV", "pictures")


@dataclass(frozen=True, eq=False)
class Frames:
    """What was sampled from a video or read from a picture.

    frames:   (F, H, W, 3) uint8 RGB, upright, in time order.
    times:    (F,) float32, seconds from the first frame of the file to the start of each one here.
    duration: seconds from the start of the first frame to the end of the last one; 0 for a picture.
    kind:     "video" or "image".
    audio:    (samples,) float32 sound of a video, or beside a picture, mono at SOUND_RATE a second, from `times` 0
              on; None for none. `load_frames` does not read it.
    reader:   who decoded the file, of READERS; "unknown" where that was not told, "" where nobody did.
    """

    frames: np.ndarray
    times: np.ndarray
    duration: float
    kind: MediaKind
    reader: str = ""
    audio: np.ndarray | None = None

    def with_audio(self, audio: np.ndarray) -> Frames:
        """The same with a sound, (samples,) of any float type in [-1, 1], mono, 16,000 a second.

        Raises ValueError for an array of another kind, or one that is empty or not finite.
        """
        audio = np.asarray(audio)
        if audio.ndim != 1 or audio.dtype.kind != "f" or not audio.size or not np.isfinite(audio).all():
            rule = f"(samples,) finite floats, mono at {SOUND_RATE} a second"
            raise ValueError(f"audio must be {rule}, got {audio.dtype} {audio.shape}")
        return replace(self, audio=audio.astype(np.float32))


@dataclass(frozen=True)
class Reply:
    """What the child left: frames, or a sentence for the user; and what of its confinement this machine lacks."""

    result: Frames | str
    missing: tuple[str, ...] = ()


def output_bytes(num_frames: int, max_side: int) -> int:
    """The most that a reply takes."""
    return _LONGEST_HEAD + num_frames * max_side**2 * 3


def write_reply(file: BinaryIO, reply: Reply) -> None:
    """Leave a reply in a file: one line of JSON, and the pixels."""
    head: dict[str, Any] = {"missing": reply.missing}
    if isinstance(frames := reply.result, str):
        head["error"] = frames
    else:
        times, shape = [float(t) for t in frames.times], frames.frames.shape[:3]
        head |= {"shape": shape, "times": times, "duration": float(frames.duration)}
        head["reader"] = frames.reader
    file.write(json.dumps(head).encode() + b"\n")
    if isinstance(frames, Frames):
        file.write(np.ascontiguousarray(frames.frames).data)
    file.flush()


def read_reply(file: BinaryIO, kind: MediaKind, num_frames: int, max_side: int) -> Reply:
    """What the child left, about a file of this `kind`. Raises an error of some kind for anything else.

    The child has handled hostile bytes, so all is looked at, and no more is taken than was asked for.
    """
    head = json.loads(file.readline(_LONGEST_HEAD))
    missing = tuple(str(name)[:100] for name in head["missing"][:20])
    if "error" in head:
        return Reply(str(head["error"])[:_LONGEST_SENTENCE], missing)
    count, height, width = (int(size) for size in head["shape"])
    most = 1 if kind == "image" else num_frames
    if not (1 <= count <= most and 1 <= height <= max_side and 1 <= width <= max_side):
        raise ValueError(f"the child left frames of {count, height, width}")
    times, duration = np.array(head["times"], dtype=np.float32), float(head["duration"])
    if times.shape != (count,) or not np.isfinite(times).all() or not math.isfinite(duration):
        raise ValueError(f"the child left times of shape {times.shape}, or no numbers")
    frames = np.empty((count, height, width, 3), dtype=np.uint8)
    if file.readinto(frames.reshape(-1).data) != frames.nbytes:  # type: ignore[attr-defined]
        raise ValueError("the child left too few pixels")
    reader = head.get("reader")
    return Reply(Frames(frames, times, duration, kind, reader if reader in READERS else "unknown"), missing)
