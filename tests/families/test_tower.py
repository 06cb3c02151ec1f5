"""Attention of the vision tower, as a merger gets it, against the stock tower's, pooled by hand in every family."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
import torch
from torch import Tensor

from aim_core.adapters.registry import adapter_for
from aim_core.adapters.tower import Tower
from aim_core.attach import aim
from aim_core.forward.hooks import patched
from aim_core.forward.session import EncodedPrompt, Session
from aim_core.methods.before_decoder import before_decoder
from aim_core.methods.fastv import NoMerge
from aim_core.ops.reduced import keep_patches
from aim_core.ops.tower_attention import TowerAttention, attention_received
from tests.families.asking import asked, schedule
from tests.families.reference import encoded
from tests.families.table import ASKED, ASKED_ONCE
from tests.families.tower_reference import tower_of, tower_views


@dataclass(frozen=True)
class Listening:
    """Keeps every second patch, and what it was called with."""

    heard: list[TowerAttention] = field(default_factory=list)
    needs_tower: bool = True

    def __call__(self, tokens: Tensor, metric: Tensor | None = None, tower: TowerAttention | None = None):
        assert tower is not None and tower.received.shape == tower.keys.shape[:2] == tokens.shape[:2]
        self.heard.append(tower)
        kept = torch.zeros(tokens.shape[:2], dtype=torch.bool)
        kept[:, ::2] = True
        return keep_patches(tokens, kept)

    def reduces(self) -> bool:
        return True


@pytest.mark.parametrize(("name", "medium"), ASKED)
def test_a_merger_gets_what_the_tower_says_of_each_visual_token(family_model, name, medium):
    model, inputs = asked(family_model, name, medium)
    expected = tower_views(model, name, medium, inputs)
    merger = Listening()
    with torch.inference_mode(), aim(model, before_decoder("listening", merger)):
        model(**inputs)
    received = [own for tower in merger.heard for own in tower.received]
    keys = [own for tower in merger.heard for own in tower.keys]
    assert len(received) == len(keys) == len(expected)
    for found, key, own in zip(received, keys, expected, strict=True):
        assert own[:, 0].std() > 0.05 * own[:, 0].mean()  # uneven enough to tell places apart
        np.testing.assert_allclose(found, own[:, 0], atol=1e-6)
        np.testing.assert_allclose(key, own[:, 1:], atol=1e-5)


@pytest.mark.parametrize(("name", "medium"), ASKED_ONCE)
def test_nothing_is_computed_for_a_method_that_does_not_ask(family_model, name, medium, monkeypatch):
    model, inputs = asked(family_model, name, medium)
    monkeypatch.setattr(Tower, "read", None)
    tower, layers = tower_of(model)
    seen = []
    hook = layers[-1].register_forward_pre_hook(lambda *_: seen.append(tower.config._attn_implementation))
    with hook, torch.inference_mode(), aim(model, schedule(name, 0.5)):
        model(**inputs)
    assert set(seen) == {"sdpa"}


@pytest.mark.parametrize(("name", "medium"), ASKED_ONCE)
def test_the_tower_says_the_same_and_is_given_back(family_model, name, medium):
    model, inputs = asked(family_model, name, medium, torch.float32)
    with torch.inference_mode():
        plain = encoded(model, inputs).pooler_output
        with aim(model, before_decoder("listening", Listening())):
            while_heard = encoded(model, inputs).pooler_output
    assert all(map(torch.equal, plain, while_heard))
    assert tower_of(model)[0].config._attn_implementation == "sdpa"


def test_a_tower_with_other_attention_or_other_layers_is_refused(family_model):
    model, inputs = asked(family_model, "llava", "image")
    method, tower = before_decoder("listening", Listening()), tower_of(model)[0]
    tower.set_attn_implementation("eager")
    try:
        with pytest.raises(ValueError, match="must be sdpa, got eager"), aim(model, method):
            pass
    finally:
        tower.set_attn_implementation("sdpa")
    with aim(model, method), pytest.raises(ValueError, match="leave out vision_feature_layer"):
        model.get_image_features(inputs["pixel_values"], vision_feature_layer=-1)
    model.config.vision_feature_layer = [-2, -1]
    try:
        with pytest.raises(ValueError, match=r"one layer of the vision tower, got vision_feature_layer \[-2, -1\]"):
            adapter_for(model).tower()
    finally:
        model.config.vision_feature_layer = -2


@pytest.mark.parametrize("kind", [None, "bool", "added"])
def test_attention_received_is_the_column_mean_of_softmax_in_blocks(kind):
    draw = np.random.default_rng(0)
    query, key = draw.normal(size=(2, 3, 300, 4)), draw.normal(size=(2, 3, 300, 4))  # blocks of 256 rows
    allowed = draw.random((2, 1, 1, 300)) < 0.7
    mask = {None: None, "bool": torch.from_numpy(allowed), "added": torch.from_numpy(np.where(allowed, 0.0, -np.inf))}
    expected = np.zeros((2, 300))
    for picture in range(2):
        for head in range(3):
            for row in range(300):
                powers = np.exp(key[picture, head] @ query[picture, head, row] * 0.7)
                powers = powers if kind is None else powers * allowed[picture, 0, 0]
                expected[picture] += powers / powers.sum() / 900
    found = attention_received(torch.from_numpy(query), torch.from_numpy(key), 0.7, mask[kind])
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_a_model_that_does_not_pool_as_expected_is_refused(family_model, monkeypatch):
    model, _ = asked(family_model, "llava_onevision", "video")
    monkeypatch.delattr(type(model.model), "apply_pooling")
    with pytest.raises(ValueError, match=r"missing LlavaOnevisionModel\.apply_pooling"):
        aim(model, before_decoder("listening", Listening())).__enter__()
    with aim(model):
        pass


def test_a_prompt_whose_tower_was_not_heard_is_refused(family_model):
    model, inputs = asked(family_model, "qwen2_vl", "video")
    adapter, method = adapter_for(model), before_decoder("listening", Listening())
    plain, asking = Session(adapter, before_decoder("all", NoMerge())), Session(adapter, method)
    with torch.inference_mode(), patched(adapter, plain):
        features, calls = adapter.encode(dict(inputs)), plain.take_calls()
    rest = {name: value for name, value in inputs.items() if not name.startswith("pixel_")}
    with torch.inference_mode(), patched(adapter, asking):
        asking.use_prompt(EncodedPrompt(rest, features, calls))
        with pytest.raises(ValueError, match="needs the vision tower's attention"):
            model(**rest, mm_encoder_outputs=features)
