"""Contract, witness and canary: a library that changed under us is noticed before it answers."""

from __future__ import annotations

from functools import wraps
from inspect import signature
from threading import Thread

import pytest
import torch
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from aim_core.adapters.registry import adapter_for
from aim_core.attach import aim
from aim_core.config import AimConfig
from aim_core.forward import canary
from aim_core.forward.cache import PrunedCacheLayer
from aim_core.forward.contract import OVERRIDDEN
from aim_core.forward.dialect import ALIASES, alias_in, parameters
from aim_core.forward.hooks import followed
from tests.families.family import ask, samples
from tests.families.table import FAMILIES

SOME = ["llava_onevision", "qwen3_vl", "llava"]
CACHE = ALIASES["past_key_values"]


@pytest.fixture(autouse=True)
def unsung(monkeypatch):
    """No canary has sung yet."""
    monkeypatch.setattr(canary, "_passed", set())


def prefill(family_model, name: str):
    """A forward over a picture inside aim()."""
    model, processor = family_model(name)
    inputs = ask(processor, "image", samples(FAMILIES[name], "image"))
    with torch.inference_mode(), aim(model, AimConfig(0.5, l1=3, l2=5)):
        return model(**inputs, use_cache=True)


def instead(monkeypatch, kind: type, change) -> None:
    """Let `change` alter the keyword arguments of a class's forward; its parameters look as before."""
    stock = kind.forward

    @wraps(stock)
    def forward(self, *args, **kwargs):
        names = list(signature(stock).parameters)[1:]
        return stock(self, **change(dict(zip(names, args, strict=False)) | kwargs))

    monkeypatch.setattr(kind, "forward", forward)


def rename(monkeypatch, kind: type, name: str) -> None:
    """A forward with another word for `name`, to which the old word means nothing."""
    stock = kind.forward

    def forward(self, *args, **kwargs):
        kwargs.pop(name, None)
        return stock(self, *args, **{name if key == "renamed" else key: value for key, value in kwargs.items()})

    whole = signature(stock)
    anew = [own.replace(name="renamed") if own.name == name else own for own in whole.parameters.values()]
    forward.__signature__ = whole.replace(parameters=anew)
    monkeypatch.setattr(kind, "forward", forward)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_sound_library_passes_and_nobodys_random_numbers_are_used(family_model, name):
    adapter = adapter_for(family_model(name)[0])
    before = torch.get_rng_state()
    assert canary.difference(adapter, followed) < 1e-5
    assert torch.equal(before, torch.get_rng_state())


# Contract


@pytest.mark.parametrize("name", SOME)
@pytest.mark.parametrize(
    ("part", "word"),
    [("inner", "input_ids"), ("decoder", "position_ids"), ("layer", "attention_mask"), ("layer", "past_key_values")],
)
def test_a_renamed_argument_is_refused_by_name(monkeypatch, family_model, name, part, word):
    adapter = adapter_for(family_model(name)[0])
    module = {"inner": adapter.inner, "decoder": adapter.decoder, "layer": adapter.decoder.layers[0]}[part]
    rename(monkeypatch, type(module), alias_in(word, parameters(module)))
    with pytest.raises(ValueError, match=rf"transformers 5\..*missing {word} of {type(module).__name__}.forward"):
        prefill(family_model, name)


def test_a_changed_cache_layer_is_refused(monkeypatch, family_model):
    monkeypatch.setattr(DynamicLayer, "crop", lambda self, max_length: None)
    with pytest.raises(ValueError, match=r"DynamicLayer.crop\(tokens_to_remove\)"):
        prefill(family_model, "llava")


def test_every_method_of_ours_that_stock_has_is_in_the_contract():
    ours = {name for name in vars(PrunedCacheLayer) if not name.startswith("_") and hasattr(DynamicLayer, name)}
    assert ours <= set(OVERRIDDEN)


def test_missing_features_and_rope_deltas_are_refused(monkeypatch, family_model):
    model, _ = family_model("qwen3_vl")
    monkeypatch.delattr(type(model.model), "get_video_features")
    with pytest.raises(ValueError, match="get_video_features"), aim(model):
        pass


# Witness


@pytest.mark.parametrize("name", SOME)
def test_a_cache_that_is_ignored_is_seen_by_the_witness(monkeypatch, family_model, name):
    monkeypatch.setenv("AIM_CANARY", "0")
    decoder = type(adapter_for(family_model(name)[0]).decoder)
    instead(monkeypatch, decoder, lambda kwargs: kwargs | {key: None for key in CACHE if key in kwargs})
    with pytest.raises(ValueError, match="did not use the cache"):
        prefill(family_model, name)


