"""Stopping: a run ends before the next layer, and model, memory and engine are as after any other run."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from aim_core.config import AimConfig
from aim_core.engine import Engine
from aim_core.errors import Stopped
from aim_core.forward import hooks, reported_attention
from tests.helpers.on_model import everything_on
from tests.helpers.prompts import QUESTION
from tests.helpers.waiting import in_thread

CONFIG = AimConfig(0.25, l1=2, l2=9)


class After:
    """Says stop from the n-th time on that it is asked."""

    def __init__(self, times: float = np.inf):
        self.times, self.asked = times, 0

    def __call__(self) -> bool:
        self.asked += 1
        return self.asked > self.times


@pytest.fixture(scope="module")
def asked(engine, frames):
    """How often a whole run of four tokens asks, features remembered, and its result."""
    engine.run(frames, QUESTION, config=CONFIG, max_new_tokens=4)
    counter = After()
    result = engine.run(frames, QUESTION, config=CONFIG, max_new_tokens=4, stop=counter)
    return counter.asked, result


def test_it_is_asked_before_every_layer_of_prefill_and_decoding(engine, asked):
    assert asked[0] >= len(asked[1].answer_ids) * engine.num_layers


@pytest.mark.parametrize("times", [0, 5, 12, 17, 30])
def test_a_stopped_run_leaves_everything_usable(engine, frames, asked, times):
    """In the prefill (the first 12 layers) and while decoding."""
    model, before = engine.adapter.model, everything_on(engine.adapter.model)
    stop = After(times)
    with pytest.raises(Stopped):
        engine.run(frames, QUESTION, config=CONFIG, max_new_tokens=4, stop=stop)
    assert stop.asked == times + 1  # at once
    assert everything_on(model) == before and not len(hooks._busy) and not len(reported_attention._reports)
    again = engine.run(frames, QUESTION, config=CONFIG, max_new_tokens=4)
    assert again.answer_ids == asked[1].answer_ids and np.array_equal(
        again.first_token_logprobs, asked[1].first_token_logprobs
    )


def test_every_layer_is_told_before_it_runs_in_the_prefill_and_for_each_token(engine, frames, asked):
    before, layers = everything_on(engine.adapter.model), []
    result = engine.run(frames, QUESTION, config=CONFIG, max_new_tokens=4, on_layer=layers.append)
    assert layers == [*range(engine.num_layers)] * len(result.answer_ids)
    assert result.answer_ids == asked[1].answer_ids and everything_on(engine.adapter.model) == before


def test_the_answer_is_told_as_it_comes(engine, frames, asked):
    texts = []
    result = engine.run(frames, QUESTION, config=CONFIG, max_new_tokens=4, on_text=texts.append)
    decoded = engine.adapter.processor.tokenizer.decode
    parts = [result.answer_ids[:count] for count in range(1, len(result.answer_ids) + 1)]
    assert texts == [decoded(ids, skip_special_tokens=True).strip() for ids in parts]
    assert result.answer_ids == asked[1].answer_ids and texts[-1] == result.answer


def test_half_a_character_is_not_told(engine, frames, monkeypatch):
    halves = iter(["\ufffd", "\u00e9", "\u00e9 \ufffd\ufffd", "\u00e9 \u4e2d", "\u00e9 \u4e2d"])
    monkeypatch.setattr(engine.adapter, "said", lambda ids: next(halves))
    texts = []
    engine.run(frames, QUESTION, config=CONFIG, max_new_tokens=4, on_text=texts.append)
    assert texts == ["", "\u00e9", "\u00e9 ", "\u00e9 \u4e2d"][: len(texts)] and texts


def test_the_vision_tower_can_be_stopped_too(engine, frames):
    fresh = Engine(engine.adapter)
    with pytest.raises(Stopped):
        fresh.run(frames[::-1].copy(), QUESTION, config=CONFIG, max_new_tokens=1, stop=After(1))
    counter = After()
    fresh.run(
        frames[::-1].copy(), QUESTION, config=CONFIG, max_new_tokens=1, stop=counter
    )  # nothing half done was kept
    assert counter.asked > fresh.num_layers + 1


def test_a_run_that_waits_for_its_turn_can_be_stopped(engine, frames):
    inside, go_on = threading.Event(), threading.Event()

    def hold() -> bool:
        inside.set()
        go_on.wait(60)
        return False

    first = in_thread(engine.run, frames, QUESTION, config=CONFIG, stop=hold)
    try:
        assert inside.wait(60)
        with pytest.raises(Stopped):
            engine.run(frames, QUESTION, config=CONFIG, stop=After(2))
    finally:
        go_on.set()
        first.result(timeout=60)
    assert engine.run(frames, QUESTION, config=CONFIG, max_new_tokens=1).answer_ids


def test_never_stopped_is_the_same_run(engine, frames, asked):
    plain = engine.run(frames, QUESTION, config=CONFIG, max_new_tokens=4)
    assert plain.answer_ids == asked[1].answer_ids and np.array_equal(
        plain.first_token_logprobs, asked[1].first_token_logprobs
    )
