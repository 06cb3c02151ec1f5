"""Several threads, and what outlives the block: right, or refused with a sentence."""

from __future__ import annotations

from threading import Event, Thread

import numpy as np
import pytest
import torch
from transformers import TextIteratorStreamer
from transformers.generation import BaseStreamer

from aim_core.attach import aim
from aim_core.config import AimConfig
from aim_core.engine import Engine
from aim_core.forward.dialect import cache_of, call
from tests.helpers.endless import endless
from tests.helpers.prompts import plain_inputs

GREEDY = {"max_new_tokens": 6, "do_sample": False}
LIMIT = 60  # seconds that anything here may wait
CONFIGS = [AimConfig(0.5, 2, 9), AimConfig(1.0, 2, 9), AimConfig(0.5, 2, 9, mode="masked")]


@pytest.fixture(scope="module")
def model(engine):
    with endless(engine.adapter.model) as model:
        yield model


@pytest.fixture(scope="module")
def prompts(engine, frames):
    """Four prompts that differ in length and content."""
    return [plain_inputs(engine, part) for part in (frames, frames[:2], frames[1:], frames[::-1].copy())]


def in_threads(*calls):
    """What each of some calls returned, each in a thread of its own, all begun at once; an error is raised here."""
    found, go = [None] * len(calls), Event()

    def run(index):
        go.wait(LIMIT)
        try:
            found[index] = calls[index]()
        except Exception as error:
            found[index] = error

    threads = [Thread(target=run, args=(index,), daemon=True) for index in range(len(calls))]
    for thread in threads:
        thread.start()
    go.set()
    for thread in threads:
        thread.join(LIMIT)
        assert not thread.is_alive()
    for answer in found:
        if isinstance(answer, Exception):
            raise answer
    return found


@pytest.mark.parametrize("config", CONFIGS, ids=["both", "prune", "masked"])
def test_a_cache_from_a_block_is_refused_outside(model, prompts, config):
    token = torch.tensor([[5]])
    with torch.inference_mode():
        with aim(model, config):
            cache = cache_of(model(**prompts[0], use_cache=True))
        for _ in range(2):
            with pytest.raises(ValueError, match=r"filled inside aim\(\)"):
                call(model, input_ids=token, past_key_values=cache)
        lengths = [layer.num_stored for layer in cache.layers]
        with aim(model, config):
            again = call(model, input_ids=token, past_key_values=cache).logits
            assert [layer.num_stored for layer in cache.layers] == [length + 1 for length in lengths]
            fresh = cache_of(model(**prompts[0], use_cache=True))
            assert torch.equal(again, call(model, input_ids=token, past_key_values=fresh).logits)


def test_a_cache_that_lacks_nothing_goes_anywhere(model, prompts):
    with torch.inference_mode():
        with aim(model, AimConfig.dense()):
            cache = cache_of(model(**prompts[0], use_cache=True))
        plain = cache_of(model(**prompts[0], use_cache=True))
        ours, theirs = (
            call(model, input_ids=torch.tensor([[5]]), past_key_values=own).logits for own in (cache, plain)
        )
    assert torch.equal(ours, theirs)


def test_a_cache_that_was_reset_is_new(model, prompts):
    with torch.inference_mode(), aim(model, CONFIGS[0]):
        cache = cache_of(model(**prompts[0], use_cache=True))
    cache.reset()
    with torch.inference_mode():
        ids = prompts[0]["input_ids"][:, -9:]
        for part in (ids[:, :5], ids[:, 5:]):
            logits = call(model, input_ids=part, past_key_values=cache).logits
        torch.testing.assert_close(logits[0, -1], model(input_ids=ids).logits[0, -1])


@pytest.mark.slow
@pytest.mark.parametrize("config", CONFIGS, ids=["both", "prune", "masked"])
def test_threads_in_one_block_answer_as_one_after_the_other(model, prompts, config):
    with aim(model, config):
        expected = [model.generate(**inputs, **GREEDY) for inputs in prompts]
        for _ in range(3):
            found = in_threads(*(lambda own=inputs: model.generate(**own, **GREEDY) for inputs in prompts))
            assert all(map(torch.equal, found, expected))


