"""Dialect: whatever a release calls the cache, the core hears one name, and a forward is given one name."""

from __future__ import annotations

import warnings
from functools import wraps

import pytest
import torch
from torch import nn
from transformers import DynamicCache
from transformers.modeling_outputs import BaseModelOutputWithPast

from aim_core.attach import aim
from aim_core.config import AimConfig
from aim_core.forward.dialect import Dialect, cache_of, call
from tests.helpers.prompts import QUESTION, plain_inputs


class Old(nn.Module):
    def forward(self, hidden_states, attention_mask=None, past_key_values=None, **kwargs):
        return past_key_values


class New(nn.Module):
    def forward(self, hidden_states, attention_mask=None, cache=None, **kwargs):
        return cache


def wrapped() -> nn.Module:
    """A new module with a wrapper put on it alone, as accelerate does."""
    module = New()
    stock = module.forward

    @wraps(stock)
    def forward(*args, **kwargs):
        return stock(*args, **kwargs)

    module.forward = forward
    return module


@pytest.mark.parametrize(("make", "own"), [(Old, "past_key_values"), (New, "cache"), (wrapped, "cache")])
@pytest.mark.parametrize("given", ["past_key_values", "cache"])
def test_a_cache_goes_in_and_out_under_one_name(make, own, given):
    module = make()
    dialect = Dialect(module)
    given_all = dialect.to_core(("rows", "mask"), {given: "theirs", "use_cache": True})
    assert given_all == {
        "hidden_states": "rows",
        "attention_mask": "mask",
        "past_key_values": "theirs",
        "use_cache": True,
    }
    assert dialect.to_model(given_all | {"past_key_values": "ours"})[own] == "ours"
    assert len({"cache", "past_key_values"} & set(dialect.to_model(given_all))) == 1
    assert call(module, hidden_states="rows", past_key_values="ours") == "ours"


def test_of_two_names_the_newer_counts_as_in_transformers():
    assert Dialect(New()).to_core((), {"past_key_values": 1, "cache": 2}) == {"past_key_values": 2}


def test_the_cache_is_found_in_what_a_model_returns():
    cache = DynamicCache()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert cache_of(BaseModelOutputWithPast(past_key_values=cache)) is cache
    assert cache_of(BaseModelOutputWithPast(last_hidden_state=torch.zeros(1))) is None


def test_no_name_is_used_that_the_release_calls_old(engine, frames):
    """Transformers warns of an old name; here a warning is an error."""
    model = engine.adapter.model
    with warnings.catch_warnings():
        warnings.simplefilter("error", FutureWarning)
        with torch.inference_mode(), aim(model, AimConfig(0.25, 2, 9)):
            model.generate(**plain_inputs(engine, frames), max_new_tokens=3, do_sample=False)
        engine.run(frames, QUESTION, config=AimConfig(0.25, 2, 9), max_new_tokens=3)