@pytest.mark.parametrize("name", SOME)
def test_a_layer_that_stores_elsewhere_is_seen_by_the_witness(monkeypatch, family_model, name):
    monkeypatch.setenv("AIM_CANARY", "0")
    layer = type(adapter_for(family_model(name)[0]).decoder.layers[0])
    instead(monkeypatch, layer, lambda kwargs: kwargs | {key: DynamicCache() for key in CACHE if key in kwargs})
    with pytest.raises(ValueError, match="layer 0 held 0 rows"):
        prefill(family_model, name)


@pytest.mark.parametrize("name", SOME)
def test_rows_that_attention_does_not_see_are_seen_by_the_witness(monkeypatch, family_model, name):
    monkeypatch.setenv("AIM_CANARY", "0")
    attention = type(adapter_for(family_model(name)[0]).decoder.layers[0].self_attn)
    stock = attention.forward

    def forward(self, *args, **kwargs):
        rows, cos_sin = kwargs["hidden_states"], kwargs["position_embeddings"]
        shorter = {"hidden_states": rows[:, 1:], "position_embeddings": tuple(part[:, 1:] for part in cos_sin)}
        out, weights = stock(self, **(kwargs | shorter))
        return torch.nn.functional.pad(out, (0, 0, 1, 0)), weights

    monkeypatch.setattr(attention, "forward", wraps(stock)(forward))
    with pytest.raises(ValueError, match="its attention saw"):
        prefill(family_model, name)


@pytest.mark.parametrize("name", SOME)
def test_another_cache_for_the_caller_is_seen_by_the_witness(monkeypatch, family_model, name):
    model, _ = family_model(name)
    stock = type(model.model).forward

    def forward(self, *args, **kwargs):
        out = stock(self, *args, **kwargs)
        out[next(key for key in CACHE if key in out)] = DynamicCache()
        return out

    monkeypatch.setattr(type(model.model), "forward", wraps(stock)(forward))
    with pytest.raises(ValueError, match="the caller would not get the cache"):
        prefill(family_model, name)


# Canary


def scale_as(value: float | None):
    """Attention called with another scale; None: with none."""

    def change(stock):
        def attention(*args, **kwargs):
            del kwargs["scaling"]
            return stock(*args, **(kwargs if value is None else kwargs | {"scaling": value}))

        return attention

    return change


@pytest.mark.parametrize("name", SOME)
@pytest.mark.parametrize("value", [None, 1.0])
def test_another_scale_is_heard_by_the_canary(monkeypatch, family_model, name, value):
    kind, change = type(ALL_ATTENTION_FUNCTIONS), scale_as(value)
    stock = kind.get_interface
    monkeypatch.setattr(kind, "get_interface", lambda self, *args: change(stock(self, *args)))
    with pytest.raises(ValueError, match=r"cannot be pruned.*scal"):
        prefill(family_model, name)


@pytest.mark.parametrize("name", SOME)
@pytest.mark.parametrize(
    "wrong", [{"is_causal": False}, {"attention_mask": None, "is_causal": True}, {"scaling": 1.0}], ids=str
)
def test_wrong_attention_is_heard_by_the_canary(monkeypatch, family_model, name, wrong):
    """Not causal, masks not heeded, another scale: in the attention of the library itself."""
    stock = ALL_ATTENTION_FUNCTIONS["sdpa"]

    def attention(module, query, key, value, attention_mask, **kwargs):
        given = {"attention_mask": attention_mask} | kwargs | wrong
        return stock(module, query, key, value, **given)

    monkeypatch.setitem(ALL_ATTENTION_FUNCTIONS, "sdpa", attention)
    with pytest.raises(ValueError, match="does not run as this version expects"):
        prefill(family_model, name)


@pytest.mark.parametrize("name", SOME)
def test_positions_that_are_not_heeded_are_heard_by_the_canary(monkeypatch, family_model, name):
    decoder = type(adapter_for(family_model(name)[0]).decoder)
    instead(monkeypatch, decoder, lambda kwargs: kwargs | {"position_ids": None})
    with pytest.raises(ValueError, match="does not run as this version expects"):
        prefill(family_model, name)


def test_it_sings_once_for_a_class_also_for_many_threads(monkeypatch, family_model):
    songs, stock = [], canary.difference
    monkeypatch.setattr(canary, "difference", lambda *args: songs.append(args) or stock(*args))
    adapter = adapter_for(family_model("llava")[0])
    threads = [Thread(target=canary.check_canary, args=(adapter, followed)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(songs) == 1


def test_it_can_be_turned_off(monkeypatch, family_model):
    monkeypatch.setenv("AIM_CANARY", "0")
    monkeypatch.setattr(canary, "difference", lambda *_: 1.0)
    prefill(family_model, "llava")
    monkeypatch.delenv("AIM_CANARY")
    with pytest.raises(ValueError, match="does not run"):
        prefill(family_model, "llava")