@pytest.mark.slow
def test_threads_with_loops_of_their_own_do_not_mix(model, prompts):
    def loop(inputs):
        with torch.inference_mode():
            out = model(**inputs, use_cache=True, logits_to_keep=1)
            ids = [out.logits[:, -1].argmax(-1, keepdim=True)]
            while len(ids) < 6:
                out = call(model, input_ids=ids[-1], past_key_values=cache_of(out), use_cache=True)
                ids.append(out.logits[:, -1].argmax(-1, keepdim=True))
        return torch.cat(ids, dim=1)

    with aim(model, CONFIGS[0]):
        expected = [loop(inputs) for inputs in prompts]
        for _ in range(5):
            found = in_threads(*(lambda own=inputs: loop(own) for inputs in prompts))
            assert all(map(torch.equal, found, expected))


@pytest.mark.slow
def test_two_models_and_two_settings_at_once_answer_as_each_alone(engine, checkpoint, frames):
    other = Engine.from_pretrained(checkpoint, device="cpu", dtype=torch.float64)
    asked = [(own, config) for own in (engine, other) for config in (CONFIGS[0], AimConfig(0.25, 1, 5))]

    def run(own, config):
        return own.run(frames, "where is it?", config=config, max_new_tokens=2)

    expected = [run(*one) for one in asked]
    found = in_threads(*(lambda one=one: run(*one) for one in 2 * asked))
    for got, alone in zip(found, 2 * expected, strict=True):
        assert torch.equal(torch.as_tensor(got.first_token_logprobs), torch.as_tensor(alone.first_token_logprobs))
        layers = zip(got.trace.layers, alone.trace.layers, strict=True)
        assert got.answer == alone.answer and all(np.array_equal(ours.kept, theirs.kept) for ours, theirs in layers)
    assert len(found[0].trace.layers[1].kept) != len(found[1].trace.layers[1].kept)


class Held(BaseStreamer):
    """Says when the first new token has come, and waits to be let go."""

    def __init__(self):
        self.begun, self.go = Event(), Event()

    def put(self, value):
        if value.numel() == 1:  # the prompt comes first
            self.begun.set()
            self.go.wait(LIMIT)

    def end(self):
        """Nothing is left to say."""


def test_leaving_waits_for_a_thread_that_streams(model, prompts):
    """The block ends in the middle of the answer, which comes whole and right all the same."""
    with aim(model, CONFIGS[0]):
        expected = model.generate(**prompts[0], **GREEDY)
    held, found = Held(), []
    with aim(model, CONFIGS[0]):
        thread = Thread(target=lambda: found.append(model.generate(**prompts[0], **GREEDY, streamer=held)), daemon=True)
        thread.start()
        assert held.begun.wait(LIMIT)
        Thread(target=lambda: (thread.join(0.3), held.go.set()), daemon=True).start()  # once the block is being left
    assert len(found) == 1 and torch.equal(found[0], expected)


def test_an_answer_that_begins_after_the_block_is_refused_and_its_reader_let_go(engine, model, prompts):
    streamer = TextIteratorStreamer(engine.adapter.processor.tokenizer, skip_prompt=True, timeout=LIMIT)
    with aim(model, CONFIGS[0]):
        late = model.generate
    with pytest.raises(ValueError, match="join its thread inside the block"):
        late(**prompts[0], **GREEDY, streamer=streamer)
    assert "".join(streamer) == ""


def test_an_answer_that_lost_its_block_in_the_middle_is_refused(model, prompts):
    """`generate` taken before the block, so that leaving does not know of it."""
    generate, held, errors = model.generate, Held(), []

    def run():
        try:
            generate(**prompts[0], **GREEDY, streamer=held)
        except ValueError as error:
            errors.append(str(error))

    with aim(model, CONFIGS[0]):
        thread = Thread(target=run, daemon=True)
        thread.start()
        assert held.begun.wait(LIMIT)
    held.go.set()
    thread.join(LIMIT)
    assert len(errors) == 1 and "filled inside aim()" in errors[0]


@pytest.mark.parametrize("layer", [0, 5])
def test_a_prefill_that_loses_its_block_in_the_middle_is_refused(model, prompts, layer):
    """What a thread sees that is between two layers when another ends the block."""
    block = aim(model, AimConfig(0.5, 8, 9))
    block.__enter__()
    stack = model.model.language_model.layers
    hook = stack[layer].register_forward_hook(lambda *_: block.__exit__(None, None, None) or None)
    try:
        with pytest.raises(ValueError, match=r"filled inside aim\(\)"), torch.inference_mode():
            model(**prompts[0], use_cache=True)
    finally:
        hook.remove()
