"""Kernel: calls of Linux that Python has no function for."""

from __future__ import annotations

import ctypes
import os
import struct
import sys

IS_LINUX = sys.platform == "linux"

_PDEATHSIG, _DUMPABLE, _KEEP_CAPABILITIES, _NO_NEW_PRIVILEGES = 1, 4, 8, 38
_CAPABILITIES_VERSION, _READ_ALL = 0x20080522, 1 << 2  # CAP_DAC_READ_SEARCH
UNUSED = 1 << 30  # from this number on there are no users
_NOBODY = 65534


def syscall(number: int, *arguments) -> int:
    """A system call by its number; integers are passed as C's long. -1 where it failed."""
    return _libc().syscall(number, *(ctypes.c_long(one) if isinstance(one, int) else one for one in arguments))


def die_with_parent(signal: int) -> bool:
    """Get this signal when the thread that started this process ends; whether that could be had."""
    return _prctl(_PDEATHSIG, signal)


def hide_process() -> bool:
    """Close /proc/PID/environ, memory and tracing of this process to others of its user; whether that could be done.

    Its core is not dumped either. A program that is started gets its own back.
    """
    return _prctl(_DUMPABLE, 0)


def give_up_privileges() -> bool:
    """Never gain a privilege by starting a program; what Landlock and seccomp ask for."""
    return _prctl(_NO_NEW_PRIVILEGES, 1)


def leave_root() -> bool:
    """Become a user that nobody else is, if this is root, and keep of its privileges only that of reading what it read.

    Whether no other privilege is left. What the parent set up with `die_with_parent` and `hide_process` is lost.
    """
    if not IS_LINUX:
        return bool(getattr(os, "getuid", int)())
    if os.getuid() == 0:
        _prctl(_KEEP_CAPABILITIES, 1)
        if not any(map(_become, (UNUSED + os.getpid(), _NOBODY))):
            return False
    return _keep_only(_READ_ALL)


def _become(user: int) -> bool:
    try:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    except OSError:  # not allowed, or not a user of this container
        return False
    return True


def _keep_only(privileges: int) -> bool:
    libc, header = _libc(), struct.pack("=Ii", _CAPABILITIES_VERSION, 0)
    held = ctypes.create_string_buffer(24)
    if libc.capget(header, held):
        return False
    kept = struct.unpack("=6I", held.raw)[1] & privileges
    return libc.capset(header, struct.pack("=6I", kept, kept, 0, 0, 0, 0)) == 0


def _prctl(option: int, value: int) -> bool:
    return IS_LINUX and _libc().prctl(option, ctypes.c_ulong(value), *[ctypes.c_ulong(0)] * 3) == 0


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
