"""Prompt-lookup and assisted decoding guess ahead; greedily, guesses must never change an answer."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from aim_core.attach import aim
from aim_core.config import AimConfig
from aim_core.methods.aim import as_method
from aim_core.methods.fastv import fastv
from aim_core.methods.registry import make_method
from aim_core.methods.scorers import AttentionReceived
from tests.helpers.endless import endless
from tests.helpers.prompts import plain_inputs
from training.build import make_model

GREEDY = {"max_new_tokens": 10, "do_sample": False}
CONFIG = AimConfig(0.5, l1=2, l2=9)
METHODS = {
    "AIM": as_method(CONFIG),
    "masked": as_method(replace(CONFIG, mode="masked")),
    "original positions": as_method(replace(CONFIG, positions="original", scores="pagerank_causal")),
    "text too": replace(as_method(CONFIG), drop_text=True),
    "text by its own count": make_method("aim_text", keep_ratio=0.5, l1=2, l2=9, text_floor=0.2),
    "FastV": fastv(2, 0.3),
    "question's words": make_method("sparsevlm", keep_ratio=0.3),
    "last token": fastv(2, 0.3, "last"),
    "received": replace(as_method(CONFIG), scorer=AttentionReceived()),
}
RUNS = [
    pytest.param(method, id=name, marks=[] if name == "AIM" else pytest.mark.slow) for name, method in METHODS.items()
]


@pytest.fixture(scope="module")
def model(engine):
    with endless(engine.adapter.model) as model:
        yield model


@pytest.fixture(scope="module")
def assistant():
    """Another random model, which guesses wrong."""
    model = make_model(1, 128, 8, wide=False).double().eval()
    model.generation_config.assistant_confidence_threshold = 0.0  # always guess as many as it may
    return model


def asked(engine, frames):
    """A prompt that ends with words that it has had before: the first forward has guesses already."""
    inputs = plain_inputs(engine, frames)
    words = engine.adapter.processor.tokenizer("where is the", return_tensors="pt")
    longer = {name: torch.cat([inputs[name], words[name]], dim=1) for name in ("input_ids", "attention_mask")}
    return dict(inputs) | longer


def answered(model, inputs, method, **how):
    with torch.inference_mode(), aim(model, method) as recorder:
        ids = model.generate(**inputs, **GREEDY, **how)
    return ids, recorder.record


@pytest.mark.parametrize("method", RUNS)
def test_prompt_lookup_answers_as_greedy(engine, model, frames, method):
    inputs = asked(engine, frames[:2])
    expected, record = answered(model, inputs, method)
    heard = []
    hook = model.register_forward_pre_hook(
        lambda _m, _a, kwargs: heard.append(kwargs["logits_to_keep"]), with_kwargs=True
    )
    try:
        ids, found = answered(model, inputs, method, prompt_lookup_num_tokens=3, max_matching_ngram_size=1)
    finally:
        hook.remove()
    assert torch.equal(ids, expected) and heard[0] == 4
    assert all(torch.equal(a, b) for a, b in zip(found.kept, record.kept, strict=True))


@pytest.mark.parametrize("method", [RUNS[0], RUNS[1], RUNS[3]])  # rows that go, that stay hidden, and text that goes
def test_an_assistant_leaves_the_answer_as_it_is(engine, model, frames, assistant, method):
    inputs = asked(engine, frames)
    expected, record = answered(model, inputs, method)
    ids, found = answered(model, inputs, method, assistant_model=assistant)
    assert torch.equal(ids, expected)
    assert all(torch.equal(a, b) for a, b in zip(found.kept, record.kept, strict=True))


def test_a_cache_filled_with_guesses_goes_on_as_one_without(engine, model, frames):
    inputs = asked(engine, frames)
    more = engine.adapter.processor.tokenizer("is there a red circle ?", return_tensors="pt")["input_ids"]
    answers = []
    for how in ({}, {"prompt_lookup_num_tokens": 3, "max_matching_ngram_size": 1}):
        with torch.inference_mode(), aim(model, CONFIG):
            first = model.generate(**inputs, **GREEDY, **how, return_dict_in_generate=True)
            ids = torch.cat([first.sequences, more], dim=1)
            answers.append(model.generate(input_ids=ids, past_key_values=first.past_key_values, **GREEDY))
    assert torch.equal(*answers)
