"""A decoder that was taken over by its file: in the real worker, in place of what reads pictures.

`taken_over` makes the worker load this module; which of the deeds below it does is told by the name of the picture. Its
report comes back the way frames do, as pixels.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import platform
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

PORCH = "import tests.helpers.hostile as hostile\nhostile.take_over()\n"
SIDE = 96  # pixels of the report
ROOT = Path(__file__).parents[2]
IS_ARM = platform.machine() == "aarch64"
NUMBERS = {  # of system calls on x86-64 and on 64-bit Arm, with arguments that would do something
    "mount": (165, 40),
    "unshare": (272, 97),
    "keyctl": (250, 219),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "io_uring_setup": (425, 425),
    "userfaultfd": (323, 282),
    "pidfd_open": (434, 434),
    "process_vm_readv": (310, 270),
    "setns": (308, 268),
    "chroot": (161, 51),
    "shmget": (29, 194),
    "memfd_secret": (447, 447),
}


def take_over() -> None:
    """Called as the worker's Python starts, before it confines itself."""
    import aim_core.media.image as image

    image.read_picture = read


def taken_over(folder: Path) -> dict[str, str]:
    """Environment variables for this process that make its decoders hostile; writes into `folder`."""
    (folder / "sitecustomize.py").write_text(PORCH)
    return {"PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])}


def pictures(folder: Path) -> dict[str, Path]:
    """A picture for each deed, written into `folder`, by its name."""
    from PIL import Image

    paths = {name: folder / f"{name}.png" for name in DEEDS}
    for path in paths.values():
        Image.new("RGB", (8, 8)).save(path)
    return paths


def read(path: Path, *_):
    """In place of `read_picture`."""
    from aim_core.media.frames import Frames

    told = json.dumps(DEEDS[path.stem](path)).encode()
    pixels = np.zeros(SIDE * SIDE * 3, np.uint8)
    pixels[: len(told)] = np.frombuffer(told, np.uint8)
    return Frames(pixels.reshape(1, SIDE, SIDE, 3), np.zeros(1, np.float32), 0.0, "image")


def report(frames: np.ndarray) -> dict[str, str]:
    """What `read` wrote into its pixels."""
    return json.loads(frames.tobytes().rstrip(b"\0"))


def spin(path: Path) -> None:
    while True:
        pass


def sleep(path: Path) -> None:
    """Do all that a process can do in order to stay."""
    signal.pthread_sigmask(signal.SIG_BLOCK, set(signal.Signals))
    for escape in (lambda: libc().prctl(1, 0, 0, 0, 0), os.setsid, lambda: signal.setitimer(signal.ITIMER_REAL, 0)):
        attempt(escape)
    threading.Thread(target=time.sleep, args=(100,), daemon=True).start()
    while True:
        time.sleep(100)


def eat(path: Path) -> None:
    taken = []
    while True:
        taken.append(np.ones(1 << 24, np.uint8))


def crash(path: Path) -> None:
    os.abort()


def doors(path: Path) -> dict[str, str]:
    """What came of every way out: "open: ..." or the name of the error."""
    return {name: attempt(lambda door=door: door(path)) for name, door in DOORS.items()}


def attempt(door: Callable[[], object]) -> str:
    try:
        return f"open: {str(door())[:60]}"
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, str(error))
    except RuntimeError as error:
        return str(error)


def libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def checked(result: int) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), "")
    return result


def called(name: str, *arguments) -> int:
    return checked(libc().syscall(NUMBERS[name][IS_ARM], *map(ctypes.c_long, arguments)))


def _parent(what: str) -> Callable[[Path], object]:
    return lambda path: Path(f"/proc/{os.getppid()}/{what}").read_bytes()[:40]


def _write(path: Path) -> None:
    path.with_name("written").write_text("here")


def _started(pid: int) -> int:
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    return pid


