"""Worker: the child process. Confines itself, decodes one file, leaves frames, a sound or a sentence.

Started by process.py as `python -m aim_core.media.worker`; reads one JSON request from standard input, and leaves its
reply in standard output, which is a file.
"""

from __future__ import annotations

import importlib
import json
import mmap
import os
import sys
from pathlib import Path
from typing import BinaryIO

import numpy as np

from aim_core.media.check import FileKind
from aim_core.media.confine import confine
from aim_core.media.errors import (
    DAMAGED_PICTURE,
    HEAVY_PICTURE,
    HEAVY_VIDEO,
    UNREADABLE_SOUND,
    UNREADABLE_VIDEO,
    MediaError,
)
from aim_core.media.frames import Frames, Reply, output_bytes, write_reply
from aim_core.media.limits import Limits
from aim_core.media.sniff import HEAD_BYTES, PICTURES, sniff, sniff_sound

_ROOM = 256 << 20  # bytes


def main() -> int:
    request = json.load(sys.stdin)
    limits, path, output = Limits(**request["limits"]), Path(request["path"]), _take_output()
    num_frames, max_side, seconds = request["num_frames"], request["max_side"], request["sound_seconds"]
    missing: list[str] = []
    result: Frames | np.ndarray | str
    try:
        load_reader(request["kind"])
        missing = confine(path, output_bytes(num_frames, max_side, seconds), limits, request["parent"])
        is_sound = request["kind"] == "sound"
        result = hear(path, seconds, limits) if is_sound else read(path, num_frames, max_side, limits, seconds)
    except MediaError as error:
        result = str(error)
    write_reply(output, Reply(result, tuple(missing)))
    return 0


def _take_output() -> BinaryIO:
    """The file for the reply; what libraries print goes to standard error from here on."""
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return output


def load_reader(kind: FileKind) -> None:
    """Import what reads such files, as long as every file may be read. A picture does not wait for video libraries."""
    try:
        name = {"image": "image", "video": "video", "sound": "sound"}[kind]
        importlib.import_module(f"aim_core.media.{name}")
    except ModuleNotFoundError as error:
        raise MediaError(f"Videos cannot be decoded here: install the Python package {error.name}.") from error


def hear(path: Path, seconds: float, limits: Limits) -> np.ndarray:
    """(n,) float32: the sound of what check_sound let pass, decoded here. Raises MediaError for all that goes wrong."""
    from aim_core.media.sound import read_sound

    with open(path, "rb") as file:
        container = sniff_sound(file.read(HEAD_BYTES))
    try:
        return read_sound(path, container, seconds, limits)
    except MediaError:
        raise
    except Exception as error:  # a decoder may raise anything on hostile bytes
        raise MediaError(UNREADABLE_SOUND) from error


def read(path: Path, num_frames: int, max_side: int, limits: Limits, sound_seconds: float = 0.0) -> Frames:
    """Decode here, in this process, what check_media let pass. Raises MediaError for all that goes wrong."""
    with open(path, "rb") as file:
        container = sniff(file.read(HEAD_BYTES))
    is_picture = container in PICTURES
    try:
        if is_picture:
            from aim_core.media.image import read_picture

            return read_picture(path, max_side, limits)
        from aim_core.media.video import read_video

        return read_video(path, container, num_frames, max_side, limits, sound_seconds)
    except MediaError:
        raise
    except (MemoryError, ImportError) as error:  # ImportError: no room left to load a library
        raise MediaError(HEAVY_PICTURE if is_picture else HEAVY_VIDEO) from error
    except Exception as error:  # a decoder may raise anything on hostile bytes, or where its memory ends
        if _is_memory_short():
            raise MediaError(HEAVY_PICTURE if is_picture else HEAVY_VIDEO) from error
        raise MediaError(DAMAGED_PICTURE if is_picture else UNREADABLE_VIDEO) from error


def _is_memory_short() -> bool:
    """Whether this process could not get as much more memory as a decoder may ask for at once."""
    try:
        mmap.mmap(-1, _ROOM).close()
    except (OSError, MemoryError):
        return True
    return False


if __name__ == "__main__":
    os._exit(main())  # at once: a thread of a decoder may stand still for ever
