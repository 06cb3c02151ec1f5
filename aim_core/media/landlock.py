"""Landlock: leave this process a few files and folders to read, and nothing to write, connect to or signal."""

from __future__ import annotations

import contextlib
import ctypes
import os
import struct
from collections.abc import Iterable
from pathlib import Path

from aim_core.media.kernel import IS_LINUX, syscall

_CREATE, _ADD_RULE, _RESTRICT = 444, 445, 446  # the same numbers on every architecture
_VERSION, _PATH_BENEATH = 1, 1
_READ_FILE, _READ_FOLDER = 1 << 2, 1 << 3
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 5: 16}  # how many rights over files each version of Landlock knows
_TCP = 0b11  # bind and connect, from version 4
_OUTSIDE = 0b11  # abstract sockets and signals, from version 6


def landlock_version() -> int:
    """The version of Landlock that this kernel has; 0 without."""
    return max(0, syscall(_CREATE, None, 0, _VERSION)) if IS_LINUX else 0


def allow_reading_only(paths: Iterable[Path]) -> bool:
    """Close every file but these, and what is in these folders, to this thread and those that it starts, for good.

    Paths that do not exist are left out. False where the kernel has no Landlock. The process must have given up new
    privileges before, and has other threads at its own risk.
    """
    version = landlock_version()
    if not version:
        return False
    ruleset = _ruleset(version)
    try:
        for path in paths:
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                _allow(ruleset, path)
        return syscall(_RESTRICT, ruleset, 0) == 0
    finally:
        os.close(ruleset)


def _ruleset(version: int) -> int:
    """Handles all rights that this version knows, so that whatever no rule gives is refused."""
    rights = (1 << _FILE_RIGHTS[max(known for known in _FILE_RIGHTS if known <= version)]) - 1
    fields = [rights, *([_TCP] if version >= 4 else []), *([_OUTSIDE] if version >= 6 else [])]
    asked = struct.pack(f"={len(fields)}Q", *fields)
    ruleset = syscall(_CREATE, ctypes.c_char_p(asked), len(asked), 0)
    if ruleset < 0:
        raise OSError(ctypes.get_errno(), "landlock_create_ruleset")
    return ruleset


def _allow(ruleset: int, path: Path) -> None:
    opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        rights = _READ_FILE | (_READ_FOLDER if path.is_dir() else 0)
        if syscall(_ADD_RULE, ruleset, _PATH_BENEATH, ctypes.c_char_p(struct.pack("=Qi", rights, opened)), 0):
            raise OSError(ctypes.get_errno(), "landlock_add_rule")
    finally:
        os.close(opened)
