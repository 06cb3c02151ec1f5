"""One setting in a process of its own, so that its peak memory is nobody else's. Prints one line of JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

_STATUS = Path("/proc/self/status")
_RESET = Path("/proc/self/clear_refs")


@dataclass(frozen=True)
class ProbeTask:
    """What the process does: `repeats` prefills of one of `prefill.ablations` on a random model and prompt."""

    shape: str
    layers: int
    setting: str
    num_frames: int
    side: int
    num_text: int
    repeats: int
    warm: int
    threads: int


def memory_probe(task: ProbeTask) -> dict:
    """Run the task in a fresh process: its median ms, shares, tokens, and resident memory in MB: before the prefill
    with the model loaded, and at its peak. Raises RuntimeError with what the process said if it fails."""
    command = [sys.executable, "-m", "benchmarks.memory_probe", json.dumps(asdict(task))]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parent.parent)
    if done.returncode:
        raise RuntimeError(f"{task} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def run_task(task: ProbeTask) -> dict:
    """What `memory_probe` returns, measured in this process."""
    import torch

    torch.set_num_threads(task.threads)
    from benchmarks.prefill import (
        ablations,
        interleaved,
    )  # slow to import, and of no use to whoever starts this process
    from benchmarks.shapes import SHAPES, random_model, random_prompt

    adapter = random_model(SHAPES[task.shape], task.layers)
    prompt = random_prompt(adapter, task.num_frames, task.side, task.num_text)
    _reset_peak()
    before = resident("VmRSS")
    settings = {task.setting: ablations(task.layers)[task.setting]}
    (measured,) = interleaved(adapter, prompt, settings, task.repeats, task.warm)
    return {
        "ms": measured.ms,
        "pagerank_share": measured.pagerank_share,
        "merge_share": measured.merge_share,
        "tokens": measured.runs[0].tokens,
        "before_mb": before,
        "peak_mb": resident("VmHWM"),
    }


def _reset_peak() -> None:
    """Let the peak start anew from what is resident now (Linux)."""
    _RESET.write_text("5")


def resident(entry: str) -> float:
    """Megabytes of one entry of the process's status (Linux): VmRSS is resident now, VmHWM was at most."""
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith(entry))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    print(json.dumps(run_task(ProbeTask(**json.loads(sys.argv[1])))))
