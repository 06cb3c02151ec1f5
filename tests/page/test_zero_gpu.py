"""ZeroGPU: what a stand-in for its decorator sees is what such a Space copies between processes."""

from __future__ import annotations

import io
import pickle
import sys
from inspect import isgeneratorfunction
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from aim_core.budget import Budget
from aim_core.config import AimConfig
from aim_core.engine import Engine
from aim_lab.documents import Document
from aim_lab.line import Log
from aim_lab.measure import Recipe
from aim_lab.settings import Setting
from aim_lab.sweep import Plan
from page.state.runner import Runner
from page.state.store import StoredRun
from page.state.sweeps import HeldClip
from page.state.zero_gpu import LONGEST_S, needed_seconds

ROOT = Path(__file__).parents[2]
QUESTION = "how does the cyan star move?"
STAR = str(ROOT / "assets" / "samples" / "crossing.mp4")


@pytest.fixture(scope="module")
def engine():
    return Engine.from_pretrained(ROOT / "assets" / "model", device="cpu")


class Lender:
    """`spaces` as far as it is used: copies what goes in and what comes out, as to and from another process."""

    def __init__(self):
        self.seconds: list[int] = []

    def GPU(self, duration):  # noqa: N802 (its name there)
        def decorated(task):
            def once(*args, **more):
                return self._copied(task(*self._asked(duration, args, more)[0], **self._copied(more)))

            def each(*args, **more):
                args, more = self._asked(duration, args, more)
                yield from (self._copied(one) for one in task(*args, **more))

            return each if isgeneratorfunction(task) else once

        return decorated

    def _asked(self, duration, args, more):
        self.seconds.append(duration(*args, **more))
        return self._copied(args), self._copied(more)

    def _copied(self, value):
        return _NoTensors.loads(pickle.dumps(value))


class _NoTensors(pickle.Unpickler):
    """Reads back plain records only."""

    @classmethod
    def loads(cls, data: bytes):
        return cls(io.BytesIO(data)).load()

    def find_class(self, module, name):
        assert not module.startswith("torch"), f"{module}.{name} went from one process to another"
        return super().find_class(module, name)


@pytest.fixture
def lender(monkeypatch):
    lender = Lender()
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    monkeypatch.setitem(sys.modules, "spaces", SimpleNamespace(GPU=lender.GPU))
    return lender


def test_answers_times_and_methods_come_over_as_they_are(engine, lender):
    lent = Runner(engine)
    frames = lent.frames(STAR, 2)
    layers = []
    asked = {"stop": lambda: False, "on_layer": layers.append}
    result = lent.run(frames, QUESTION, AimConfig.for_depth(12), **asked)
    want = engine.run(frames, QUESTION, config=AimConfig.for_depth(12))
    assert result.answer == want.answer and not layers  # a function stays behind
    assert np.array_equal(result.first_token_logprobs, want.first_token_logprobs)
    stored = StoredRun(STAR, QUESTION, 2, result, result)
    assert lent.timed(stored, frames, lambda: False).timed_prefills == lent.timed_prefills
    runs = list(lent.each_method(frames, QUESTION, ["aim"], Budget(0.25), lambda: False))
    assert [run.name for run in runs][:2] == ["dense", "aim"] and runs[0].answer == want.answer
    assert len(lender.seconds) == 3 and all(10 <= seconds <= 12 for seconds in lender.seconds)


def test_anywhere_else_a_call_is_what_it_was(engine):
    assert Runner(engine)._run == engine.run


def test_the_time_asked_for_follows_the_work_and_has_an_end(engine):
    frames = Runner(engine).frames(STAR, 8)
    few, many = (needed_seconds(engine.adapter, frames, prefills, 1) for prefills in (1, 10**6))
    assert few < many == LONGEST_S
    more = needed_seconds(engine.adapter, frames, 10**4, 1) - few
    flops = 10**4 * engine.run(frames, QUESTION, config=AimConfig.dense()).cost.total_flops
    assert more == pytest.approx(flops / 40e12, rel=0.1, abs=1)


def test_a_sweep_is_lent_a_gpu_cell_by_cell(engine, lender, tmp_path):
    lent, clip, log = Runner(engine), HeldClip.of(Path(STAR), "crossing.mp4"), Log(tmp_path / "log.jsonl")
    clip.held[2] = lent.frames(STAR, 2)
    setting = Setting.of("aim", 2, keep_ratio=0.5, l1=2, l2=4)
    recipe = Recipe("w", "float32", "cpu", reference=2, max_new_tokens=1)
    plan = Plan((Document(clip, QUESTION),), (setting,), recipe)
    (task,) = plan.tasks(log)
    assert lent.estimate(plan, [task]).cells == 2
    for part in lent.parts(plan, task, log):
        for line in lent.measured(part, is_done=lambda setting: False):
            log.add(line)
    assert [(line.method, line.refused) for line in log] == [("dense", ""), ("aim", "")]
    assert len(lender.seconds) == 3 and max(lender.seconds) == LONGEST_S
