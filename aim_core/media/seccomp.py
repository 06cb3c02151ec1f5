"""Seccomp: leave this process only the system calls that decoding needs: no network, no programs, no other process."""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Iterable

from aim_core.media.kernel import IS_LINUX, syscall
from aim_core.media.syscalls import ALWAYS, ARCHITECTURES, BY_ARGUMENT

_SET_MODE_FILTER, _ALL_THREADS = 1, 1
_NUMBER = {"x86_64": 317, "aarch64": 277}  # of seccomp itself

# Instructions of the kernel's packet filter, and what it may return
_LOAD, _EQUAL, _MASK, _RETURN = 0x20, 0x15, 0x54, 0x06
_KILL, _ALLOW, _ERROR = 0x80000000, 0x7FFF0000, 0x00050000
_AT_NUMBER, _AT_ARCHITECTURE, _AT_ARGUMENTS = 0, 4, 16

_WHOLE = 0xFFFFFFFF
_CLONE_THREAD, _CLONE_NEW = 0x10000, 0x7E020080  # a thread of this process; namespaces
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_NAME_SET, _NAME_GET, _NAME_MEMORY = 15, 16, 0x53564D41  # PR_SET_NAME, PR_GET_NAME, PR_SET_VMA
_DUP, _GETFD, _SETFD, _GETFL, _SETFL, _DUP_CLOEXEC = 0, 1, 2, 3, 4, 1030

Instruction = tuple[int, int, int, int]  # code, steps to jump if true and if false, value


def _conditions() -> dict[str, tuple[int, int, tuple[int, ...]]]:
    """For each call of BY_ARGUMENT: which argument, the bits of it that matter, and what these may be."""
    return {
        "clone": (0, _CLONE_THREAD | _CLONE_NEW, (_CLONE_THREAD,)),
        "fcntl": (1, _WHOLE, (_DUP, _GETFD, _SETFD, _GETFL, _SETFL, _DUP_CLOEXEC)),
        "ioctl": (0, 0, ()),
        "open": (1, _WRITING, (0,)),
        "openat": (2, _WRITING, (0,)),
        "prctl": (0, _WHOLE, (_NAME_SET, _NAME_GET, _NAME_MEMORY)),
        "prlimit64": (0, _WHOLE, (0,)),  # its own limits
        "tgkill": (0, _WHOLE, (os.getpid(),)),  # abort() ends itself with it
    }


_REFUSED = {"ioctl": errno.ENOTTY}  # as for a plain file; the other calls of BY_ARGUMENT get EPERM


def allow_decoding_only() -> bool:
    """Put the filter on all threads of this process, for good. False where this machine or its kernel has none.

    The process must have given up new privileges before.
    """
    machine = platform.machine()
    if not IS_LINUX or machine not in ARCHITECTURES:
        return False
    code = b"".join(struct.pack("=HBBI", *one) for one in program(machine))
    held = ctypes.create_string_buffer(code)
    filters = struct.pack("@HP", len(code) // 8, ctypes.addressof(held))
    return syscall(_NUMBER[machine], _SET_MODE_FILTER, _ALL_THREADS, ctypes.c_char_p(filters)) == 0


def program(machine: str) -> list[Instruction]:
    """The filter: a call of another architecture ends the process, one that is not listed does not exist (ENOSYS)."""
    column, architecture = ARCHITECTURES[machine]
    code: list[Instruction] = [
        (_LOAD, 0, 0, _AT_ARCHITECTURE),
        (_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _AT_NUMBER),
    ]
    for numbers in ALWAYS.values():
        code += _for_call(numbers[column], [(_RETURN, 0, 0, _ALLOW)])
    for name, condition in _conditions().items():
        code += _for_call(BY_ARGUMENT[name][column], list(_judge(*condition, _REFUSED.get(name, errno.EPERM))))
    return [*code, (_RETURN, 0, 0, _ERROR | errno.ENOSYS)]


def _for_call(number: int | None, block: list[Instruction]) -> list[Instruction]:
    return [] if number is None else [(_EQUAL, 0, len(block), number), *block]


def _judge(argument: int, bits: int, allowed: tuple[int, ...], refused: int) -> Iterable[Instruction]:
    """Allow if the lower half of an argument is one of `allowed` in these bits; it ends every path."""
    yield (_LOAD, 0, 0, _AT_ARGUMENTS + 8 * argument)  # little-endian, as both architectures are
    yield (_MASK, 0, 0, bits)
    for value in allowed:
        yield from ((_EQUAL, 0, 1, value), (_RETURN, 0, 0, _ALLOW))
    yield (_RETURN, 0, 0, _ERROR | refused)
