"""The app as the first process of a container: SIGTERM ends it in order, and nothing of it stays."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

import pytest

from app import main
from tests.helpers.server import ROOT, free_port
from tests.helpers.waiting import wait_until

UNSHARE = ["unshare", "--fork", "--pid", "--mount-proc"]
PYTHON = [sys.executable, "app.py"]


def can_unshare() -> bool:
    return (
        bool(shutil.which("unshare"))
        and not subprocess.run([*UNSHARE, "true"], capture_output=True, timeout=10).returncode
    )


def alive(address: str) -> bool:
    with suppress(OSError), urllib.request.urlopen(f"{address}/health", timeout=5) as reply:
        return reply.status == 200
    return False


@pytest.mark.slow
@pytest.mark.skipif(not can_unshare(), reason="this machine lets nobody start a first process of its own")
def test_sigterm_ends_the_first_process_and_its_files_go(tmp_path):
    """What unshare starts is process 1 of its own namespace, for which SIGTERM means nothing by itself."""
    address, log = f"http://127.0.0.1:{(port := free_port())}", tmp_path / "log"
    environment = os.environ | {"GRADIO_TEMP_DIR": str(tmp_path / "own"), "OMP_NUM_THREADS": "1"}
    with open(log, "w") as out:
        command = [*UNSHARE, *PYTHON, "--port", str(port)]
        outside = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=subprocess.STDOUT)
    try:
        wait_until(lambda: alive(address) or outside.poll() is not None, 300)
        assert outside.poll() is None, log.read_text()
        first = int(Path(f"/proc/{outside.pid}/task/{outside.pid}/children").read_text())
        assert Path(f"/proc/{first}/status").read_text().split("NSpid:")[1].split()[1] == "1"
        with urllib.request.urlopen(f"{address}/gradio_api/heartbeat/page", timeout=10) as open_page:
            assert b"ALIVE" in open_page.readline() and list((tmp_path / "own").glob("run-*"))
            begun = time.monotonic()
            os.kill(first, signal.SIGTERM)
            assert outside.wait(timeout=20) == 0 and time.monotonic() - begun < 9  # Docker waits for 10 s
        assert not list((tmp_path / "own").glob("run-*")) and "Traceback" not in log.read_text()
    finally:
        outside.kill()


def test_a_setting_that_means_nothing_ends_the_app_with_its_sentence(monkeypatch):
    monkeypatch.setenv("AIM_PROXIES", "somewhere")
    monkeypatch.setattr(sys, "argv", ["app.py"])
    with pytest.raises(SystemExit, match=r"^AIM_PROXIES takes addresses"):
        main()
