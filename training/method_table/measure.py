"""Measure: the questions about each video answered by the dense model, then by every method at every budget."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from multiprocessing import get_context
from pathlib import Path

import torch

from aim_core.adapters.base import Adapter
from aim_core.engine import Engine
from aim_core.methods.registry import METHODS
from aim_lab.code import DENSE
from training.answering import MAX_NEW_TOKENS
from training.method_table.log import Line, Log, code_of
from training.method_table.one_video import Answered, OneVideo, Refused
from training.method_table.order import Asked
from training.questions import Question

BUDGETS = (0.5, 0.25, 0.125, 0.06)  # of the dense FLOPs

Cell = tuple[str, float]  # method and budget


def cells(methods: Sequence[str] = tuple(METHODS), budgets: Sequence[float] = BUDGETS) -> list[Cell]:
    """All that is asked about one question, the dense model first."""
    return [(DENSE, 1.0), *((method, budget) for budget in budgets for method in methods)]


def measure(
    adapter: Adapter,
    weights: str,
    videos: Iterable[Asked],
    log: Log,
    stop: Callable[[], bool] = lambda: False,
    asked_about: Sequence[Cell] | None = None,
) -> None:
    """Add a line for every cell of every question that the log has none of yet; all of a video before the next.

    weights: hash of the model's weights. asked_about: `cells()` if left out.
    stop:    asked before each cell of a video; once it is true, nothing more is measured.
    """
    for asked in videos:
        one = None
        for cell in cells() if asked_about is None else asked_about:
            lines = [(question, _line(weights, asked, question, cell)) for question in asked.questions]
            missing = [pair for pair in lines if pair[1].key not in log]
            if not missing:
                continue
            if stop():
                return
            one = one or _one_video(adapter, asked)
            for line in _measured(one, cell, missing):
                log.add(line)


@dataclass(frozen=True)
class Past:
    """Whether a moment is over, by the clock; a value that other processes can be given."""

    end: float

    def __call__(self) -> bool:
        return time.time() > self.end


def measure_in_processes(
    model: Path,
    weights: str,
    videos: Iterable[Asked],
    log: Path,
    stop: Past,
    processes: int,
    asked_about: Sequence[Cell] | None = None,
) -> None:
    """The same by several processes, each with a copy of the model and one video at a time; all add to one log."""
    given = (model, weights, log, stop, asked_about)
    with ProcessPoolExecutor(processes, get_context("spawn"), _begin, given) as pool:
        try:
            for _ in pool.map(_measure_one, videos):
                pass
        except BaseException:
            pool.shutdown(cancel_futures=True)  # leaving the block would first measure all that is queued
            raise


_measure_own: list[Callable[[Asked], None]] = []  # in a process of `measure_in_processes`: what it does with a video


def _begin(model: Path, weights: str, log: Path, stop: Past, asked_about: Sequence[Cell] | None) -> None:
    torch.set_num_threads(1)
    adapter, own = Engine.from_pretrained(model).adapter, Log(log)
    _measure_own[:] = [lambda asked: measure(adapter, weights, [asked], own, stop, asked_about)]


def _measure_one(asked: Asked) -> None:
    _measure_own[0](asked)


def _one_video(adapter: Adapter, asked: Asked) -> OneVideo:
    texts = [question.text for question in asked.questions]
    seed = (int(asked.video, 16) + asked.seed) % 2**31  # another draw for each video, the same each time
    return OneVideo(adapter, asked.frames, texts, seed, MAX_NEW_TOKENS)


def _line(weights: str, asked: Asked, question: Question, cell: Cell) -> Line:
    """Still without what was answered."""
    method, budget = cell
    where = (asked.set, asked.seed, budget, method, asked.video)
    return Line(weights, code_of(method), *where, question.text, question.type)


def _measured(one: OneVideo, cell: Cell, missing: Sequence[tuple[Question, Line]]) -> list[Line]:
    method, budget = cell
    texts = [question.text for question, _ in missing]
    found = one.dense(texts) if method == DENSE else one.asked(method, budget, texts)
    if isinstance(found, Refused):
        return [replace(line, refused=found.why, limit=found.limit) for _, line in missing]
    return [_filled(line, question, said) for (question, line), said in zip(missing, found, strict=True)]


def _filled(line: Line, question: Question, said: Answered) -> Line:
    shares = {name: round(share, 5) for name, share in asdict(said.shares).items()}
    right = question.accepts(said.answer)
    return replace(line, answer=said.answer, right=right, settings=said.settings, shares=shares)
