"""Frames: the decoded pictures and sound of a file, or several pictures, and how the child process hands them over."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

import numpy as np

from aim_core.media.check import FileKind, MediaKind

_LONGEST_HEAD = 1 << 16  # bytes of the line before the pixels
_LONGEST_SENTENCE = 400
SOUND_RATE = 16_000  # samples a second
READERS = ("decord", "PyAV", "pictures")
SOUND_STATES = ("", "heard", "cut", "none", "short", "unreadable", "slow")


@dataclass(frozen=True, eq=False)
class Frames:
    """What was sampled from a video or read from a picture, or from several pictures.

    frames:   (F, H, W, 3) uint8 RGB, upright, in time order.
    times:    (F,) float32, seconds from the first frame of the file to the start of each one here.
    duration: seconds from the start of the first frame to the end of the last one; 0 for a picture.
    kind:     "video" or "image".
    audio:    (samples,) float32 sound of a video, or beside a picture, mono at SOUND_RATE a second, from `times` 0
              on, silent where the file has a hole; None for none.
    reader:   who decoded the file, of READERS; "unknown" where that was not told, "" where nobody did.
    sound:    what became of the file's sound: "heard"; "cut" where only its first seconds were asked for; "none" where
              it has none; "short", "unreadable" or "slow" where it was left out; "" where nobody asked for it.
    sizes:    (height, width) of each of several pictures, which begin at the top left of their frames; () for one file.
    """

    frames: np.ndarray
    times: np.ndarray
    duration: float
    kind: MediaKind
    reader: str = ""
    audio: np.ndarray | None = None
    sound: str = ""
    sizes: tuple[tuple[int, int], ...] = ()

    @property
    def shown(self) -> np.ndarray | tuple[np.ndarray, ...]:
        """What a model is shown: the frames, or a tuple of several pictures (H, W, 3), each of its own size."""
        if not self.sizes:
            return self.frames
        pairs = zip(self.frames, self.sizes, strict=True)
        return tuple(frame[:height, :width] for frame, (height, width) in pairs)

    @property
    def media_sizes(self) -> list[tuple[int, int, int]]:
        """(frames, height, width) of every picture or video that a prompt about it has, in order."""
        count, height, width = self.frames.shape[:3]
        return [(1, *size) for size in self.sizes] or [(count, height, width)]

    def with_audio(self, audio: np.ndarray) -> Frames:
        """The same with a sound, (samples,) of any float type in [-1, 1], mono, 16,000 a second.

        Raises ValueError for an array of another kind, or one that is empty or not finite.
        """
        audio = np.asarray(audio)
        if audio.ndim != 1 or audio.dtype.kind != "f" or not audio.size or not np.isfinite(audio).all():
            rule = f"(samples,) finite floats, mono at {SOUND_RATE} a second"
            raise ValueError(f"audio must be {rule}, got {audio.dtype} {audio.shape}")
        return replace(self, audio=audio.astype(np.float32))

    def without_audio(self, sound: str = "") -> Frames:
        """The same without a sound. sound: what became of it."""
        return replace(self, audio=None, sound=sound)


def together(pictures: Sequence[Frames]) -> Frames:
    """Several pictures as one question is asked about them; a single one stays as it is.

    Raises ValueError for none, and for a video.
    """
    if not pictures or any(one.kind != "image" or one.sizes for one in pictures):
        raise ValueError("give at least one picture, and no video beside it")
    if len(pictures) == 1:
        return pictures[0]
    sizes = tuple((int(one.frames.shape[1]), int(one.frames.shape[2])) for one in pictures)
    height, width = (max(sides) for sides in zip(*sizes, strict=True))
    frames = np.zeros((len(pictures), height, width, 3), dtype=np.uint8)
    for frame, one, size in zip(frames, pictures, sizes, strict=True):
        frame[: size[0], : size[1]] = one.frames[0]
    reader = pictures[0].reader
    return Frames(frames, np.zeros(len(pictures), dtype=np.float32), 0.0, "image", reader, sizes=sizes)


@dataclass(frozen=True)
class Reply:
    """What the child left: frames, the samples of a sound, or a sentence for the user; and what of its confinement this
    machine lacks."""

    result: Frames | np.ndarray | str
    missing: tuple[str, ...] = ()


def output_bytes(num_frames: int, max_side: int, sound_seconds: float = 0.0) -> int:
    """The most that a reply takes."""
    return _LONGEST_HEAD + num_frames * max_side**2 * 3 + 4 * most_samples(sound_seconds)


def most_samples(sound_seconds: float) -> int:
    """Samples of so many seconds."""
    return math.ceil(sound_seconds * SOUND_RATE)


def write_reply(file: BinaryIO, reply: Reply) -> None:
    """Leave a reply in a file: one line of JSON, the pixels, and the samples."""
    head: dict[str, Any] = {"missing": reply.missing}
    arrays: list[np.ndarray] = []
    if isinstance(result := reply.result, str):
        head["error"] = result
    elif isinstance(result, Frames):
        times, shape = [float(t) for t in result.times], result.frames.shape[:3]
        head |= {"shape": shape, "times": times, "duration": float(result.duration)}
        head |= {"reader": result.reader, "sound": result.sound}
        arrays = [result.frames] + ([] if result.audio is None else [result.audio])
        head["samples"] = 0 if result.audio is None else len(result.audio)
    else:
        head["samples"], arrays = len(result), [result]
    file.write(json.dumps(head).encode() + b"\n")
    for array in arrays:
        file.write(np.ascontiguousarray(array).data)
    file.flush()


def read_reply(file: BinaryIO, kind: FileKind, num_frames: int, max_side: int, sound_seconds: float = 0.0) -> Reply:
    """What the child left, about a file of this `kind`. Raises an error of some kind for anything else.

    The child has handled hostile bytes, so all is looked at, and no more is taken than was asked for.
    """
    head = json.loads(file.readline(_LONGEST_HEAD))
    missing = tuple(str(name)[:100] for name in head["missing"][:20])
    if "error" in head:
        return Reply(str(head["error"])[:_LONGEST_SENTENCE], missing)
    if kind == "sound":
        samples = _samples(file, head, sound_seconds)
        if samples is None:
            raise ValueError("the child left no samples")
        return Reply(samples, missing)
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
    reader = head["reader"] if head.get("reader") in READERS else "unknown"
    sound = head["sound"] if head.get("sound") in SOUND_STATES else ""
    audio = _samples(file, head, sound_seconds)
    return Reply(Frames(frames, times, duration, kind, reader, audio, sound), missing)


def _samples(file: BinaryIO, head: dict[str, Any], sound_seconds: float) -> np.ndarray | None:
    count = int(head.get("samples", 0))
    if not 0 <= count <= most_samples(sound_seconds):
        raise ValueError(f"the child left {count} samples")
    samples = np.empty(count, dtype=np.float32)
    if file.readinto(samples.data) != samples.nbytes or not np.isfinite(samples).all():  # type: ignore[attr-defined]
        raise ValueError("the child left too few samples, or no numbers")
    return samples if count else None
