"""Check: refuse what is no plain video or picture file, before anything is decoded."""

from __future__ import annotations

import os
import re
import stat
from typing import Literal

from aim_core.media.errors import MediaError
from aim_core.media.limits import Limits
from aim_core.media.refuse import refuse_bytes
from aim_core.media.sniff import HEAD_BYTES, PICTURES, sniff, sniff_sound

MediaKind = Literal["video", "image"]
FileKind = MediaKind | Literal["sound"]

_NOT_THERE = "This file is not there or may not be read. Choose it again."


def check_media(path: str | os.PathLike, limits: Limits | None = None) -> MediaKind:
    """Whether the file at `path` is a video or an image, judged by its first bytes and its size.

    No library sees the file: its header is read in the child process. Follows symbolic links. Raises MediaError with a
    sentence for the user if the path is a web address, a folder or a device, or if the file is empty, too large, a
    playlist, text or unknown.
    """
    limits = limits or Limits()
    num_bytes = _regular_size(path)
    try:
        with open(path, "rb") as file:
            container = sniff(file.read(HEAD_BYTES))
    except OSError as error:
        raise MediaError(_NOT_THERE) from error
    if container not in PICTURES:
        refuse_bytes(num_bytes, limits.video_bytes, "video")
        return "video"
    refuse_bytes(num_bytes, limits.picture_bytes, "picture")
    return "image"


def check_sound(path: str | os.PathLike, limits: Limits | None = None) -> None:
    """Raise MediaError, as `check_media` does, for what is no plain file of sound, nor a film, which may have one."""
    limits = limits or Limits()
    num_bytes = _regular_size(path)
    try:
        with open(path, "rb") as file:
            sniff_sound(file.read(HEAD_BYTES))
    except OSError as error:
        raise MediaError(_NOT_THERE) from error
    refuse_bytes(num_bytes, limits.video_bytes, "file")


def _regular_size(path: str | os.PathLike) -> int:
    """Bytes of the regular file at `path`; nothing is opened, so a pipe cannot block here."""
    if not isinstance(path, (str, os.PathLike)) or not os.fspath(path):
        raise MediaError("Choose a video or a picture first.")
    try:
        info = os.stat(path)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        if re.match(r"[a-z][a-z0-9+.-]+:", os.fsdecode(path), re.IGNORECASE):
            raise MediaError("This is a web address, not a file: download the video and choose the file.") from error
        raise MediaError(_NOT_THERE) from error
    if stat.S_ISDIR(info.st_mode):
        raise MediaError("This is a folder, not a file. Choose a video or a picture in it.")
    if not stat.S_ISREG(info.st_mode):
        raise MediaError("This is not a plain file. Choose a video or a picture.")
    if info.st_size == 0:
        raise MediaError("This file is empty. Choose it again, or export it again.")
    return info.st_size
