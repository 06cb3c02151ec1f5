"""Server: the app on this machine for the length of a block, and what it says that it takes meanwhile."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx

from tools.load.visitor import LoadError

ROOT = Path(__file__).parents[2]
SETTINGS = {"AIM_STORE_MB": "100", "AIM_KEEP_MINUTES": "5"}  # so that what is kept is soon as much as it will be
_SCRAPED = {"AIM_METRICS": "127.0.0.1"}  # its files in /proc are shut to others than root


@dataclass(frozen=True)
class Sample:
    """seconds since the beginning; memory in MB of the server, its open files, children, and MB and number of files."""

    seconds: float
    memory: float
    open_files: int
    children: int
    files: int
    files_mb: float


@contextmanager
def ended(process: subprocess.Popen, group: bool = False) -> Iterator[None]:
    """Ends a server with the block: as an operator does, and by force where that takes long.

    group: with all of its session, of which it is the first, since it does not end the others itself.
    """
    tell = partial(os.killpg, process.pid) if group else process.send_signal
    try:
        yield
    finally:
        tell(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=20)
        with suppress(ProcessLookupError):
            tell(signal.SIGKILL)


class Server:
    """An app of its own."""

    def __init__(self, address: str, log: Path):
        self.address, self.log = address, log

    @classmethod
    @contextmanager
    def started(cls) -> Iterator[Server]:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        with tempfile.TemporaryDirectory(prefix="aim-load-") as folder, open(Path(folder, "log"), "w") as log:
            environment = os.environ | SETTINGS | _SCRAPED | {"GRADIO_TEMP_DIR": f"{folder}/own", "HF_HUB_OFFLINE": "1"}
            command = [sys.executable, "app.py", "--port", str(port)]
            process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
            with ended(process):
                yield cls(f"http://127.0.0.1:{port}", Path(folder, "log"))


async def look(client: httpx.AsyncClient, seconds: float) -> Sample:
    """What the server takes now, by its own counters. Raises LoadError where it does not tell them."""
    reply = await client.get("/metrics")
    if reply.status_code != 200:
        raise LoadError(f"/metrics answers {reply.status_code}: let AIM_METRICS name the address that asks.")
    rows = [line.split() for line in reply.text.splitlines() if line.startswith("aim_") and "{" not in line]
    found = {name.removeprefix("aim_"): float(value) for name, value in rows}
    counts = (int(found[name]) for name in ("open_files", "children", "files"))
    return Sample(seconds, found["resident_bytes"] / 1e6, *counts, found["files_bytes"] / 1e6)
