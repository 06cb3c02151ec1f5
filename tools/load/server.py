"""Server: the app on this machine for the length of a block, and what it takes of the machine meanwhile."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
SETTINGS = {"AIM_STORE_MB": "100", "AIM_KEEP_MINUTES": "5"}  # so that what is kept is soon as much as it will be


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
def ended(process: subprocess.Popen) -> Iterator[None]:
    """Ends a server with the block: as an operator does, and by force where that takes long."""
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()


class Server:
    """An app of its own. folder: where it keeps files."""

    def __init__(self, process: subprocess.Popen, address: str, folder: Path, log: Path):
        self.process, self.address, self.folder, self.log = process, address, folder, log

    @classmethod
    @contextmanager
    def started(cls) -> Iterator[Server]:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        with tempfile.TemporaryDirectory(prefix="aim-load-") as folder, open(Path(folder, "log"), "w") as log:
            environment = os.environ | SETTINGS | {"GRADIO_TEMP_DIR": f"{folder}/own", "HF_HUB_OFFLINE": "1"}
            command = [sys.executable, "app.py", "--port", str(port)]
            process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
            with ended(process):
                yield cls(process, f"http://127.0.0.1:{port}", Path(folder, "own"), Path(folder, "log"))

    def sample(self, seconds: float) -> Sample:
        """What it takes now."""
        proc = Path(f"/proc/{self.process.pid}")
        memory = int((proc / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
        children = sum(len(task.read_text().split()) for task in proc.glob("task/*/children"))
        files = [path for path in self.folder.rglob("*") if path.is_file()]
        num_bytes = sum(path.stat().st_size for path in files if path.exists())
        return Sample(seconds, memory, len(os.listdir(proc / "fd")), children, len(files), num_bytes / 1e6)