def _inherited(path: Path) -> list[int]:
    """Descriptors above the worker's own that are open."""
    found = []
    for number in range(4, 300):
        try:
            os.fstat(number)
        except OSError:
            continue
        found.append(number)
    if not found:
        raise OSError(errno.EBADF, "")
    return found


def _threads(path: Path) -> int:
    """More threads than a decoder needs."""
    end, begun = threading.Event(), 0
    threading.stack_size(1 << 15)
    try:
        for begun in range(2000):  # noqa: B007
            threading.Thread(target=end.wait, daemon=True).start()
    finally:
        end.set()
    return begun


def _abstract_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as asking:
        asking.connect("\0aim-hostile")


DOORS: dict[str, Callable[[Path], object]] = {
    "the server's environment": _parent("environ"),
    "the server's memory": _parent("mem"),
    "the server's files": lambda path: os.listdir(f"/proc/{os.getppid()}/fd"),
    "the server's command line": _parent("cmdline"),
    "descriptors of the server": _inherited,
    "another visitor's file": lambda path: path.with_name("other.png").read_bytes(),
    "the names of other files": lambda path: os.listdir(path.parent),
    "passwords": lambda path: Path("/etc/passwd").read_bytes(),
    "a write beside its file": _write,
    "a write into /tmp": lambda path: Path(f"/tmp/aim-hostile-{os.getpid()}").write_text("here"),
    "a write over its file": lambda path: os.open(path, os.O_WRONLY),
    "a new folder": lambda path: path.with_name("made").mkdir(),
    "another's file removed": lambda path: path.with_name("other.png").unlink(),
    "another's file closed": lambda path: path.with_name("other.png").chmod(0),
    "a link": lambda path: path.with_name("link").symlink_to(path),
    "a socket": lambda path: socket.socket(),
    "a socket of this machine": _abstract_socket,
    "a pair of sockets": lambda path: socket.socketpair(),
    "a fork": lambda path: _started(os.fork()),
    "a process by vfork": lambda path: subprocess.run(["/bin/true"], timeout=10, check=True),
    "another program": lambda path: os.execv("/nothing here", ["-"]),
    "a bomb of threads": _threads,
    "tracing the server": lambda path: checked(libc().ptrace(16, os.getppid(), None, None)),
    "a signal to the server": lambda path: os.kill(os.getppid(), signal.SIGCONT),
    "limits of the server": lambda path: __import__("resource").prlimit(os.getppid(), 7, (100, 100)),
    "priority of the server": lambda path: os.setpriority(os.PRIO_PROCESS, os.getppid(), 19),
    "staying without its parent": lambda path: checked(libc().prctl(1, 0, 0, 0, 0)),
    "a session of its own": lambda path: os.setpgid(0, 0),
    "the alarm put off": lambda path: signal.setitimer(signal.ITIMER_REAL, 0),
    "io in the server's name": lambda path: __import__("fcntl").fcntl(0, 8, os.getppid()),
    "mount": lambda path: called("mount", 0, 0, 0, 0, 0),
    "namespaces": lambda path: called("unshare", 0x10000000),
    "namespaces of the server": lambda path: called("setns", 0, 0),
    "chroot": lambda path: libc().chroot(b"/") and called("chroot", 0),
    "keys": lambda path: called("keyctl", 0, -1, 0),
    "bpf": lambda path: called("bpf", 0, 0, 0),
    "perf": lambda path: called("perf_event_open", 0, 0, -1, -1, 0),
    "io_uring": lambda path: called("io_uring_setup", 1, 0),
    "page faults": lambda path: called("userfaultfd", 1),
    "the server by descriptor": lambda path: called("pidfd_open", os.getppid(), 0),
    "the server's memory by call": lambda path: called("process_vm_readv", os.getppid(), 0, 0, 0, 0, 0),
    "shared memory": lambda path: called("shmget", 0, 4096, 0o1600),
}


def plain(path: Path) -> dict[str, str]:
    return {}


DEEDS = {"plain": plain, "doors": doors, "spin": spin, "sleep": sleep, "eat": eat, "crash": crash}
