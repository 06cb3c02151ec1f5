"""Decode: from a file on disk to a few RGB frames and a sound, without letting its bytes into this process."""

from __future__ import annotations

import os
from numbers import Integral, Real

import numpy as np

from aim_core.media.check import check_media, check_sound
from aim_core.media.errors import MediaError
from aim_core.media.frames import Frames
from aim_core.media.limits import Limits
from aim_core.media.pool import DecoderPool
from aim_core.media.process import Request
from aim_core.turns import NOBODY, Asker

MAX_FRAMES = 256
SIDES = (16, 2048)  # least and most pixels for `max_side`
MOST_SOUND_S = 3600
_POOL = DecoderPool()  # of the whole process: its children share one machine


def load_frames(
    path: str | os.PathLike,
    num_frames: int = 8,
    max_side: int = 768,
    limits: Limits | None = None,
    asker: Asker = NOBODY,
    sound_seconds: float = 0.0,
) -> Frames:
    """Sample a video evenly in time, or read a picture.

    num_frames: how many frames of a video, 1 to 256. They show the middles of as many equal stretches of its
                duration. A video with fewer frames repeats them; a picture gives one whatever is asked.
    max_side:   most pixels for the longer side, 16 to 2048. Nothing is enlarged.
    limits:     see Limits; the decoder is a child process that is stopped when it goes over them.
    asker:      who waits, if a few files are being decoded already, and when to stop.
    sound_seconds: how much of a video's sound to read, from its first frame on, up to 3,600; 0 for none. A video whose
                sound cannot be read goes without; `Frames.sound` says why.

    Raises MediaError, with a sentence for the user, if the file cannot be used, ValueError if a number is out of range,
    and Stopped.
    """
    num_frames = _whole("num_frames", num_frames, 1, MAX_FRAMES)
    max_side = _whole("max_side", max_side, *SIDES)
    limits = limits or Limits()
    kind = check_media(path, limits)
    seconds = _seconds(sound_seconds, 0.0) if kind == "video" else 0.0
    result = _POOL.decode(Request(os.path.abspath(path), kind, num_frames, max_side, limits, seconds), asker)
    if isinstance(result, str):
        raise MediaError(result)
    assert isinstance(result, Frames)
    return result


def load_sound(
    path: str | os.PathLike, seconds: float = 300.0, limits: Limits | None = None, asker: Asker = NOBODY
) -> np.ndarray:
    """(n,) float32, mono at 16,000 samples a second: the first `seconds` of a file of sound, or of a video, from its
    first frame on.

    Decoded as videos are, in a confined process, whatever the file's rate and channels.
    Raises MediaError where there is no sound or it cannot be read, ValueError unless `seconds` is in (0, 3600], and
    Stopped.
    """
    seconds, limits = _seconds(seconds, 1e-3), limits or Limits()
    check_sound(path, limits)
    result = _POOL.decode(Request(os.path.abspath(path), "sound", 0, 0, limits, seconds), asker)
    if isinstance(result, str):
        raise MediaError(result)
    assert isinstance(result, np.ndarray)
    return result


def being_read() -> set[str]:
    """`ident` of every asker whose file is being read now."""
    return _POOL.holders()


def _seconds(value: float, least: float) -> float:
    if isinstance(value, bool) or not isinstance(value, Real) or not least <= value <= MOST_SOUND_S:
        raise ValueError(f"seconds of sound must be a number up to {MOST_SOUND_S:,}, got {value!r}")
    return float(value)


def _whole(name: str, value: int, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, Integral) or not least <= value <= most:
        raise ValueError(f"{name} must be a whole number from {least} to {most}, got {value!r}")
    return int(value)
