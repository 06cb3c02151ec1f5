"""Sweep: every setting on every question; what a file holds already is never asked again."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from aim_core.engine import Engine
from aim_lab.code import DENSE
from aim_lab.documents import Document
from aim_lab.line import Line, Log
from aim_lab.measure import Failed, Recipe, Task, measured
from aim_lab.settings import Setting

Found = Line | Failed
Spread = Callable[[Sequence[Task]], Iterator[Sequence[Found]]]


class Known(Protocol):
    """Lines by their key: a log, or a dict."""

    def __contains__(self, key: str, /) -> bool: ...

    def __getitem__(self, key: str, /) -> Line: ...


@dataclass(frozen=True)
class Plan:
    """What a sweep measures: each setting on each document, and the dense run that all are compared with."""

    documents: tuple[Document, ...]
    settings: tuple[Setting, ...]
    recipe: Recipe

    @property
    def cells(self) -> tuple[Setting, ...]:
        """The settings, the dense run first."""
        return tuple(dict.fromkeys((Setting.of(DENSE, self.recipe.reference), *self.settings)))

    def lines(self, log: Known) -> list[Line]:
        """What the file holds of it, question by question, with the answers that are wanted now."""
        wanted = (self.recipe.line(document, own) for document in self._each_once() for own in self.cells)
        return [_with_wanted(log[line.key], line.wanted) for line in wanted if line.key in log]

    def tasks(self, log: Known) -> list[Task]:
        """What the file lacks of it, a task for each question that lacks anything; each question and video once."""
        return [task for document in self._each_once() if (task := self.task(document, log)).settings]

    def task(self, document: Document, log: Known) -> Task:
        """What the file lacks of one document, the dense run first."""
        lines = {own: self.recipe.line(document, own) for own in self.cells}
        missing = tuple(own for own, line in lines.items() if line.key not in log)
        dense = lines[self.cells[0]]
        known = dense.key in log and not log[dense.key].refused
        return Task(document, missing, self.recipe, log[dense.key].answer if known else None)

    def _each_once(self) -> list[Document]:
        """Documents that show and ask the same are one."""
        return list({(own.clip.content(), own.question): own for own in reversed(self.documents)}.values())[::-1]


def _with_wanted(line: Line, wanted: str) -> Line:
    return line if line.wanted == wanted else replace(line, wanted=wanted)


@dataclass(frozen=True)
class Done:
    """How a sweep ended.

    lines: all of the plan that the file holds; added: how many are new; failed: what broke; num_missing: cells that the
    file lacks still.
    """

    lines: list[Line]
    added: int
    failed: tuple[Failed, ...]
    num_missing: int


def here(engine: Engine) -> Spread:
    """One after the other in this process; each line is on the disk before the next begins."""

    def spread(tasks: Sequence[Task]) -> Iterator[Sequence[Found]]:
        for task in tasks:
            yield from ([found] for found in measured(engine, task))

    return spread


def sweep(
    plan: Plan,
    path: Path,
    spread: Spread,
    on_found: Callable[[int], None] | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Done:
    """Measure what the file lacks of a plan. Ended at any time and begun again, it goes on where it stood.

    path:     the file; what others have measured into it stays.
    spread:   who does the work: `here`, `pool.in_processes` or `ray_cluster.on_ray`.
    on_found: told how many cells are done with each step, those that broke too.
    stop:     asked after each step; once it is true, nothing more is begun.
    Raises ValueError where another sweep is writing the file.
    """
    with alone(path):
        log = Log(path)
        before, failed = len(log), []
        tasks = plan.tasks(log)
        for found in spread(tasks) if tasks else ():
            failed += _keep(log, found)
            if on_found is not None:
                on_found(len(found))
            if stop():
                break
        missing = sum(len(task.settings) for task in plan.tasks(log))
        return Done(plan.lines(log), len(log) - before, tuple(failed), missing)


def _keep(log: Log, found: Iterable[Found]) -> list[Failed]:
    """Add the lines that the file has not; returns what broke."""
    for one in found:
        if isinstance(one, Line) and one.key not in log:
            log.add(one)
    return [one for one in found if isinstance(one, Failed)]


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Keep other sweeps from the same file, or each would ask what the other asks.

    Raises ValueError where another sweep is writing it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(path.name + ".lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ValueError(f"another sweep is writing {path}: wait for it, or choose another file") from error
        yield


class Until:
    """Whether so many minutes are over."""

    def __init__(self, minutes: float):
        self._end = time.monotonic() + 60 * minutes

    def __call__(self) -> bool:
        return time.monotonic() > self._end
