"""Page: how long the app takes to start, and to answer again after a slider moved, asked over its endpoint."""

from __future__ import annotations

import argparse
import contextlib
import os
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from benchmarks.tables import markdown

TITLE = "The page with the embedded model"
ROOT = Path(__file__).parent.parent
CLIP = ROOT / "assets" / "samples" / "crossing.mp4"
QUESTION = "how does the cyan star move?"
EXTRAS = (True, 1, 1, [])  # what a page of a model that does not hear sends, without further pictures
KEEP_RATIOS = (0.5, 0.3, 0.6, 0.35, 0.7, 0.4, 0.8)


def measure(options: argparse.Namespace) -> dict:
    """Seconds from starting the process until the port answers, and milliseconds of requests, first and again."""
    starts, first, again = [], [], []
    for _ in range(options.starts):
        with running(options.threads) as (address, seconds):
            starts.append(seconds)
            if len(starts) == options.starts:
                first, *again = _requests(address, 1 + options.reruns)
    return {
        "start_s": statistics.median(starts),
        "starts": options.starts,
        "first_ms": first,
        "rerun_ms": statistics.median(again),
        "reruns": options.reruns,
    }


@contextlib.contextmanager
def running(threads: int, seconds: float = 600) -> Iterator[tuple[str, float]]:
    """The app as its own process: its address, and the seconds until it answered. Raises RuntimeError if it ends."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {"OMP_NUM_THREADS": str(threads), "GRADIO_ANALYTICS_ENABLED": "False"}
    begun = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "app.py", "--port", str(port)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        address = f"http://127.0.0.1:{port}"
        _wait(address, process, begun + seconds)
        yield address, time.perf_counter() - begun
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait(address: str, process: subprocess.Popen, end: float) -> None:
    while time.perf_counter() < end:
        if process.poll() is not None:
            raise RuntimeError(f"the app ended with status {process.returncode} before it answered")
        with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=5):
            return
        time.sleep(0.05)
    raise RuntimeError("the app did not answer in time")


def _requests(address: str, count: int) -> list[float]:
    """Milliseconds of requests: one that reads, encodes and answers, then some that only have another keep ratio.

    Raises RuntimeError if one of those did not ask the model again.
    """
    from gradio_client import Client, handle_file

    client = Client(address, verbose=False, download_files=False)  # a browser has the frames already
    video = handle_file(str(CLIP))
    spent = [_milliseconds(client.predict, video, None, QUESTION, 0.25, 6, 9, 8, True, *EXTRAS, api_name="/run")]
    for idx in range(count - 1):
        keep_ratio = KEEP_RATIOS[idx % len(KEEP_RATIOS)]
        begun = time.perf_counter()
        *_, summary = client.predict(video, None, QUESTION, keep_ratio, 6, 9, 8, *EXTRAS, api_name="/follow")
        spent.append((time.perf_counter() - begun) * 1000)
        if summary.get("aim", {}).get("keep_ratio") != keep_ratio:
            raise RuntimeError(f"the page did not ask again with a keep ratio of {keep_ratio}")
    return spent


def _milliseconds(request, *args, **kwargs) -> float:
    begun = time.perf_counter()
    request(*args, **kwargs)
    return (time.perf_counter() - begun) * 1000


def table(result: dict) -> str:
    rows = [
        [f"cold start until the port answers, median of {result['starts']}", f"{result['start_s']:.1f} s"],
        ["first request: clip read, encoded, answered, drawn", f"{result['first_ms']:,.0f} ms"],
        [f"again after a slider moved, median of {result['reruns']}", f"{result['rerun_ms']:,.0f} ms"],
    ]
    notes = (
        "Requests as a program on the same machine sees them, all but the pictures of the frames; 8 frames. "
        "A slider asks AIM again, the dense answer stays."
    )
    return markdown(TITLE, ["", "time"], rows, notes)
