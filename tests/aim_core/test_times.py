"""Times of prefills: what is in them, in turns and warm, checked by parts that take a known time."""

from __future__ import annotations

import time

import numpy as np
import pytest

from aim_core.config import AimConfig
from aim_core.engine import Engine
from aim_core.errors import Stopped
from tests.helpers.prompts import QUESTION
from tests.helpers.slow import CONFIG, slow


def test_a_prefill_holds_its_merging(engine, frames):
    timing = engine.run(frames, QUESTION, config=slow(seconds=0.2), max_new_tokens=2).timing
    assert 200 <= timing.merge_ms < timing.prefill_ms and timing.runs_ms == ()
    (times,) = engine.time_prefills(frames, QUESTION, configs=[slow(seconds=0.2)], repeats=2)
    assert all(200 <= merge < whole for merge, whole in zip(times.merge_ms, times.ms, strict=True))


@pytest.mark.slow
def test_every_turn_has_each_once_and_the_first_turn_does_not_count(engine, frames):
    calls: list[str] = []
    methods = [slow(name=name, first_seconds=2.0, calls=calls) for name in "ab"]
    begun = time.perf_counter()
    one, other = engine.time_prefills(frames, QUESTION, configs=methods, repeats=3)
    spent = (time.perf_counter() - begun) * 1000
    assert calls == list("ab" * 4) and len(one.ms) == len(other.ms) == 3
    assert max(*one.ms, *other.ms) < 2000 < spent - sum(one.ms) - sum(other.ms)  # the slow ones were not counted
    calls.clear()
    engine.time_prefills(frames, QUESTION, configs=methods, repeats=1, warm=0)
    assert calls == list("ab")


@pytest.mark.slow
def test_the_vision_tower_is_in_the_time_to_the_first_word_alone(engine, frames):
    fresh = Engine(engine.adapter)
    encode = fresh.adapter.encode
    fresh.adapter.encode = lambda inputs: time.sleep(2) or encode(inputs)
    try:
        (times,) = fresh.time_prefills(frames, QUESTION, configs=[CONFIG], repeats=1, warm=0)
        (again,) = fresh.time_prefills(frames, QUESTION, configs=[slow(seconds=0.2)], repeats=1, warm=0)
    finally:
        del fresh.adapter.encode
    assert 0 < times.ms[0] < 2000 < times.first_word_ms[0]
    assert again.first_word_ms[0] > 2200  # seen anew, and merging is in it


def test_timing_can_be_stopped_and_the_engine_used_again(engine, frames):
    asked = []

    def stop() -> bool:
        asked.append(1)
        return len(asked) > 30  # in the third prefill

    with pytest.raises(Stopped):
        engine.time_prefills(frames, QUESTION, configs=[AimConfig.dense(), CONFIG], stop=stop)
    assert len(asked) == 31 and engine.run(frames, QUESTION, config=CONFIG, max_new_tokens=1).answer_ids


def test_answers_are_the_same_after_timing(engine, frames):
    before = engine.run(frames, QUESTION, config=CONFIG, max_new_tokens=3)
    engine.time_prefills(frames, QUESTION, configs=[AimConfig.dense(), CONFIG], repeats=1)
    after = engine.run(frames, QUESTION, config=CONFIG, max_new_tokens=3)
    assert after.answer_ids == before.answer_ids and np.array_equal(
        after.first_token_logprobs, before.first_token_logprobs
    )


@pytest.mark.parametrize(("how", "says"), [({"repeats": 0}, "repeats must be at least 1"), ({"warm": -1}, "warm")])
def test_numbers_are_checked(engine, frames, how, says):
    with pytest.raises(ValueError, match=says):
        engine.time_prefills(frames, QUESTION, configs=[CONFIG], **how)
    with pytest.raises(ValueError, match="empty"):
        engine.time_prefills(frames, " ", configs=[CONFIG])
