"""Process: one decoding process, watched by who waits for it, ended with its time, and asked what became of it."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from aim_core.errors import Stopped
from aim_core.media.check import FileKind
from aim_core.media.errors import CRASHED, HEAVY, KILLED, SLOW
from aim_core.media.frames import Frames, read_reply
from aim_core.media.limits import Limits

_ROOT = Path(__file__).resolve().parents[2]  # the folder that holds aim_core
_KEEP = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR", "TEMP", "TMP", "LANG", "LC_ALL")
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_LOOK_UP = 0.05  # seconds between looks at who waits
_NICE = 15  # of a decoder that takes long: it gets what others leave
_SIGKILL = getattr(signal, "SIGKILL", 9)
_OUT_OF_TIME = {-getattr(signal, name) for name in ("SIGXCPU", "SIGALRM") if hasattr(signal, name)}
_OUT_OF_MEMORY = ("bad_alloc", "MemoryError", "Cannot allocate memory", "cannot allocate memory")

log = logging.getLogger(__name__)
_has_told = threading.Event()  # of what this machine lacks


@dataclass(frozen=True)
class Request:
    """What to decode: the file at an absolute path, which `check_media` or `check_sound` let pass as this kind.

    sound_seconds: of its sound, from the first picture on; 0 for none.
    """

    path: str
    kind: FileKind
    num_frames: int
    max_side: int
    limits: Limits
    sound_seconds: float = 0.0


class Child:
    """A process that decodes; killed at the end of its `with` block if it has not ended."""

    def __init__(self, request: Request):
        self.request = request
        self._ends, self._was_late = time.monotonic() + request.limits.wall_seconds, False
        self._output, self._noise = _file(), _file()
        asked = json.dumps(asdict(request) | {"parent": os.getpid()}).encode()
        # A new program rather than a fork: this process has threads, and torch loaded.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "aim_core.media.worker"],
            stdin=subprocess.PIPE,
            stdout=self._output,
            stderr=self._noise,
            env=_environment(),
            start_new_session=True,
        )
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError), self._process.stdin as stdin:
            stdin.write(asked)

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_) -> None:
        self._kill()
        self._output.close()
        self._noise.close()

    def wait(self, seconds: float, stop: Callable[[], bool]) -> bool:
        """Whether it ended within `seconds`. Raises Stopped once `stop` says so."""
        end = time.monotonic() + seconds
        with _ending(self._process) as ended:
            while True:
                now = time.monotonic()
                if ended(max(0.0, min(_LOOK_UP, end - now, self._ends - now))):
                    return True
                if stop():
                    raise Stopped
                if now >= self._ends:
                    self._was_late = True
                    self._kill()
                    return True
                if now >= end:
                    return False

    @property
    def has_ended(self) -> bool:
        return self._process.returncode is not None

    def cpu_seconds(self) -> float:
        """Processor time that it has had so far, of all its threads; 0 where the system does not tell."""
        try:
            fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def be_nice(self) -> None:
        """Take only the processor time that others leave."""
        with contextlib.suppress(OSError, AttributeError):
            os.setpriority(os.PRIO_PGRP, self._process.pid, _NICE)  # all its threads: its session is its own

    def result(self) -> Frames | np.ndarray | str:
        """Of a child that has ended: its frames, samples of a sound, or a sentence that says why there are none."""
        code, asked = self._process.returncode, self.request
        if code == 0:
            try:
                self._output.seek(0)
                how = asked.kind, asked.num_frames, asked.max_side, asked.sound_seconds
                reply = read_reply(self._output, *how)
            except Exception as error:  # one that was taken over may leave anything
                log.warning("the decoder left a reply that cannot be read: %s", type(error).__name__)
            else:
                _tell_missing(reply.missing)
                return reply.result
        words = _last_words(self._noise)
        log.warning("the decoder ended with %s", "its time" if self._was_late else code)
        log.debug("its last words: %r", words)  # they may name the file
        if self._was_late or code in _OUT_OF_TIME:
            return SLOW[asked.kind]
        if code == -_SIGKILL:
            return KILLED
        return (HEAVY if any(told in words for told in _OUT_OF_MEMORY) else CRASHED)[asked.kind]

    def _kill(self) -> None:
        if self._process.poll() is None:
            with contextlib.suppress(OSError, AttributeError):  # its session: whatever it might have started, too
                os.killpg(self._process.pid, _SIGKILL)
            self._process.kill()
            self._process.wait()


def _file() -> BinaryIO:
    """A file without a name: nothing is left of it, however the two processes end."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("aim-media"), "w+b")
    return tempfile.TemporaryFile()


@contextlib.contextmanager
def _ending(process: subprocess.Popen):
    """What waits so many seconds, or until the process has ended, and says whether it has."""

    def by_polling(seconds: float) -> bool:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
        return process.poll() is not None

    try:
        watched = os.pidfd_open(process.pid)
    except (OSError, AttributeError):  # macOS, gVisor
        yield by_polling
        return
    try:
        yield lambda seconds: bool(select.select([watched], [], [], seconds)[0]) and process.wait() is not None
    finally:
        os.close(watched)


def _environment() -> dict[str, str]:
    """What the worker needs in order to start, and no token or password of the app."""
    env = {name: os.environ[name] for name in _KEEP if name in os.environ}
    python_path = [str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    env |= {"PYTHONPATH": os.pathsep.join(python_path), "PYTHONDONTWRITEBYTECODE": "1"}
    env |= {"MALLOC_ARENA_MAX": "2"}  # each arena takes 64 MB of the address space allowed
    return env | dict.fromkeys(_ONE_THREAD, "1")


def _last_words(noise: BinaryIO) -> str:
    noise.seek(max(0, noise.seek(0, os.SEEK_END) - 500))
    return noise.read().decode(errors="replace")


def _tell_missing(missing: tuple[str, ...]) -> None:
    """Once in a server's life: a child that was taken over may say anything, again and again."""
    if missing and not _has_told.is_set():
        _has_told.set()
        log.warning("this machine cannot confine the decoder entirely; it lacks: %s", "; ".join(missing))
