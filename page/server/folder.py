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

_PREFIX, _LOCK = "aim-", "lock"
_NEW = 60.0  # seconds in which what was made may still be without its lock or its file


class OwnFolder:
    """A locked folder whose files Gradio serves."""

    def __init__(self, path: Path, lock: int):
        self.path, self._lock = path, lock

    @classmethod
    def make(cls, parent: Path | None = None) -> OwnFolder:
        """In `parent`, which GRADIO_TEMP_DIR or the system names; from now on Gradio keeps its files there."""
        parent = parent or Path(os.environ.get("GRADIO_TEMP_DIR") or Path(tempfile.gettempdir()) / "aim-explorer")
        parent.mkdir(parents=True, exist_ok=True)
        sweep_dead(parent)
        path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        lock = os.open(path.with_suffix(f".{_LOCK}"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
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
        self.path.with_suffix(f".{_LOCK}").unlink(missing_ok=True)
        with suppress(OSError):
            os.close(self._lock)


def sweep_dead(parent: Path) -> list[Path]:
    """Remove the folders of processes that are gone, which the system has unlocked; returns them."""
    gone = [path for path in parent.glob(f"{_PREFIX}*") if path.is_dir() and not _is_locked(path)]
    for path in gone:
        shutil.rmtree(path, ignore_errors=True)
        path.with_suffix(f".{_LOCK}").unlink(missing_ok=True)
    return gone


def _is_locked(path: Path) -> bool:
    """Whether its process lives. One that is being made has a moment without its lock."""
    try:
        lock = os.open(path.with_suffix(f".{_LOCK}"), os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return time.time() - path.stat().st_mtime < _NEW
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(lock)
    return False


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
