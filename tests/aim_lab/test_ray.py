"""A sweep over a Ray cluster of two workers: a worker killed midway, the driver killed and started again."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from aim_lab.__main__ import main
from aim_lab.line import Log
from tests.helpers.lab import LONGEST, command, kill_after, num_lines_of, run, wait_for
from tests.helpers.waiting import in_thread

ray = pytest.importorskip("ray", reason="Ray is not installed: `make lab-test` runs this in an environment that has it")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
RAY = (sys.executable, "-m", "ray.scripts.scripts")
PORT = 26379


@pytest.fixture(scope="module")
def cluster():
    """Its address; it has two cores, each for one worker, and ends with the process that began it."""
    words = [*RAY, "start", "--head", "--block", f"--port={PORT}", "--num-cpus=2", "--include-dashboard=false"]
    words += ["--disable-usage-stats", "--object-store-memory=100000000"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    environment = os.environ | {"RAY_worker_niceness": "0"}  # workers of a busy machine would wait for ever
    head = subprocess.Popen(words, start_new_session=True, env=environment, **quiet)
    try:
        wait_for(lambda: _answers(PORT) or head.poll() is not None)
        assert head.poll() is None, "the cluster did not start"
        yield f"127.0.0.1:{PORT}"
    finally:
        os.killpg(head.pid, signal.SIGTERM)
        head.wait(60)


def _answers(port: int) -> bool:
    with socket.socket() as own:
        own.settimeout(1)
        return own.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def whole(folder, checkpoint, tmp_path_factory) -> dict[str, str]:
    """What a sweep without Ray says."""
    path = tmp_path_factory.mktemp("whole") / "log.jsonl"
    assert main(command(folder, checkpoint, path)) == 0
    return {line.key: line.answer for line in Log(path)}


def workers() -> list[int]:
    """Processes of Ray that are at a task of the sweep."""
    found = []
    for own in Path("/proc").iterdir():
        try:
            if own.name.isdigit() and (own / "cmdline").read_bytes().startswith(b"ray::_work"):
                found.append(int(own.name))
        except OSError:
            continue  # it has ended
    return found


def test_a_worker_and_the_driver_that_die_lose_nothing_and_nothing_counts_twice(
    cluster, folder, checkpoint, whole, tmp_path
):
    path = tmp_path / "log.jsonl"
    words = command(folder, checkpoint, path, "--ray", cluster)
    driver = in_thread(kill_after, words, path, 21)
    wait_for(lambda: num_lines_of(path) >= 7 and workers())
    os.kill(workers()[0], signal.SIGKILL)
    assert num_lines_of(path) < 21, "the worker was killed too late"
    before = driver.result(timeout=LONGEST)  # it went on with what the worker was at, until it was killed itself
    assert 21 <= before.count(b"\n") < 42

    done = run(words)
    assert done.returncode == 0, done.stderr
    after = path.read_bytes()
    assert after.startswith(before) and after.count(b"\n") == 42
    assert {line.key: line.answer for line in Log(path)} == whole
