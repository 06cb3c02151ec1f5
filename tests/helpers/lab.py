"""The lab as a program: a sweep in a process of its own, which may be killed, and lines made by hand."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from aim_lab.line import Line
from aim_lab.settings import Setting

ROOT = Path(__file__).parents[2]
PROGRAM = (sys.executable, "-m", "aim_lab")
LONGEST = 600  # seconds that a sweep of a test may take on a busy machine


def command(folder: Path, checkpoint: Path, out: Path, *more: str) -> list[str]:
    """Words after `python -m aim_lab`: a sweep of 7 cells for each question."""
    grids = ("aim keep_ratio=0.25,0.5,0.75 l1=2 l2=6", "fastv budget=0.5,0.1", "random keep_ratio=0.5")
    chosen = [word for text in grids for word in ("--grid", text)]
    own = ["sweep", str(folder), "--model", str(checkpoint), "--out", str(out), "--max-new-tokens", "2"]
    return [*own, *chosen, "--frames", "1", "--device", "cpu", *more]


def run(words: list[str], **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [*PROGRAM, *words], cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, timeout=LONGEST
    )


def kill_after(words: list[str], out: Path, num_lines: int, **environment: str) -> bytes:
    """Begin a sweep, kill it once its file has so many lines, and return what the file holds then."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(
        [*PROGRAM, *words], cwd=ROOT, env=os.environ | environment, start_new_session=True, **quiet
    )
    try:
        wait_for(lambda: num_lines_of(out) >= num_lines or process.poll() is not None)
        assert process.poll() is None, "the sweep ended before it was killed"
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(60)
    return out.read_bytes()


def wait_for(true) -> None:
    end = time.monotonic() + LONGEST
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def num_lines_of(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


def line(setting: Setting, video: str, question: str, right: bool, **found) -> Line:
    """What a setting made of a question."""
    own = ("w", "float32", "cpu", "c", setting.method, setting.settings, setting.num_frames, 8, 4, video, question)
    said = {"wanted": "yes", "answer": "yes" if right else "no", "flops": 10, "prefill_ms": [1.0], "kl": 0.5}
    return Line(*own, **(said | found))
