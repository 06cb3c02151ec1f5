"""Folder: one of this process's own for uploads and files made for the page, locked while it lives, swept by age, and
removed at the end; what an earlier process left is removed at the start."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Container, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from page.server.settings import own_parent

_PREFIX, _LOCK = "run-", ".lock"
_NEW = 60.0  # seconds in which a folder that was made may still be without its file


class OwnFolder:
    """A locked folder whose files Gradio serves."""

    def __init__(self, path: Path, lock: int):
        self.path, self._lock = path, lock

    @classmethod
    def make(cls, parent: Path | None = None) -> OwnFolder:
        """In `parent`, which GRADIO_TEMP_DIR or the system names; from now on Gradio keeps its files there."""
        parent = parent or own_parent()
        parent.mkdir(parents=True, exist_ok=True)
        sweep_dead(parent)
        path, lock = _locked(parent)
        path.mkdir(mode=0o700)
        os.environ["GRADIO_TEMP_DIR"] = str(path)
        return cls(path, lock)

    @classmethod
    @contextmanager
    def made(cls) -> Iterator[OwnFolder]:
        """One for the length of the block."""
        folder = cls.make()
        try:
            yield folder
        finally:
            folder.remove()

    def remove(self) -> None:
        """With all that is in it; twice is as once."""
        shutil.rmtree(self.path, ignore_errors=True)
        self.path.with_suffix(_LOCK).unlink(missing_ok=True)
        with suppress(OSError):
            os.close(self._lock)


def sweep_dead(parent: Path) -> list[Path]:
    """Remove the folders of this user's processes that are gone, which the system has unlocked; returns them. Whatever
    has no lock file of ours stays."""
    gone = []
    for lock in parent.glob(f"{_PREFIX}*{_LOCK}"):
        with suppress(OSError), open(lock, "r+b") as file:  # another user's, or just removed
            if os.fstat(file.fileno()).st_uid != os.getuid():
                continue
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(lock.with_suffix(""), ignore_errors=True)
            lock.unlink(missing_ok=True)
            gone.append(lock.with_suffix(""))
    return gone


def _locked(parent: Path) -> tuple[Path, int]:
    """A folder that is not there yet, and its lock. One that was swept before it was locked is left for another."""
    while True:
        lock, name = tempfile.mkstemp(prefix=_PREFIX, suffix=_LOCK, dir=parent)
        fcntl.flock(lock, fcntl.LOCK_EX)
        if os.fstat(lock).st_nlink:
            return Path(name).with_suffix(""), lock
        os.close(lock)


def sweep_old(folder: Path, seconds: float, keep: Container[str] = ()) -> int:
    """Remove files last written or asked for so long ago, but for those in `keep`, and folders that are empty then;
    returns how many files went."""
    oldest, removed = time.time() - seconds, 0
    for root, _, names in os.walk(folder, topdown=False):
        for path in (Path(root, name) for name in names):
            with suppress(OSError):
                if path.lstat().st_mtime < oldest and str(path) not in keep:
                    path.unlink()
                    removed += 1
        with suppress(OSError):
            if Path(root) != folder and os.stat(root).st_mtime < time.time() - _NEW:
                os.rmdir(root)
    return removed
