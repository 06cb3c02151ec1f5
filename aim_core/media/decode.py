"""Decode: from a file on disk to a few RGB frames, without letting its bytes into this process."""

from __future__ import annotations

import os
from numbers import Integral

from aim_core.media.check import check_media
from aim_core.media.errors import MediaError
from aim_core.media.frames import Frames
from aim_core.media.limits import Limits
from aim_core.media.pool import DecoderPool
from aim_core.media.process import Request
from aim_core.turns import NOBODY, Asker

MAX_FRAMES = 64
SIDES = (16, 2048)  # least and most pixels for `max_side`
_POOL = DecoderPool()  # of the whole process: its children share one machine


def load_frames(
    path: str | os.PathLike,
    num_frames: int = 8,
    max_side: int = 768,
    limits: Limits | None = None,
    asker: Asker = NOBODY,
) -> Frames:
    """Sample a video evenly in time, or read a picture.

    num_frames: how many frames of a video, 1 to 64. They show the middles of as many equal stretches of its
                duration. A video with fewer frames repeats them; a picture gives one whatever is asked.
    max_side:   most pixels for the longer side, 16 to 2048. Nothing is enlarged.
    limits:     see Limits; the decoder is a child process that is stopped when it goes over them.
    asker:      who waits, if a few files are being decoded already, and when to stop.

    Raises MediaError, with a sentence for the user, if the file cannot be used, ValueError if a number is out of range,
    and Stopped.
    """
    num_frames = _whole("num_frames", num_frames, 1, MAX_FRAMES)
    max_side = _whole("max_side", max_side, *SIDES)
    limits = limits or Limits()
    kind = check_media(path, limits)
    result = _POOL.decode(Request(os.path.abspath(path), kind, num_frames, max_side, limits), asker)
    if isinstance(result, str):
        raise MediaError(result)
    return result


def being_read() -> set[str]:
    """`ident` of every asker whose file is being read now."""
    return _POOL.holders()


def _whole(name: str, value: int, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, Integral) or not least <= value <= most:
        raise ValueError(f"{name} must be a whole number from {least} to {most}, got {value!r}")
    return int(value)
