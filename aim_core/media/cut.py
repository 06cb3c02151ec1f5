"""Cut: whether a video file ends before its time, and which of its last frames can still be trusted."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np

_TAILS = {"gif": b";", "apng": b"IEND\xaeB`\x82"}
_TAIL_BYTES = 1 << 12
_TELL_LENGTHS = ("mov", "matroska", "avi", "flv")  # of packets, so that FFmpeg knows which is not whole
_NO_TIMES = ("avi",)
_MOST_MISSING = 2  # frames that lie after the last one in the file and are shown before it, where no time tells


def is_cut(
    path: Path, file: av.container.InputContainer, stream: av.VideoStream, container: str, ends: np.ndarray
) -> bool:
    """Whether there is less in the file than it promises, or it promises nothing.

    ends: (n,) int64, ascending, when each frame that is there disappears, in units of the stream's time base; n >= 1.
    """
    if container in _TAILS:
        return not _tail(path).rstrip(b"\0").endswith(_TAILS[container])
    if container == "mpegts":
        return all(path.stat().st_size % size for size in (188, 192))
    if container == "mov":
        return stream.frames > len(ends)  # or a part of it is not to be shown, and then no frame is in doubt
    usual = float(np.median(np.diff(ends))) if len(ends) > 1 else 0.0
    promised = float(stream.frames)  # of AVI: its length in this unit, with frames that repeat the one before
    if container != "avi":
        promised = stream.duration or (file.duration or 0) / av.time_base / float(stream.time_base or 1)
    return container in ("mpeg", "asf") or promised > ends[-1] - ends[0] + 3 * usual


def _tail(path: Path) -> bytes:
    with open(path, "rb") as file:
        file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
        return file.read()


def num_sure(container: str, starts: np.ndarray, last_start: int, last_decoded: int) -> int:
    """How many of the first frames of a file that is cut off are whole and have none missing between them; at least 1.

    starts:       (n,) int64, ascending, when the frames appear.
    last_start:   when the last frame in the file appears.
    last_decoded: when it is decoded. What is missing would be decoded later, and shown no earlier than that.
    """
    if container in _NO_TIMES:
        return max(1, len(starts) - _MOST_MISSING)
    step = int(np.median(np.diff(starts))) if len(starts) > 1 else 0
    sure = int(np.searchsorted(starts, last_decoded + step, side="right"))
    holes = np.flatnonzero(np.diff(starts[max(0, sure - 1) :]) > 1.5 * step)
    sure = max(1, sure) + int(holes[0]) if len(holes) else len(starts)
    if container not in _TELL_LENGTHS:
        sure = min(sure, int(np.searchsorted(starts, last_start)))
    return max(1, sure)
