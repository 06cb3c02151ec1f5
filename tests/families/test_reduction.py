"""Every family under `aim` and in the engine: dropped equals masked, and nothing reduced is the plain model."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from aim_core.adapters.registry import FAMILIES as ADAPTERS
from aim_core.adapters.registry import adapter_for
from aim_core.attach import aim
from aim_core.config import AimConfig
from aim_core.engine import Engine
from tests.families.asking import STEPS, asked, said, schedule
from tests.families.family import QUESTION, samples
from tests.families.reference import masked_logits, merged_prompt
from tests.families.table import ASKED, ASKED_ONCE, ASKED_OR_SLOW, FAMILIES


def test_every_family_of_the_core_has_a_small_checkpoint():
    assert set(FAMILIES) == set(ADAPTERS)


def with_daily(usual, other) -> list:
    """Every medium with the usual value, and one of each family with the other; daily work needs one of each."""
    daily = [(*pair, usual) for pair in ASKED_ONCE]
    more = [*((*pair, usual) for pair in ASKED if pair not in ASKED_ONCE), *((*pair, other) for pair in ASKED_ONCE)]
    return [*daily, *(pytest.param(*case, marks=pytest.mark.slow) for case in more)]


@pytest.mark.parametrize(("name", "medium", "keep_ratio"), with_daily(0.4, 1.0))
def test_dropped_equals_masked_for_prefill_and_eight_decoded_tokens(family_model, name, medium, keep_ratio):
    model, inputs = asked(family_model, name, medium)
    with aim(model, schedule(name, keep_ratio)) as recorder:
        tokens, logits = said(model, inputs)
    kept = recorder.record.kept
    assert len(kept[0]) > len(kept[3]) > len(kept[-1]) == 0
    prompt = merged_prompt(model, inputs, FAMILIES[name].views[medium], keep_ratio)
    assert len(kept[0]) == len(prompt.visual)
    for token, ours in zip(tokens, logits, strict=True):
        reference = masked_logits(model, prompt, kept)
        torch.testing.assert_close(ours.double(), reference, atol=1e-5, rtol=0)
        assert token == int(reference.argmax())
        prompt = prompt.longer(model.get_input_embeddings()(torch.tensor([[token]])))


@pytest.mark.parametrize(("name", "medium", "dtype"), with_daily(torch.float32, torch.bfloat16))
def test_nothing_reduced_is_the_plain_model_bit_for_bit(family_model, name, medium, dtype):
    model, inputs = asked(family_model, name, medium, dtype)
    plain_tokens, plain_logits = said(model, inputs)
    with aim(model, AimConfig.dense()):
        tokens, logits = said(model, inputs)
    assert tokens == plain_tokens
    assert all(map(torch.equal, logits, plain_logits))


@pytest.mark.parametrize(("name", "medium"), ASKED_OR_SLOW)
def test_a_plain_forward_is_reduced_as_generate_is(family_model, name, medium):
    model, inputs = asked(family_model, name, medium)
    config = schedule(name, 0.5)
    with aim(model, config):
        _, logits = said(model, inputs)
    with torch.inference_mode(), aim(model, config):
        ours = model(**inputs, logits_to_keep=1).logits[0, -1]
    torch.testing.assert_close(ours.double(), logits[0].double(), atol=1e-6, rtol=0)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "medium"), [pair for pair in ASKED if pair[1] != "images"])
def test_the_engine_answers_as_generate_does(family_folder, family_model, name, medium):
    engine = Engine.from_pretrained(family_folder(name), device="cpu", dtype=torch.float64)
    engine.adapter.model.generation_config.eos_token_id = -1  # so that every answer has its full length
    frames = samples(FAMILIES[name], medium)
    config = schedule(name, 0.5)
    result = engine.run(frames, QUESTION, config=config, max_new_tokens=STEPS)
    model, _ = family_model(name, torch.float64)
    inputs = engine.adapter.inputs(frames, np.arange(len(frames), dtype=np.float32), QUESTION)
    with aim(model, config) as recorder:
        tokens, _ = said(model, inputs)
    assert list(result.answer_ids) == tokens and len(tokens) == STEPS
    assert result.trace.retained.tolist() == [len(kept) for kept in recorder.record.kept]
    assert result.cost.vision_flops > 0 < result.cost.language_flops
    assert all(view.box is not None for view in result.trace.views)
    again = engine.run(frames, QUESTION, config=config, max_new_tokens=STEPS)  # from remembered features
    assert again.answer_ids == result.answer_ids


@pytest.mark.parametrize("name", FAMILIES)
def test_the_default_schedule_fits_the_model(family_model, name):
    model, _ = family_model(name, torch.float64)
    config = adapter_for(model).default_config()
    assert 0 < config.l1 < config.l2 <= FAMILIES[name].layers


def test_llava_1_5_has_the_papers_schedule_of_its_own(family_model):
    adapter = adapter_for(family_model("llava")[0])
    config = type("Deep", (type(adapter),), {"num_layers": 32})(adapter.model).default_config()
    assert (config.keep_ratio, config.l1, config.l2) == (0.4375, 13, 21)


def test_llava_1_5_refuses_a_video_with_a_sentence(family_folder):
    engine = Engine.from_pretrained(family_folder("llava"), device="cpu")
    with pytest.raises(ValueError, match="one picture"):
        engine.run(np.zeros((3, 64, 96, 3), dtype=np.uint8), QUESTION, config=AimConfig(0.5, 2, 5))


def test_qwen3_vl_refuses_to_drop_before_deepstack_is_done(family_model):
    model, inputs = asked(family_model, "qwen3_vl", "video")
    with pytest.raises(ValueError, match="before layer 3"), aim(model, AimConfig(1.0, 1, 5)):
        model(**inputs)
