"""Measure: each question answered by the dense model, then by every method at every budget."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, replace

from aim_core.budget import Budget, Solved, Unreachable, solve
from aim_core.config import AimConfig
from aim_core.engine import Engine
from aim_core.methods.aim import as_method
from aim_core.methods.base import Method
from aim_core.methods.registry import METHODS, make_method
from aim_core.result import Planned
from aim_core.workload import Workload
from training.answering import MAX_NEW_TOKENS
from training.method_table.log import DENSE, Line, Log
from training.method_table.order import Asked

BUDGETS = (0.5, 0.25, 0.125, 0.06)  # of the dense FLOPs

Cell = tuple[str, float]  # method and budget


def cells(methods: Sequence[str] = tuple(METHODS), budgets: Sequence[float] = BUDGETS) -> list[Cell]:
    """All that is asked about one question, the dense model first."""
    return [(DENSE, 1.0), *((method, budget) for budget in budgets for method in methods)]


def measure(
    engine: Engine,
    weights: str,
    questions: Iterable[Asked],
    log: Log,
    stop: Callable[[], bool] = lambda: False,
    asked_about: Sequence[Cell] | None = None,
) -> None:
    """Add a line for every cell of every question that the log has none of yet; all of a question before the next.

    weights: hash of the engine's weights. asked_about: `cells()` if left out.
    stop:    asked before each; once it is true, nothing more is measured.
    """
    wanted = cells() if asked_about is None else asked_about
    video, counts = "", {}
    for asked in questions:
        if asked.video != video:
            video, counts = asked.video, {}
        one = _One(engine, asked, counts)
        for cell in wanted:
            if (line := _line(weights, asked, cell)).key in log:
                continue
            if stop():
                return
            log.add(one.measured(line))


def _line(weights: str, asked: Asked, cell: Cell) -> Line:
    """Still without what was answered."""
    method, budget = cell
    return Line(weights, asked.seed, budget, method, asked.video, asked.question.text, asked.question.type)


class _One:
    """One question; what does not depend on the method is found out once, when it is first needed."""

    def __init__(self, engine: Engine, asked: Asked, counts: dict[str, tuple[int, ...]]):
        """counts: visual tokens of this video entering each layer, by method; they do not depend on the question."""
        self._engine, self._asked, self._counts = engine, asked, counts
        self._workload: Workload | None = None

    def measured(self, line: Line) -> Line:
        if line.method == DENSE:
            return self._answered(line, as_method(AimConfig.dense()), {})
        entry = METHODS[line.method]
        try:
            found = self._solved(line.method, line.budget)
            if isinstance(found, Unreachable):
                return replace(line, refused=found.reason, limit=found.limit)
            settings = found.settings | (_seed(self._asked) if "seed" in entry.settings else {})
            return self._answered(line, make_method(line.method, **settings), settings)
        except Exception as error:  # one method that breaks must not end the measurement of all others
            return replace(line, refused=f"{entry.title} cannot run here: {error}.")

    def _answered(self, line: Line, method: Method, settings: dict) -> Line:
        asked = self._asked
        result = self._engine.run(asked.frames, asked.question.text, config=method, max_new_tokens=MAX_NEW_TOKENS)
        shares = asdict(self.workload.shares(result.cost.visual_per_layer))
        return replace(
            line,
            answer=result.answer,
            right=asked.question.accepts(result.answer),
            settings=settings,
            shares={name: round(share, 5) for name, share in shares.items()},
        )

    @property
    def workload(self) -> Workload:
        if self._workload is None:
            self._workload = Workload.of(self._engine.adapter, self._planned(as_method(AimConfig.dense())))
        return self._workload

    def _planned(self, method: Method) -> Planned:
        return self._engine.planned(self._asked.frames, self._asked.question.text, config=method)

    def _solved(self, name: str, budget: float) -> Solved | Unreachable:
        def count(method: Method) -> tuple[int, ...]:
            key = repr(method)
            if key not in self._counts:
                self._counts[key] = tuple(self._planned(method).visual_per_layer)
            return self._counts[key]

        return solve(name, Budget(budget), self.workload, count)


def _seed(asked: Asked) -> dict[str, int]:
    """For methods that draw by chance: another draw for each video, the same each time."""
    return {"seed": (int(asked.video, 16) + asked.seed) % 2**31}
