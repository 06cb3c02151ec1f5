"""Ray cluster: the tasks of a sweep on many machines. Workers hold nothing; the driver alone writes the file.

A worker that dies loses the question it was at, which Ray gives to another; a driver that dies loses the questions that
were under way, which the same command asks again. So nothing is lost that was written, and nothing is written twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from aim_core.engine import Engine
from aim_lab.measure import Failed, Model, Task, measured
from aim_lab.sweep import Found, Spread

_AHEAD = 2  # tasks handed out for each that can run at once
_INSTALL = "Ray is not installed: pip install 'aim-explorer[ray]'"


def on_ray(model: Model, address: str | None = None, cpus: float = 1, gpus: float = 0) -> Spread:
    """A question at a time in each worker of a cluster that has the model and the videos under the same names.

    address:    of a cluster that runs, "auto" for the one that this machine belongs to; None for one of its own.
    cpus, gpus: what each worker takes of its machine.
    Raises ValueError where Ray is not installed or the cluster is not there.
    """
    try:
        import ray
    except ImportError as error:
        raise ValueError(_INSTALL) from error

    def spread(tasks: Sequence[Task]) -> Iterator[Sequence[Found]]:
        own = not ray.is_initialized()
        if own:
            try:
                ray.init(address=address, log_to_driver=False, include_dashboard=False if address is None else None)
            except ConnectionError as error:
                raise ValueError(f"there is no Ray cluster at {address}: {error}") from error
        try:
            yield from _spread(ray, model, tasks, cpus, gpus)
        finally:
            if own:
                ray.shutdown()

    return spread


def _spread(ray: Any, model: Model, tasks: Sequence[Task], cpus: float, gpus: float) -> Iterator[Sequence[Found]]:
    """Hands out a few more tasks than can run, and yields what comes back in the order in which it does."""
    work = ray.remote(num_cpus=cpus, num_gpus=gpus, max_calls=0)(_work)  # 0: a worker keeps its model, on a GPU too
    left, under_way = list(reversed(tasks)), dict[Any, Task]()
    while left or under_way:
        while left and len(under_way) < _AHEAD * _slots(ray, cpus, gpus):
            task = left.pop()
            under_way[work.remote(model, task, cpus)] = task
        ready, _ = ray.wait(list(under_way), timeout=60)
        for reference in ready:
            task = under_way.pop(reference)
            try:
                yield ray.get(reference)
            except ray.exceptions.RayError as error:  # the worker died more often than Ray tries again
                why = f"{type(error).__name__}: {str(error).splitlines()[0]}"
                yield [Failed(own, task.document.question, why) for own in task.settings]


def _slots(ray: Any, cpus: float, gpus: float) -> int:
    """How many tasks can run at once in the cluster as it is now, at least one."""
    there = ray.cluster_resources()
    kinds = [there.get(name, 0) / each for name, each in (("CPU", cpus), ("GPU", gpus)) if each]
    return max(1, int(min(kinds, default=1)))


def _work(model: Model, task: Task, cpus: float) -> Sequence[Found]:
    return list(measured(_engine(model, max(1, int(cpus))), task))


@cache
def _engine(model: Model, threads: int) -> Engine:
    """Of a worker, which keeps it for its next task."""
    import torch

    torch.set_num_threads(threads)
    return model.load()
