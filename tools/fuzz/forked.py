"""Forked: read one file in a process of its own, with the limits of the page's but without the half second that a new
Python takes."""

from __future__ import annotations

import os
import signal
import tempfile
import time
import traceback
from dataclasses import dataclass
from pathlib import Path

from aim_core.media import image, video  # noqa: F401 -- before the fork, so that each process has them
from aim_core.media.check import check_media
from aim_core.media.errors import MediaError
from aim_core.media.frames import Frames, read_reply, write_error, write_frames
from aim_core.media.limits import Limits
from aim_core.media.worker import read, restrict

_STEP_S = 0.005


@dataclass(frozen=True)
class Outcome:
    """What came of a file: frames or a sentence, or how the process ended that left neither; and seconds of the wall
    clock and of the processor."""

    reply: Frames | str | None
    ended: str
    wall: float
    cpu: float


def read_forked(path: Path, num_frames: int, limits: Limits | None = None) -> Outcome:
    """What `load_frames` would give for the file at `path`. To be called where no other thread runs."""
    limits, began = limits or Limits(), time.monotonic()
    try:
        check_media(path, limits)
    except MediaError as error:
        return Outcome(str(error), "", time.monotonic() - began, 0.0)
    with tempfile.TemporaryDirectory(prefix="aim-fuzz-") as name:
        child = os.fork()
        if not child:
            _child(Path(name), path, num_frames, limits)
        ended, cpu = _wait(child, limits.wall_seconds)
        reply = None
        if ended == "0":
            try:
                reply = read_reply(Path(name))
            except (OSError, ValueError, KeyError, TypeError) as error:
                ended = f"a reply that cannot be read ({error})"
        wrong = Path(name, "wrong")
        ended = wrong.read_text() if wrong.exists() else ended
    return Outcome(reply, "" if ended == "0" else ended, time.monotonic() - began, cpu)


def _child(folder: Path, path: Path, num_frames: int, limits: Limits) -> None:
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        restrict(limits)
        write_frames(folder, read(path, num_frames, 768, limits))
    except MediaError as error:
        write_error(folder, str(error))
    except BaseException:
        (folder / "wrong").write_text(traceback.format_exc(limit=-1).strip().splitlines()[-1])
    finally:
        os._exit(0)


def _wait(child: int, most: float) -> tuple[str, float]:
    """The exit code of the child, a negative one for a signal, or "time-out" after killing it; and its CPU seconds."""
    until = time.monotonic() + most
    while time.monotonic() < until:
        ended, status, used = os.wait4(child, os.WNOHANG)
        if ended:
            return str(os.waitstatus_to_exitcode(status)), used.ru_utime + used.ru_stime
        time.sleep(_STEP_S)
    os.kill(child, signal.SIGKILL)
    _, _, used = os.wait4(child, 0)
    return "time-out", used.ru_utime + used.ru_stime
