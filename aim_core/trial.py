"""Trial: a checkpoint is loaded in a process of its own, which the system ends in the place of others if memory runs
out; what it has loaded there, another process can load afterwards.

`python -m aim_core.trial FOLDER DTYPE MORE_BYTES [WEIGHTS]` is that process. It says in lines of JSON how far it is.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from time import monotonic

import torch

from aim_core.checkpoint import ReadSoFar
from aim_core.errors import Stopped
from aim_core.loading import ModelLoadError, load_adapter
from aim_core.low_bits import FULL

_EVERY = 0.2  # seconds between two lines
_ROOT = Path(__file__).parents[1]


class TrialKilledError(ModelLoadError):
    """The system ended the trial, as it does where memory runs out."""


def try_checkpoint(
    folder: Path,
    dtype: torch.dtype,
    more_bytes: int,
    on_read: Callable[[ReadSoFar], object],
    stop: Callable[[], bool] = lambda: False,
    weights: str = FULL,
) -> None:
    """Load a checkpoint in a child process, on the CPU, with so many bytes beside it, and let go of it again.

    dtype, weights: as in `load_adapter`.
    Raises ModelLoadError as `load_adapter` does, TrialKilledError where the child was killed, and Stopped.
    """
    name = str(dtype).removeprefix("torch.")
    command = [sys.executable, "-m", "aim_core.trial", str(folder.resolve()), name, str(more_bytes), weights]
    own = os.environ | {"HF_HUB_OFFLINE": "1", "PYTHONPATH": str(_ROOT)}
    with subprocess.Popen(command, cwd=_ROOT, env=own, stdout=subprocess.PIPE, text=True) as child:
        over = threading.Event()
        watcher = threading.Thread(target=_end_where_stopped, args=(child, stop, over), daemon=True)
        watcher.start()
        try:
            told = _heard(child, on_read)
        finally:
            over.set()
            if child.poll() is None and sys.exc_info()[0]:
                child.kill()
    if stop():
        raise Stopped
    if "error" in told:
        raise ModelLoadError(told["error"])
    if "done" not in told:
        raise TrialKilledError(f"The system ended the loading of {folder.name} (code {child.returncode}).")


def _heard(child: subprocess.Popen, on_read: Callable[[ReadSoFar], object]) -> dict:
    """The child's last word, after all that it says of its progress."""
    assert child.stdout is not None
    told: dict = {}
    for line in child.stdout:
        with suppress(ValueError):  # a library may print something
            told = json.loads(line)
            if "shard" in told:
                on_read(ReadSoFar(**told))
    child.wait()
    return told


def _end_where_stopped(child: subprocess.Popen, stop: Callable[[], bool], over: threading.Event) -> None:
    while not over.wait(_EVERY):
        if stop():
            child.kill()
            return


def _goes_first() -> None:
    """Where memory runs out, the system shall end this process before any other."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


class _Lines:
    """Says how far it is, not too often."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self, so_far: ReadSoFar) -> None:
        if monotonic() - self.at >= _EVERY or so_far.num_bytes == so_far.all_bytes:
            self.at = monotonic()
            print(json.dumps(asdict(so_far)), flush=True)


def main(folder: str, dtype: str, more_bytes: str, weights: str = FULL) -> None:
    _goes_first()
    try:
        adapter = load_adapter(folder, "cpu", getattr(torch, dtype), _Lines(), weights)
        beside = torch.ones(int(more_bytes), dtype=torch.uint8)  # written to, or it would take no memory
        sys.stdout.write(json.dumps({"done": adapter.num_layers, "beside": beside.nbytes}) + "\n")
    except ModelLoadError as error:
        sys.stdout.write(json.dumps({"error": str(error)}) + "\n")
    except (MemoryError, RuntimeError):
        sys.stdout.write(json.dumps({"error": f"{folder} does not fit into memory. Choose a smaller model."}) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
