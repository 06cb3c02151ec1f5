"""The cost of a prefill in every family, against what torch counts while it runs and what the cache then holds."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch

from aim_core import aim
from aim_core.config import AimConfig
from aim_core.engine import Engine
from aim_core.methods.aim import MergeSimilar, as_method
from aim_core.methods.base import MODES, Method
from aim_core.methods.scorers import RandomScorer
from aim_core.ops.flops import kv_bytes
from tests.families.family import QUESTION, samples
from tests.families.table import FAMILIES
from tests.helpers.counting import counted
from tests.helpers.slow import slow

ASKED = [(name, "video" if "video" in family.media else "image") for name, family in FAMILIES.items()]


@pytest.fixture(scope="module")
def engines(family_folder):
    """name → an engine, made once."""
    return cache(lambda name: Engine.from_pretrained(family_folder(name), device="cpu", dtype=torch.float32))


def method_for(engine: Engine, mode: str) -> Method:
    """AIM's plan, half of the tokens merged, ranked by chance: without operations of its own inside the layers."""
    default = as_method(engine.adapter.default_config())
    return replace(default, merger=MergeSimilar(0.5), scorer=RandomScorer(), mode=mode)


def in_the_layers(engine: Engine, counts: dict[str, int]) -> int:
    """Operations of all decoder layers together."""
    model, decoder = engine.adapter.model, engine.adapter.decoder
    path = next(name for name, module in model.named_modules() if module is decoder)
    return sum(counts[f"{type(model).__name__}.{path}.layers.{layer}"] for layer in range(engine.num_layers))


@pytest.mark.parametrize("mode", [*MODES, None])
@pytest.mark.parametrize(("name", "medium"), ASKED)
def test_language_flops_are_those_that_torch_counts(engines, name, medium, mode):
    """None: dense."""
    engine = engines(name)
    method = method_for(engine, mode) if mode else as_method(engine.adapter.default_config().dense())
    asked = samples(FAMILIES[name], medium), QUESTION
    result, counts = counted(lambda: engine.run(*asked, config=method, max_new_tokens=1))
    assert result.cost.language_flops == in_the_layers(engine, counts)
    assert (len(set(result.cost.tokens_per_layer)) > 1) == (mode == "dropped")
    assert (len(set(result.trace.retained)) > 1) == (mode is not None)  # what is visible is told as before


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("name", "medium"), ASKED)
def test_kv_bytes_are_those_of_the_cache(engines, name, medium, mode):
    engine = engines(name)
    frames = samples(FAMILIES[name], medium)
    inputs = engine.adapter.inputs(frames, np.arange(len(frames), dtype=np.float32), QUESTION)
    with torch.inference_mode(), aim(engine.adapter.model, method_for(engine, mode)) as recorder:
        cache = engine.adapter.model(**inputs, use_cache=True, logits_to_keep=1).past_key_values
    held = sum(part.nbytes for layer in cache.layers for part in (layer.keys, layer.values))
    number_bytes = engine.adapter.model.dtype.itemsize
    assert kv_bytes(recorder.record.num_rows, engine.adapter.sizes["kv"], number_bytes) == held


def test_the_projector_of_llava_1_5_is_given_merged_tokens(engines):
    engine, frames = Engine(engines("llava").adapter), samples(FAMILIES["llava"], "image")  # nothing remembered
    dense = engine.run(frames, QUESTION, config=engine.adapter.default_config().dense(), max_new_tokens=1).cost
    result, counts = counted(
        lambda: engine.run(frames, QUESTION, config=method_for(engine, "dropped"), max_new_tokens=1)
    )
    linear = sum(count for module, count in counts.items() if module.startswith("LlavaMultiModalProjector.linear_"))
    assert result.cost.vision_flops == counts["CLIPVisionModel"] + linear < dense.vision_flops


def test_merging_before_the_projector_is_in_the_prefill_too(engines):
    fresh = Engine(engines("llava").adapter)
    picture, method = (
        samples(FAMILIES["llava"], "image"),
        replace(slow(seconds=0.2), schedule=AimConfig.dense().schedule),
    )
    for _ in range(2):  # encoded, and remembered
        timing = fresh.run(picture, QUESTION, config=method, max_new_tokens=1).timing
        assert 200 <= timing.merge_ms < timing.prefill_ms
    (times,) = fresh.time_prefills(picture, QUESTION, configs=[method], repeats=1)
    assert 200 <= times.merge_ms[0] < times.ms[0]
    assert 200 <= times.first_word_ms[0] < times.ms[0] + 200  # the merging in the tower's pass counts once
