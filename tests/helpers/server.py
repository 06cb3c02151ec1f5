"""The app as a server of its own, for tests that ask it as a browser or a program would."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.load.server import ended

ROOT = Path(__file__).parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def app_server(log: Path, *arguments: str) -> Iterator[str]:
    """Address of `python app.py` with these arguments for the length of the block; what it prints goes to `log`."""
    address = f"http://127.0.0.1:{(port := free_port())}"
    with open(log, "w") as out:
        command = [sys.executable, "app.py", "--port", str(port), *arguments]
        process = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT)
    with ended(process):
        _wait_for(address, process, log)
        yield address


def _wait_for(address: str, process: subprocess.Popen, log: Path, seconds: float = 300) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert process.poll() is None, log.read_text()
        with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=5) as reply:
            assert reply.status == 200
            return
        time.sleep(0.3)
    raise AssertionError(f"the app did not start in {seconds} s: {log.read_text()}")
