"""A batch in which one prompt has a video and another, longer one has text alone: each answers as it does alone."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from aim_core.attach import aim
from aim_core.config import AimConfig
from aim_core.methods.registry import make_method
from tests.helpers.masking import masked_logits
from tests.helpers.prompts import plain_inputs, prefilled, prepared

GREEDY = {"max_new_tokens": 6, "do_sample": False, "eos_token_id": -1}


@pytest.fixture(scope="module")
def mixed(engine, frames):
    """Inputs of both prompts, the shorter one padded on the left, and the ids (1, n) of the text alone."""
    inputs = plain_inputs(engine, frames[:2])
    words = engine.adapter.processor.tokenizer(
        "is there a blue star below the red circle ?", return_tensors="pt"
    ).input_ids
    order = torch.randint(
        words.shape[1], (inputs["input_ids"].shape[1] + 40,), generator=torch.Generator().manual_seed(0)
    )
    text = words[:, order]
    ids, mask = (F.pad(inputs[name], (40, 0)) for name in ("input_ids", "attention_mask"))
    both = {"input_ids": torch.cat([ids, text]), "attention_mask": torch.cat([mask, torch.ones_like(text)])}
    return both | {"pixel_values_videos": inputs["pixel_values_videos"]}, text


@pytest.mark.parametrize("positions", ["sequential", "original"])
@pytest.mark.parametrize("mode", ["dropped", "masked"])
@pytest.mark.parametrize("keep_ratio", [1.0, 0.5])
def test_text_alone_beside_a_video_leaves_both_as_they_are(engine, frames, mixed, keep_ratio, mode, positions):
    model, (both, text) = engine.adapter.model, mixed
    config = AimConfig(keep_ratio, 2, 9, mode=mode, positions=positions)
    with torch.inference_mode(), aim(model, config) as recorder:
        logits = model(**both, logits_to_keep=1).logits[:, -1]
    torch.testing.assert_close(logits[0], prefilled(engine, frames[:2], config)[0], atol=1e-5, rtol=0)
    with torch.inference_mode():
        torch.testing.assert_close(logits[1], model(input_ids=text).logits[0, -1], atol=1e-5, rtol=0)
    record = recorder.records[0]
    assert [len(kept) for kept in record.kept] == config.schedule.tokens_entering(record.planned[0], 12)
    if positions == "sequential" or keep_ratio == 1:
        embeds, start, num_visual = prepared(engine, frames[:2], keep_ratio)
        reference = masked_logits(engine.adapter, embeds, start, record.kept, num_visual)
        torch.testing.assert_close(logits[0], reference, atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", ["sparsevlm", "visionzip", "holitom"])
def test_methods_that_know_question_or_tower_do_in_a_batch_what_they_do_alone(engine, frames, mixed, name):
    model, (both, text), method = engine.adapter.model, mixed, make_method(name, keep_ratio=0.3)
    with torch.inference_mode(), aim(model, method) as recorder:
        logits = model(**both, logits_to_keep=1).logits[:, -1]
    alone, _, record = prefilled(engine, frames[:2], method)
    torch.testing.assert_close(logits[0], alone, atol=1e-5, rtol=0)
    assert all(map(torch.equal, recorder.records[0].kept, record.kept)) and len(record.kept[-1]) > 0
    with torch.inference_mode():
        torch.testing.assert_close(logits[1], model(input_ids=text).logits[0, -1], atol=1e-5, rtol=0)


def test_both_go_on_as_alone(engine, frames, mixed):
    model, (both, text) = engine.adapter.model, mixed
    with torch.inference_mode(), aim(model, AimConfig(0.5, 2, 9)):
        together = model.generate(**both, **GREEDY)[:, text.shape[1] :]
        alone = plain_inputs(engine, frames[:2])
        first = model.generate(**alone, **GREEDY)[:, alone["input_ids"].shape[1] :]
    with torch.inference_mode():
        second = model.generate(input_ids=text, **GREEDY)[:, text.shape[1] :]
    assert torch.equal(together, torch.cat([first, second]))
