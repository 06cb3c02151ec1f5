"""Measure: one question under some settings, beside the dense model, as lines of a sweep's file."""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import huggingface_hub
import numpy as np

from aim_core.budget import Budget, Solved, Unreachable, solve
from aim_core.comparison import compare
from aim_core.config import AimConfig
from aim_core.engine import Engine
from aim_core.low_bits import FULL, number_format
from aim_core.media.frames import Frames
from aim_core.methods.aim import as_method
from aim_core.methods.base import Method
from aim_core.methods.registry import make_method
from aim_core.ops.flops import kv_bytes
from aim_core.result import Result
from aim_core.weights import weights_hash
from aim_core.workload import Workload
from aim_lab.code import DENSE, code_hash
from aim_lab.documents import Document
from aim_lab.equal_cost import at_cost, dense_flops
from aim_lab.line import Line
from aim_lab.settings import Setting

EQUAL_COST = "aim_lab.equal_cost"
EVERY_RUN = ("aim_core.engine", "aim_core.adapters.registry", "aim_core.budget", "aim_core.comparison")


@dataclass(frozen=True)
class Model:
    """Which model to load, where; can be sent to another process or machine that has it too.

    device, dtype, weights: as in `Engine.from_pretrained`.
    """

    name: str = "assets/model"
    device: str = "auto"
    dtype: str = "auto"
    weights: str = FULL

    def load(self) -> Engine:
        """Raises `aim_core.loading.ModelLoadError`."""
        return Engine.from_pretrained(self.name, self.device, self.dtype, self.weights)

    def weights_hash(self) -> str:
        """Of its weights, on the disk or in the Hub's cache. Raises ValueError if they are not there."""
        return _weights(self.name)


@cache
def _weights(name: str) -> str:
    folder = Path(name).expanduser()
    if not folder.is_dir():
        config = huggingface_hub.try_to_load_from_cache(name, "config.json")
        if not isinstance(config, str):
            raise ValueError(f"{name} is no folder and not in the Hub's cache: load it once, or give a folder")
        folder = Path(config).parent
    return weights_hash(folder)


@dataclass(frozen=True)
class Recipe:
    """What all lines of a sweep share.

    reference:      frames of the dense run that answers are compared with.
    max_new_tokens: of each answer.
    timed:          prefills of each that are timed in turns with the others about that question; 0 for the run's own.
    """

    weights: str
    dtype: str
    device: str
    reference: int = 8
    max_new_tokens: int = 64
    timed: int = 0

    @classmethod
    def of(cls, model: Model, engine: Engine, **others) -> Recipe:
        """Of a model and its engine, which knows where it runs."""
        own = engine.adapter.model
        return cls(model.weights_hash(), number_format(engine.adapter), own.device.type, **others)

    def line(self, document: Document, setting: Setting) -> Line:
        """Still without what was found."""
        return Line(
            self.weights,
            self.dtype,
            self.device,
            code_hash(setting.method, (*EVERY_RUN, EQUAL_COST) if setting.as_dense else EVERY_RUN),
            setting.method,
            setting.settings,
            setting.num_frames,
            self.reference,
            self.max_new_tokens,
            document.clip.content(),
            document.question,
            document.clip.name,
            document.wanted,
        )


@dataclass(frozen=True)
class Task:
    """Settings that one question lacks.

    dense: what the dense run with the reference's frames has answered; None if that is not known yet: then its own
           setting is among them.
    """

    document: Document
    settings: tuple[Setting, ...]
    recipe: Recipe
    dense: str | None = None


@dataclass(frozen=True)
class Failed:
    """A setting that broke, which a later run tries again. why: the kind of error and its words."""

    setting: Setting
    question: str
    why: str


def measured(
    engine: Engine, task: Task, is_done: Callable[[Setting], bool] = lambda setting: False
) -> Iterator[Line | Failed]:
    """A line for each setting of the task, the dense run first; what a method or a file cannot do is `refused`.

    is_done: asked before each setting is run, for those that somebody else has measured meanwhile.
    """
    try:
        one = _Question(engine, task)
    except ValueError as error:
        yield from (replace(task.recipe.line(task.document, own), refused=str(error)) for own in task.settings)
        return
    except Exception as error:
        yield from (_failed(own, task, error) for own in task.settings)
        return
    done: list[tuple[Line, Method]] = []
    for setting in sorted(task.settings, key=lambda own: own != one.dense_setting):
        if is_done(setting):
            continue
        try:
            line, method = one.run(setting)
        except Exception as error:
            yield _failed(setting, task, error)
            continue
        if line.refused or not task.recipe.timed:
            yield line
        else:
            done.append((line, method))
    yield from one.timed(done)


def _failed(setting: Setting, task: Task, error: Exception) -> Failed:
    traceback.print_exception(error, file=sys.stderr)
    return Failed(setting, task.document.question, f"{type(error).__name__}: {error}")


