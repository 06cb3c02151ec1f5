"""Forked: read one file in a process of its own, with the limits of the page's but without the half second that a new
Python takes."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NoReturn

from aim_core.media.check import check_media
from aim_core.media.confine import confine
from aim_core.media.errors import MediaError
from aim_core.media.frames import Frames, Reply, output_bytes, read_reply, write_reply
from aim_core.media.limits import Limits
from aim_core.media.worker import load_reader, read

_MAX_SIDE = 768
_STEP_S = 0.005
_UNEXPECTED = 9  # the exit code where anything but MediaError was raised


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
        kind = check_media(path, limits)
    except MediaError as error:
        return Outcome(str(error), "", time.monotonic() - began, 0.0)
    load_reader(kind)  # before the fork, so that each process has it
    with tempfile.TemporaryFile() as output:
        parent, child = os.getpid(), os.fork()
        if not child:
            _child(output, path, num_frames, limits, parent)
        ended, cpu = _wait(child, limits.wall_seconds)
        result = None
        if ended == "0":
            try:
                output.seek(0)
                result = read_reply(output, kind, num_frames, _MAX_SIDE).result
                ended = ""
            except (ValueError, KeyError, TypeError) as error:
                ended = f"a reply that cannot be read ({error})"
    return Outcome(result, ended, time.monotonic() - began, cpu)


def _child(output: BinaryIO, path: Path, num_frames: int, limits: Limits, parent: int) -> NoReturn:
    try:
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        confine(path, output_bytes(num_frames, _MAX_SIDE), limits, parent)
        try:
            result: Frames | str = read(path, num_frames, _MAX_SIDE, limits)
        except MediaError as error:
            result = str(error)
        write_reply(output, Reply(result))
        os._exit(0)
    except BaseException:
        os._exit(_UNEXPECTED)


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
