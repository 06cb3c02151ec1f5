"""Worker: the child process. Limits itself, decodes one file, leaves frames or a sentence.

Started by process.py as `python -m aim_core.media.worker`; reads one JSON request from standard input.
"""

from __future__ import annotations

import json
import mmap
import os
import sys
from pathlib import Path

from aim_core.media.errors import DAMAGED_PICTURE, HEAVY_PICTURE, HEAVY_VIDEO, UNREADABLE_VIDEO, MediaError
from aim_core.media.frames import Frames, write_error, write_frames
from aim_core.media.limits import Limits
from aim_core.media.sniff import HEAD_BYTES, PICTURES, sniff

_OUTPUT_BYTES = 1 << 30  # 64 frames of 2048 x 2048 and what the libraries grumble
_ROOM = 256 << 20  # bytes


def main() -> int:
    request = json.load(sys.stdin)
    limits = Limits(**request["limits"])
    restrict(limits)
    folder, path = Path(request["folder"]), Path(request["path"])
    try:
        write_frames(folder, read(path, request["num_frames"], request["max_side"], limits))
    except MediaError as error:
        write_error(folder, str(error))
    return 0


def restrict(limits: Limits) -> None:
    """Lower this process's own limits. Does nothing where the system has none (Windows)."""
    try:
        import resource
    except ImportError:
        return
    wanted = {
        resource.RLIMIT_AS: limits.memory_bytes,
        resource.RLIMIT_CPU: limits.cpu_seconds,
        resource.RLIMIT_FSIZE: _OUTPUT_BYTES,
        resource.RLIMIT_CORE: 0,  # a crash must not leave the user's frames on disk
    }
    for what, most in wanted.items():
        hard = resource.getrlimit(what)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (most, most))


def read(path: Path, num_frames: int, max_side: int, limits: Limits) -> Frames:
    """Decode here, in this process, what check_media let pass. Raises MediaError for all that goes wrong."""
    with open(path, "rb") as file:
        container = sniff(file.read(HEAD_BYTES))
    is_picture = container in PICTURES
    try:
        # Imported here, so that a picture does not wait for the video libraries and both come under the limits.
        if is_picture:
            from aim_core.media.image import read_picture

            return read_picture(path, max_side, limits)
        from aim_core.media.video import read_video

        return read_video(path, container, num_frames, max_side, limits)
    except MediaError:
        raise
    except ModuleNotFoundError as error:
        raise MediaError(f"Videos cannot be decoded here: install the Python package {error.name}.") from error
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