@dataclass
class _Question:
    """A question about a video that settings are tried on."""

    engine: Engine
    task: Task
    _frames: dict[int, Frames | np.ndarray] = field(default_factory=dict)
    _workloads: dict[int, Workload] = field(default_factory=dict)

    def __post_init__(self):
        self.dense_setting = Setting.of(DENSE, self.task.recipe.reference)
        words = None if self.task.dense is None else 1  # of a known answer only the first token is asked again
        self._dense, self._dense_seconds = self._answer(self.dense_setting, as_method(AimConfig.dense()), words)
        self._said = self._dense.answer if self.task.dense is None else self.task.dense

    def run(self, setting: Setting) -> tuple[Line, Method]:
        line = self.task.recipe.line(self.task.document, setting)
        if setting == self.dense_setting and self.task.dense is None:
            return self._filled(line, self._dense, {}, self._dense_seconds), as_method(AimConfig.dense())
        try:
            method, found = self._method(setting)
            result, seconds = self._answer(setting, method)
        except ValueError as error:
            return replace(line, refused=str(error)), as_method(AimConfig.dense())
        return self._filled(line, result, found, seconds), method

    def timed(self, done: Sequence[tuple[Line, Method]]) -> Iterator[Line]:
        """Each with prefills taken in turns, those of one number of frames together."""
        for num_frames in sorted({line.num_frames for line, _ in done}):
            own = [(line, method) for line, method in done if line.num_frames == num_frames]
            configs = [method for _, method in own]
            found = self.engine.time_prefills(
                self.frames(num_frames),
                self.task.document.question,
                configs=configs,
                repeats=self.task.recipe.timed,
                vision=False,
            )
            for (line, _), times in zip(own, found, strict=True):
                yield replace(line, prefill_ms=[round(ms, 3) for ms in times.ms])

    def frames(self, num_frames: int) -> Frames | np.ndarray:
        if num_frames not in self._frames:
            self._frames[num_frames] = self.task.document.clip.frames(num_frames)
        return self._frames[num_frames]

    def workload(self, num_frames: int) -> Workload:
        if num_frames not in self._workloads:
            dense = self._planned(as_method(AimConfig.dense()), num_frames)
            self._workloads[num_frames] = Workload.of(self.engine.adapter, dense)
        return self._workloads[num_frames]

    def _planned(self, method: Method, num_frames: int):
        return self.engine.planned(self.frames(num_frames), self.task.document.question, config=method)

    def _method(self, setting: Setting) -> tuple[Method, dict[str, Any]]:
        """With all its settings. Raises ValueError if it cannot be what it should."""
        if setting.method == DENSE:
            return as_method(AimConfig.dense()), {}
        if solved := self._solved(setting):
            return solved.method, solved.settings
        found = setting.complete(self.workload(setting.num_frames).shape)
        return make_method(setting.method, **found), found

    def _solved(self, setting: Setting) -> Solved | None:
        """At the cost that stands for its settings; None where they are given. Raises ValueError if there is none."""
        workload = self.workload(setting.num_frames)

        def count(method: Method) -> tuple[int, ...]:
            return self._planned(method, setting.num_frames).visual_per_layer

        if setting.as_dense is not None:
            return at_cost(setting.method, dense_flops(self.workload(setting.as_dense)), workload, count)
        if setting.budget is None:
            return None
        solved = solve(setting.method, Budget(setting.budget), workload, count)
        if isinstance(solved, Unreachable):
            raise ValueError(solved.reason)
        return solved

    def _answer(self, setting: Setting, method: Method, max_new_tokens: int | None = None) -> tuple[Result, float]:
        frames, begun = self.frames(setting.num_frames), time.perf_counter()
        result = self.engine.run(
            frames,
            self.task.document.question,
            config=method,
            max_new_tokens=max_new_tokens or self.task.recipe.max_new_tokens,
        )
        return result, time.perf_counter() - begun

    def _filled(self, line: Line, result: Result, found: dict[str, Any], seconds: float) -> Line:
        apart = compare(self._dense.first_token_logprobs, result.first_token_logprobs)
        cost, adapter = result.cost, self.engine.adapter
        return replace(
            line,
            found=found,
            answer=result.answer,
            same_answer=result.answer == self._said,
            first_token_agrees=apart.agrees,
            kl=round(apart.kl, 6) if np.isfinite(apart.kl) else None,
            flops=cost.language_flops,
            vision_flops=cost.vision_flops,
            kv_bytes=kv_bytes(cost.tokens_per_layer, adapter.sizes["kv"], adapter.model.dtype.itemsize),
            entering=cost.visual_per_layer[0],
            mean=round(sum(cost.visual_per_layer) / len(cost.visual_per_layer), 3),
            prefill_ms=[round(result.timing.prefill_ms, 3)],
            seconds=round(seconds, 4),
        )
