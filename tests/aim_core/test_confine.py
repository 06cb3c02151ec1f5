"""A decoder that its file has taken over finds every door shut, and stays no longer than it is wanted."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from aim_core.media import process, seccomp, syscalls
from aim_core.media.decode import load_frames
from aim_core.media.landlock import landlock_version
from tests.helpers import hostile
from tests.helpers.processes import decoders_of, is_alive
from tests.helpers.waiting import wait_until

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="confined on Linux only")
HAS_SECCOMP = "Seccomp:" in (Path("/proc/self/status").read_text() if os.path.exists("/proc/self/status") else "")
HAS_SECCOMP &= platform.machine() in syscalls.ARCHITECTURES
BY_LANDLOCK = {  # what seccomp alone leaves open
    "the server's environment",
    "the server's memory",
    "the server's files",
    "the server's command line",
    "another visitor's file",
    "the names of other files",
    "passwords",
}
ALWAYS = {"descriptors of the server", "a bomb of threads"}
BEGUN = {
    "ECONNREFUSED",
    "EFAULT",
    "EINVAL",
    "EIO",
    "ENOENT",
    "ENOKEY",
    "ESRCH",
}  # what the kernel says when it had begun to do it


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Pictures named for what the decoder does, and that of another visitor."""
    folder = tmp_path_factory.mktemp("uploads")
    shutil.copy(hostile.pictures(folder)["doors"], folder / "other.png")
    return folder


@pytest.fixture(scope="module")
def found(folder, tmp_path_factory):
    """What a hostile decoder found, with a secret in the server's environment and a descriptor that is inherited."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in hostile.taken_over(tmp_path_factory.mktemp("porch")).items():
            patch.setenv(name, value)
        patch.setenv("HF_TOKEN", "secret")
        held = os.open(folder / "other.png", os.O_RDONLY)
        os.set_inheritable(held, True)
        try:
            return hostile.report(load_frames(folder / "doors.png").frames)
        finally:
            os.close(held)


@LINUX
@pytest.mark.parametrize("door", hostile.DOORS)
def test_every_door_is_shut(found, door):
    if door in BY_LANDLOCK and not landlock_version():
        pytest.skip("this kernel has no Landlock")
    if door not in BY_LANDLOCK | ALWAYS and not HAS_SECCOMP:
        pytest.skip("this kernel has no seccomp, or this architecture no table")
    assert not found[door].startswith("open") and found[door] not in BEGUN, found[door]


def test_nothing_was_done(found, folder):
    assert sorted(path.stem for path in folder.iterdir()) == sorted([*hostile.DEEDS, "other"])
    assert (folder / "other.png").stat().st_mode & 0o400


SERVER = """
import sys
from aim_core.media.decode import load_frames
load_frames(sys.argv[1])
"""


@LINUX
def test_a_killed_server_leaves_no_decoder(folder, tmp_path):
    env = os.environ | hostile.taken_over(tmp_path)
    server = subprocess.Popen([sys.executable, "-c", SERVER, str(folder / "sleep.png")], env=env)
    try:
        wait_until(lambda: decoders_of(server.pid))
        (decoder,) = decoders_of(server.pid)
        time.sleep(0.5)  # so that it has done all it can in order to stay
    finally:
        server.kill()
        server.wait(10)
    wait_until(lambda: not is_alive(decoder), seconds=2)


@LINUX
def test_a_decoder_whose_server_is_gone_already_does_nothing(folder):
    code = """
    import os, sys, time
    from aim_core.media.confine import confine
    from aim_core.media.limits import Limits
    confine(sys.argv[1], 100, Limits(), parent=1 << 22)
    print("still here")
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code), "x"], capture_output=True, timeout=60)
    assert done.returncode == 1 and not done.stdout


@pytest.mark.parametrize("machine", syscalls.ARCHITECTURES)
def test_the_filter_is_a_program_the_kernel_takes(machine):
    """No jump leads out of it, it ends in an answer, and no number is listed twice."""
    code = seccomp.program(machine)
    assert len(code) < 4096 and code[-1][0] == seccomp._RETURN
    jumps = [at + 1 + max(yes, no) for at, (what, yes, no, _) in enumerate(code) if what == seccomp._EQUAL]
    assert max(jumps) < len(code)
    column = syscalls.ARCHITECTURES[machine][0]
    numbers = [own[column] for own in (syscalls.ALWAYS | syscalls.BY_ARGUMENT).values() if own[column] is not None]
    assert len(numbers) == len(set(numbers))


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_numbers_are_those_of_the_kernel(machine):
    headers = {"x86_64": "x86_64-linux-gnu/asm/unistd_64.h", "aarch64": "asm-generic/unistd.h"}
    header = Path("/usr/include", headers[machine])
    if not header.exists():
        pytest.skip("no headers of the kernel here")
    words = [line.split() for line in header.read_text().splitlines() if line.startswith("#define __NR")]
    real = {line[1].split("_NR_")[-1].split("NR3264_")[-1]: int(line[2]) for line in words if line[2].isdigit()}
    column = syscalls.ARCHITECTURES[machine][0]
    renamed = {"newfstatat": "fstatat"} if machine == "aarch64" else {}
    for name, numbers in (syscalls.ALWAYS | syscalls.BY_ARGUMENT).items():
        known = real.get(name, real.get(renamed.get(name, "")))
        assert known == numbers[column], name


POOR = """
import os, sys
from pathlib import Path
from aim_core.media import confine, landlock, seccomp
from aim_core.media.limits import Limits
landlock.landlock_version = lambda: 0
seccomp.ARCHITECTURES = {}
path = Path(sys.argv[1])
print(confine.confine(path, 100, Limits(), os.getppid()), len(path.read_bytes()))
"""


@LINUX
def test_where_the_kernel_lacks_the_means_decoding_goes_on_and_says_so(folder):
    command = [sys.executable, "-c", POOR, str(folder / "doors.png")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert "Landlock" in done.stdout and "seccomp" in done.stdout and "parent" not in done.stdout
    assert done.stdout.split()[-1] == str((folder / "doors.png").stat().st_size)


def test_what_is_missing_is_said_once(caplog):
    process._has_told.clear()
    for _ in range(2):
        process._tell_missing(("seccomp",))
    process._tell_missing(())
    assert [record.getMessage() for record in caplog.records] == [
        "this machine cannot confine the decoder entirely; it lacks: seccomp"
    ]


HIDING = """
import ctypes
from aim_core.media.kernel import hide_process
dumpable = lambda: ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)
print(dumpable(), hide_process(), dumpable())
"""


@LINUX
def test_a_server_can_hide_what_proc_shows_of_it():
    done = subprocess.run([sys.executable, "-c", HIDING], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == ["1", "True", "0"]
