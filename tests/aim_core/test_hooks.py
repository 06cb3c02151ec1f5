"""The model as it was: nothing stays on it after the block, after an exception, or where nothing is dropped."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace

import pytest
import torch
from transformers import StaticCache

from aim_core.attach import aim
from aim_core.config import AimConfig
from aim_core.forward import hooks, reported_attention
from aim_core.methods.aim import as_method
from tests.helpers.on_model import everything_on
from tests.helpers.prompts import plain_inputs

CONFIG = AimConfig(0.5, l1=2, l2=8)


class StoppedError(Exception):
    """Raised on purpose."""


@dataclass(frozen=True)
class Broken:
    """A rank that fails."""

    def __call__(self, query, key, scale):
        raise StoppedError

    def layers(self, plan):
        return frozenset(range(len(plan)))


@dataclass(frozen=True)
class Given:
    """A plan that is written down."""

    counts: tuple[int, ...]

    def tokens_entering(self, num_visual, num_layers):
        return list(self.counts)


@dataclass(frozen=True)
class Traced:
    """A scorer that writes down which functions are between the hook on attention and itself."""

    between: set[tuple[str, ...]] = field(default_factory=set, hash=False)

    def __call__(self, query, key, scale):
        names, frame = [], sys._getframe(1)
        while frame.f_code.co_name != "_reporting_attention":
            names.append(frame.f_code.co_name)
            frame = frame.f_back
        self.between.add(tuple(reversed(names)))
        return torch.zeros(1, query.shape[2])

    def layers(self, plan):
        return frozenset(range(len(plan)))


@pytest.fixture
def model(engine, frames):
    """A model that has run once: stock transformers puts hooks of its own on a model at its first forward."""
    with torch.inference_mode():
        engine.adapter.model(**plain_inputs(engine, frames), logits_to_keep=1)
    return engine.adapter.model


def test_nothing_stays_on_the_model(engine, model, frames):
    before = everything_on(model)
    with torch.inference_mode(), aim(model, CONFIG):
        model.generate(**plain_inputs(engine, frames), max_new_tokens=2, do_sample=False)
        assert everything_on(model) != before
    assert everything_on(model) == before and not len(reported_attention._reports) and not len(hooks._busy)


def test_nothing_stays_on_the_model_after_an_exception(engine, model, frames):
    before = everything_on(model)
    method = replace(as_method(CONFIG), scorer=Broken())
    with pytest.raises(StoppedError), torch.inference_mode(), aim(model, method):
        model(**plain_inputs(engine, frames))
    assert everything_on(model) == before and not len(reported_attention._reports) and not len(hooks._busy)


def test_query_and_key_reach_the_scorer_through_the_pass_alone(engine, model, frames):
    scorer = Traced()
    with torch.inference_mode(), aim(model, replace(as_method(CONFIG), scorer=scorer)):
        model(**plain_inputs(engine, frames))
    assert scorer.between == {("report", "on_attention", "_score")}


def test_a_model_has_one_method_at_a_time(model):
    before = everything_on(model)
    with aim(model, CONFIG), pytest.raises(ValueError, match="already"), aim(model, CONFIG):
        pass
    assert everything_on(model) == before


@pytest.mark.parametrize(
    ("counts", "rule"), [([65] * 3, "each of"), ([64] * 12, "enter layer 0"), ([65, 4] + [5] * 10, "rises")]
)
def test_a_plan_that_does_not_fit_is_refused(engine, model, frames, counts, rule):
    method = replace(as_method(AimConfig(0.25)), schedule=Given(tuple(counts)))
    with pytest.raises(ValueError, match=rule), torch.inference_mode(), aim(model, method):
        model(**plain_inputs(engine, frames))


def test_other_attention_is_refused(model):
    decoder = model.model.language_model
    decoder.set_attn_implementation("eager")
    try:
        with pytest.raises(ValueError, match=r"sdpa.*eager"), aim(model, CONFIG):
            pass
    finally:
        decoder.set_attn_implementation("sdpa")


def test_labels_and_other_caches_are_refused(engine, model, frames):
    inputs = plain_inputs(engine, frames)
    with torch.inference_mode(), aim(model, CONFIG):
        with pytest.raises(ValueError, match="labels"):
            model(**inputs, labels=inputs["input_ids"])
        with pytest.raises(ValueError, match="DynamicCache"):
            model(**inputs, past_key_values=StaticCache(config=model.config, max_cache_len=512))
        with pytest.raises(ValueError, match="DynamicCache"):
            model.generate(**inputs, max_new_tokens=2, cache_implementation="static")
        with pytest.raises(ValueError, match="logits_to_keep as a number"):
            model(**inputs, logits_to_keep=torch.tensor([200]))
        with pytest.raises(ValueError, match="leave out use_cache=False"):
            model.generate(**inputs, max_new_tokens=2, use_cache=False)
        with pytest.raises(ValueError, match="all of it at once"):
            model.generate(**inputs, max_new_tokens=2, prefill_chunk_size=64)


def test_a_prompt_that_failed_is_forgotten(engine, model, frames):
    """Its video waits for no decoder any more."""
    inputs = plain_inputs(engine, frames)
    bad = inputs | {"input_ids": inputs["input_ids"].clone()}
    bad["input_ids"][0, 0] = model.config.video_token_id  # one place too many: transformers says so
    with torch.inference_mode(), aim(model, CONFIG):
        expected = model(**inputs, logits_to_keep=1).logits
        for call in (model, model.generate):
            with pytest.raises(ValueError, match="do not match"):
                call(**bad)
            assert torch.equal(model(**inputs, logits_to_keep=1).logits, expected)
