"""Process: start the decoding process, wait no longer than allowed, and read what it left."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from aim_core.media.check import MediaKind
from aim_core.media.errors import HEAVY_PICTURE, HEAVY_VIDEO
from aim_core.media.frames import Frames, read_reply
from aim_core.media.limits import Limits

_ROOT = Path(__file__).resolve().parents[2]  # the folder that holds aim_core
_KEEP = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR", "TEMP", "TMP", "LANG", "LC_ALL")
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

log = logging.getLogger(__name__)


def run_child(path: str, kind: MediaKind, num_frames: int, max_side: int, limits: Limits) -> Frames | str:
    """Decode the file at the absolute `path` in a new process; its frames, or a sentence that says why not."""
    request = {"path": path, "num_frames": num_frames, "max_side": max_side, "limits": asdict(limits)}
    with tempfile.TemporaryDirectory(prefix="aim-media-") as name:
        folder = Path(name)
        ended = _wait(folder, request, limits.wall_seconds)
        try:
            if ended == "0":
                return read_reply(folder)
        except (OSError, ValueError, KeyError, TypeError) as error:
            ended = f"a reply that cannot be read ({error})"
        log.warning("media worker ended with %s; last words: %r", ended, _last_words(folder))
    return HEAVY_PICTURE if kind == "image" else HEAVY_VIDEO


def _wait(folder: Path, request: dict, wall_seconds: float) -> str:
    """The exit code of the worker, or "time-out" after killing it. A negative code is a signal.

    A new program rather than a fork: this process has threads, and torch loaded.
    """
    command = [sys.executable, "-m", "aim_core.media.worker"]
    with open(folder / "stderr.txt", "wb") as noise:
        try:
            done = subprocess.run(
                command,
                input=json.dumps({**request, "folder": str(folder)}).encode(),
                stdout=subprocess.DEVNULL,
                stderr=noise,
                cwd=folder,
                env=_environment(),
                timeout=wall_seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return "time-out"
    return str(done.returncode)


def _environment() -> dict[str, str]:
    """What the worker needs in order to start, and no token or password of the app."""
    env = {name: os.environ[name] for name in _KEEP if name in os.environ}
    python_path = [str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    env |= {"PYTHONPATH": os.pathsep.join(python_path), "PYTHONDONTWRITEBYTECODE": "1"}
    env |= {"MALLOC_ARENA_MAX": "2"}  # each arena takes 64 MB of the address space allowed
    return env | dict.fromkeys(_ONE_THREAD, "1")


def _last_words(folder: Path) -> str:
    with open(folder / "stderr.txt", "rb") as noise:
        noise.seek(max(0, os.path.getsize(noise.name) - 500))
        return noise.read().decode(errors="replace")
