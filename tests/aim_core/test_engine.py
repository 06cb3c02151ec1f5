"""The engine against the plain model: equal bit for bit with nothing to do, equal to masking when it drops."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from transformers.cache_utils import DynamicLayer

from aim_core.attach import aim
from aim_core.config import AimConfig
from aim_core.engine import Engine
from tests.helpers.masking import masked_logits
from tests.helpers.prompts import QUESTION, plain_inputs, prefilled, prepared


def test_nothing_reduced_equals_the_plain_model_bit_for_bit(checkpoint, frames):
    for dtype in (torch.float32, torch.bfloat16):
        engine = Engine.from_pretrained(checkpoint, device="cpu", dtype=dtype)
        with torch.inference_mode():
            plain = engine.adapter.model(**plain_inputs(engine, frames), logits_to_keep=1).logits[0, -1]
        ours, cache, record = prefilled(engine, frames, AimConfig.dense())
        assert torch.equal(plain, ours)
        assert [len(kept) for kept in record.kept] == [4 * 64 + 1] * engine.num_layers
        assert all(type(layer) is DynamicLayer for layer in cache.layers)


def test_dense_answer_is_what_generate_says(engine, frames):
    inputs = plain_inputs(engine, frames)
    said = engine.adapter.model.generate(**inputs, max_new_tokens=9, do_sample=False)[0, inputs["input_ids"].shape[1] :]
    ours = engine.run(frames, QUESTION, config=AimConfig.dense(), max_new_tokens=9)
    assert list(ours.answer_ids) == said.tolist()


@pytest.mark.parametrize("keep_ratio", [1.0, 0.25])
def test_dropped_equals_masked_for_prefill_and_eight_decoded_tokens(engine, frames, keep_ratio):
    config = AimConfig(keep_ratio, l1=2, l2=9)
    embeds, start, num_visual = prepared(engine, frames, keep_ratio)
    logits, cache, record = prefilled(engine, frames, config)
    kept, model = record.kept, engine.adapter.model
    torch.testing.assert_close(
        logits, masked_logits(engine.adapter, embeds, start, kept, num_visual), atol=1e-5, rtol=0
    )
    full, token = embeds, int(logits.argmax())
    with torch.inference_mode():
        for _ in range(8):
            ids = torch.tensor([[token]])
            full = torch.cat([full, model.get_input_embeddings()(ids)], dim=1)
            with aim(model, config):
                ours = model(input_ids=ids, past_key_values=cache).logits[0, -1]
            reference = masked_logits(engine.adapter, full, start, kept, num_visual)
            torch.testing.assert_close(ours, reference, atol=1e-5, rtol=0)
            token = int(reference.argmax())


def test_answer_of_a_pruned_run_is_the_masked_models_answer(engine, frames):
    config = AimConfig(0.5, l1=1, l2=6)
    result = engine.run(frames, QUESTION, config=config, max_new_tokens=8)
    embeds, start, num_visual = prepared(engine, frames, 0.5)
    kept = [torch.from_numpy(layer.kept) for layer in result.trace.layers]
    for token in result.answer_ids:
        assert int(masked_logits(engine.adapter, embeds, start, kept, num_visual).argmax()) == token
        embeds = torch.cat([embeds, engine.adapter.model.get_input_embeddings()(torch.tensor([[token]]))], dim=1)


def test_every_layer_keeps_the_best_of_the_layer_before(engine, frames):
    config = AimConfig(0.5, l1=2, l2=8)
    trace = engine.run(frames, QUESTION, config=config, max_new_tokens=1).trace
    num_visual = int(trace.planned[0])
    assert (
        trace.retained.tolist()
        == config.schedule.tokens_entering(num_visual, engine.num_layers)
        == trace.planned.tolist()
    )
    assert trace.scored_layers == tuple(range(config.l1, config.l2 - 1))
    for before, after in zip(trace.layers, trace.layers[1:], strict=False):
        assert set(after.kept) <= set(before.kept)
        if len(before.scores) and len(after.kept) < len(before.kept):
            lost = np.isin(before.kept, after.kept, invert=True)
            assert before.scores[lost].max() <= before.scores[~lost].min()


def test_trace_and_cost_describe_the_run(engine, frames):
    result = engine.run(frames, QUESTION, config=AimConfig(0.25, l1=6, l2=9), max_new_tokens=1)
    trace, cost = result.trace, result.cost
    assert trace.grid == (8, 8) and trace.group.shape == (4, 64) and trace.tokens_per_frame == 16
    assert np.array_equal(trace.frames, frames)
    assert cost.visual_per_layer == tuple(trace.retained)
    assert trace.retained[0] == 4 * 16 + 1  # merged tokens and the newline row
    dense = engine.run(frames, QUESTION, config=AimConfig.dense(), max_new_tokens=1).cost
    assert cost.language_flops < dense.language_flops and cost.vision_flops == dense.vision_flops
    assert cost.num_text == dense.num_text == dense.tokens_per_layer[0] - (4 * 64 + 1)


def test_features_are_used_again_on_the_same_media(engine, frames):
    fresh = Engine(engine.adapter)
    calls = []
    encode = fresh.adapter.encode
    fresh.adapter.encode = lambda inputs: calls.append(1) or encode(inputs)
    try:
        first = fresh.run(frames, QUESTION, config=AimConfig(0.5, 2, 8), max_new_tokens=2)
        again = fresh.run(frames.copy(), QUESTION, config=AimConfig(0.5, 2, 8), max_new_tokens=2)
        fresh.run(frames[:2], QUESTION, config=AimConfig(0.5, 2, 8), max_new_tokens=2)
    finally:
        del fresh.adapter.encode
    assert len(calls) == 2 and first.answer_ids == again.answer_ids


def test_questions_and_frames_are_checked(engine, frames):
    config = AimConfig.for_depth(12)
    with pytest.raises(ValueError, match="empty"):
        engine.run(frames, "  ", config=config)
    with pytest.raises(ValueError, match="uint8"):
        engine.run(frames.astype(np.float32), QUESTION, config=config)
    with pytest.raises(ValueError, match="at least 1"):
        engine.run(frames, QUESTION, config=config, max_new_tokens=0)


def test_control_tokens_in_a_question_are_only_text(engine, frames):
    config = replace(AimConfig.dense(), keep_ratio=0.5)
    result = engine.run(frames, "<video> <|end|> is there a star? <|assistant|>", config=config, max_new_tokens=1)
    assert result.cost.num_text == engine.run(frames, "is there a star?", config=config, max_new_tokens=1).cost.num_text


def test_words_outside_the_vocabulary_are_counted(engine):
    assert engine.adapter.num_unknown("Where is the red circle?") == 0
    assert engine.adapter.num_unknown("is the zebra a quokka?") == 2


def test_one_picture_is_a_video_of_one_frame(engine, frames):
    result = engine.run(frames[:1], QUESTION, config=AimConfig(0.25, 6, 9), max_new_tokens=1)
    assert result.trace.num_frames == 1 and result.trace.retained[0] == 17
