"""Confine: what the decoding process gives up before it reads a byte of the user's file.

A decoder is a million lines of C that read hostile bytes. Should one be taken over, it finds itself in a process that
can read its one file and the libraries, write what it was asked for, and nothing else: see SECURITY.md.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import signal
import sys
import sysconfig
import threading
from pathlib import Path

from aim_core.media.kernel import IS_LINUX, UNUSED, die_with_parent, give_up_privileges, hide_process, leave_root
from aim_core.media.landlock import allow_reading_only
from aim_core.media.limits import Limits
from aim_core.media.seccomp import allow_decoding_only

_OPEN_FILES = 64
_MORE_THREADS = 256  # than its user has already, since the kernel counts all of a user's together
_PACKAGES = ("PIL", "av", "decord", "numpy", "pillow_heif")  # wherever they are installed
_OWN_CODE = Path(__file__).resolve().parents[1]
_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache", "/etc/localtime")
_MACHINE = ("/sys/devices/system/cpu", "/proc/cpuinfo", "/proc/meminfo", "/usr/share/zoneinfo", "/dev/null")


def confine(path: Path, output_bytes: int, limits: Limits, parent: int) -> list[str]:
    """Give up everything but reading `path` and the libraries, and writing to what is open; for good.

    output_bytes: the most that may be written to one file. parent: the process without which this one ends.
    Call it while there is one thread, with everything imported that is not among the libraries. Returns what this
    machine does not have of it, in words for the log.
    """
    found = {
        "no privileges of root": leave_root(),
        "an end with its parent": _end_with(parent),
        "a process of its own that others cannot look into": hide_process(),
        "limits on memory, time and files": _limit(output_bytes, limits),
        "an alarm": _set_alarm(limits.wall_seconds),
        "no new privileges": give_up_privileges(),
        "Landlock (only its own file can be read)": allow_reading_only([path, *_readable()]),
        "seccomp (no network, no programs, no other process)": allow_decoding_only(),
    }
    return [name for name, has in found.items() if not has]


def _end_with(parent: int) -> bool:
    """Whether the kernel ends this process with its parent; ends it now if that is gone already. Elsewhere the parent
    may be another one that stands between, such as Python's launcher of a virtual environment on Windows."""
    has = die_with_parent(signal.SIGKILL) if hasattr(signal, "SIGKILL") else False
    if has and os.getppid() != parent:
        os._exit(1)
    return has


def _readable() -> list[Path]:
    """What Python and the libraries may still ask for; no folder of a project, which may hold more."""
    python = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    python |= {path for path in sys.path if path.endswith(("site-packages", "dist-packages"))}
    specs = filter(None, map(importlib.util.find_spec, _PACKAGES))
    python |= {path for spec in specs for path in spec.submodule_search_locations or ()}
    linked = os.environ.get("LD_LIBRARY_PATH", "").split(os.pathsep)
    return [_OWN_CODE, *map(Path, [*python, *filter(os.path.isabs, linked), *_LIBRARIES, *_MACHINE])]


def _limit(output_bytes: int, limits: Limits) -> bool:
    """Lower this process's own limits; False where the system has none (Windows)."""
    try:
        import resource
    except ImportError:
        return False
    _lower(resource.RLIMIT_AS, limits.memory_bytes)
    _lower(resource.RLIMIT_CPU, limits.cpu_seconds, limits.cpu_seconds + 1)  # SIGXCPU tells why; SIGKILL sees to it
    _lower(resource.RLIMIT_FSIZE, output_bytes)
    _lower(resource.RLIMIT_CORE, 0)  # a crash must not leave the user's frames on disk
    _lower(resource.RLIMIT_NOFILE, _OPEN_FILES)
    if IS_LINUX and os.getuid():  # root has no such limit
        _limit_threads(resource.RLIMIT_NPROC)
    return True


def _lower(what: int, soft: int, hard: int | None = None) -> None:
    import resource

    most = resource.getrlimit(what)[1]
    least = [value if most == resource.RLIM_INFINITY else min(value, most) for value in (soft, hard or soft)]
    resource.setrlimit(what, (least[0], least[1]))


def _limit_threads(what: int) -> None:
    """Let the user of this process have so many threads more."""
    import resource

    soft, hard = resource.getrlimit(what)
    user = os.getuid()
    most = (0 if user >= UNUSED else _threads_of(user)) + _MORE_THREADS
    resource.setrlimit(what, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
    try:
        (trial := threading.Thread(target=int)).start()
        trial.join()
    except RuntimeError:  # the user has more in other containers, which cannot be counted here
        resource.setrlimit(what, (soft, hard))
    else:
        _lower(what, most)


def _threads_of(user: int) -> int:
    """How many threads a user has, as far as /proc shows them."""
    count = 0
    for process in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):  # it has just ended
            lines = Path("/proc", process, "status").read_text().splitlines()
            told = dict(line.split(":", 1) for line in lines if ":" in line)
            count += int(told["Threads"]) if told["Uid"].split()[0] == str(user) else 0
    return count


def _set_alarm(seconds: float) -> bool:
    """End this process after that time even if nobody waits for it any more."""
    if not hasattr(signal, "setitimer"):
        return False
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    return True
