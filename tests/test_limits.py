"""The suite ends: every wait in a test has a limit, and a thread that hangs does not keep pytest from ending."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.waiting import in_thread

ROOT = Path(__file__).parent.parent
WAITS = {"join", "result", "get", "wait", "communicate"}  # forever when called without arguments
TIMED = {
    "subprocess.run",
    "subprocess.call",
    "subprocess.check_call",
    "subprocess.check_output",
    "urllib.request.urlopen",
    "TextIteratorStreamer",
}  # take a timeout


def endless(source: str) -> list[str]:
    """Calls in a test file that may wait for ever."""
    return [ast.unparse(node) for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call) and _waits(node)]


def _waits(call: ast.Call) -> bool:
    name, named = ast.unparse(call.func), {keyword.arg for keyword in call.keywords}
    if name == "threading.Thread":
        return "daemon" not in named
    if name in TIMED:
        return "timeout" not in named
    return isinstance(call.func, ast.Attribute) and call.func.attr in WAITS and not call.args and not named


@pytest.mark.parametrize("path", sorted((ROOT / "tests").rglob("*.py")), ids=lambda path: path.stem)
def test_no_test_waits_without_a_limit(path):
    assert not endless(path.read_text())


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("thread.join()", 1),
        ("thread.join(5)", 0),
        ("future.result()", 1),
        ("future.result(timeout=5)", 0),
        ("subprocess.run(['true'])", 1),
        ("subprocess.run(['true'], timeout=5)", 0),
        ("engine.run(frames)", 0),
        ("threading.Thread(target=work)", 1),
        ("threading.Thread(target=work, daemon=True)", 0),
        ("' '.join(words)", 0),
        ("urllib.request.urlopen(address)", 1),
        ("TextIteratorStreamer(tokenizer)", 1),
        ("process.wait()", 1),
    ],
)
def test_what_waits_for_ever_is_seen(source, found):
    assert len(endless(source)) == found


HANGING = """
import threading, time

def test_hangs_in_a_thread():
    threading.Thread(target=time.sleep, args=(600,), name="the one that hangs").start()

def test_hangs_itself():
    time.sleep(600)
"""


@pytest.mark.slow
def test_a_hang_fails_and_pytest_ends_with_its_closing_line(tmp_path):
    """With the settings of this suite, but a limit of 2 s; alone and in a worker at once, since both mostly wait."""
    file = tmp_path / "test_hanging.py"
    file.write_text(HANGING)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-c",
        str(ROOT / "pyproject.toml"),
        "--rootdir",
        str(ROOT),
        "-p",
        "tests.helpers.ending",
        "--timeout",
        "2",
        "-p",
        "no:cacheprovider",
        str(file),
    ]
    how = {"cwd": ROOT, "capture_output": True, "text": True, "timeout": 100}
    begun = [in_thread(subprocess.run, [*command, *more], **how) for more in ([], ["-n", "1"])]
    alone, in_a_worker = (one.result(timeout=110) for one in begun)
    for done in (alone, in_a_worker):
        assert done.returncode == 1 and "1 failed, 1 passed in" in done.stdout, done.stdout + done.stderr
    assert "the one that hangs" in alone.stderr
