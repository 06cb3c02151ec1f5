"""Pool: the tasks of a sweep in several processes of this machine, each with a copy of the model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from multiprocessing import get_context

import torch

from aim_core.engine import Engine
from aim_lab.measure import Model, Task, measured
from aim_lab.sweep import Found, Spread


def in_processes(model: Model, processes: int) -> Spread:
    """A question at a time in each of so many processes; what one has found is kept as soon as it is through."""
    if processes < 1:
        raise ValueError(f"processes must be at least 1, got {processes}")

    def spread(tasks: Sequence[Task]) -> Iterator[Sequence[Found]]:
        threads = max(1, torch.get_num_threads() // processes)
        with get_context("spawn").Pool(processes, _begin, (model, threads)) as pool:
            yield from pool.imap_unordered(_work, tasks)

    return spread


_engines: list[Engine] = []  # in a process of the pool: its own


def _begin(model: Model, threads: int) -> None:
    torch.set_num_threads(threads)
    _engines[:] = [model.load()]


def _work(task: Task) -> Sequence[Found]:
    return list(measured(_engines[0], task))
