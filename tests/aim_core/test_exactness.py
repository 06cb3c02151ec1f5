"""aim() on a stock model: positions, modes, batches, padding, chats, ways to generate, number formats."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from transformers import TextIteratorStreamer
from transformers.modeling_outputs import BaseModelOutputWithPooling

from aim_core.attach import aim
from aim_core.config import AimConfig
from aim_core.engine import Engine
from aim_core.methods.fastv import fastv
from tests.helpers.masking import masked_logits
from tests.helpers.prompts import QUESTION, plain_inputs, prefilled, prepared
from tests.helpers.waiting import in_thread

CONFIG = AimConfig(0.25, l1=2, l2=9)
PRUNE = AimConfig(1.0, l1=2, l2=9)
GREEDY = {"max_new_tokens": 8, "do_sample": False}


@pytest.fixture(scope="module")
def model(engine):
    """float64: ranks are not tied. The end mark is ruled out, so that answers have their full length."""
    model = engine.adapter.model
    ends, model.generation_config.eos_token_id = model.generation_config.eos_token_id, None
    yield model
    model.generation_config.eos_token_id = ends


def batch_of(engine, items):
    """Inputs of several (frames, question) in one batch, padded on the left."""
    processor = engine.adapter.processor
    processor.tokenizer.padding_side = "left"
    content = [[{"type": "video"}, {"type": "text", "text": question}] for _, question in items]
    texts = [
        processor.apply_chat_template([{"role": "user", "content": part}], add_generation_prompt=True)
        for part in content
    ]
    inputs = processor(text=texts, videos=[frames for frames, _ in items], padding=True, return_tensors="pt")
    return inputs.to(dtype=engine.adapter.model.dtype)


def new_ids(ids, inputs):
    return ids[:, inputs["input_ids"].shape[1] :]


def alone(engine, model, frames, question, config, **how):
    inputs = batch_of(engine, [(frames, question)])
    with torch.inference_mode(), aim(model, config) as recorder:
        ids = new_ids(model.generate(**inputs, **(GREEDY | how)), inputs)
    return ids, recorder.record


# Modes and positions


@pytest.mark.parametrize("config", [CONFIG, PRUNE])
def test_masked_rows_are_never_seen_or_chosen_again(engine, frames, config):
    masked = AimConfig(config.keep_ratio, config.l1, config.l2, mode="masked")
    logits, cache, record = prefilled(engine, frames, masked)
    assert (
        [len(kept) for kept in record.kept]
        == list(record.planned)
        == config.schedule.tokens_entering(record.planned[0], 12)
    )
    for before, after in zip(record.kept, record.kept[1:], strict=False):
        assert set(after.tolist()) <= set(before.tolist())
    embeds, start, num_visual = prepared(engine, frames, config.keep_ratio)
    reference = masked_logits(engine.adapter, embeds, start, record.kept, num_visual)
    torch.testing.assert_close(logits, reference, atol=1e-5, rtol=0)
    assert {layer.num_stored for layer in cache.layers} == {embeds.shape[1]}


def test_masked_generation_follows_the_masked_model(engine, model, frames):
    masked = AimConfig(0.25, 2, 9, mode="masked")
    ids, record = alone(engine, model, frames, QUESTION, masked)
    embeds, start, num_visual = prepared(engine, frames, 0.25)
    for token in ids[0].tolist():
        assert int(masked_logits(engine.adapter, embeds, start, record.kept, num_visual).argmax()) == token
        embeds = torch.cat([embeds, model.get_input_embeddings()(torch.tensor([[token]]))], dim=1)


def test_original_positions_are_those_of_the_full_prompt(engine, model, frames):
    seen = []
    rotary = model.model.language_model.rotary_emb
    hook = rotary.register_forward_pre_hook(lambda _m, args, kwargs: seen.append((args, kwargs)), with_kwargs=True)
    inputs = plain_inputs(engine, frames)
    try:
        with torch.inference_mode():
            for positions in ("sequential", "original"):
                with aim(model, AimConfig(0.25, 2, 9, positions=positions)) as recorder:
                    model.generate(**inputs, max_new_tokens=2, do_sample=False)
    finally:
        hook.remove()
    found = [args[1] if len(args) > 1 else kwargs["position_ids"] for args, kwargs in seen]
    num_full, num_short = inputs["input_ids"].shape[1], found[0].shape[1]
    assert torch.equal(found[0], torch.arange(num_short)[None]) and found[1].tolist() == [[num_short]]
    kept = found[2][0]
    assert found[3].tolist() == [[num_full]] and kept[-1] == num_full - 1 and (kept.diff() > 0).all()
    places = (inputs["input_ids"][0] == model.config.video_token_id).nonzero()[:, 0]
    visual = kept[(kept >= places[0]) & (kept < places[-1])] - places[0]  # without the newline row
    for view, group in enumerate(recorder.record.groups):
        own = visual[16 * view : 16 * view + 16] - 64 * view  # the patch that each merged token stands for
        assert torch.equal(group[own], 16 * view + torch.arange(16))


# Batches


def test_a_batch_of_equal_prompts_answers_as_each_alone(engine, model, frames):
    items = [(frames, QUESTION), (frames[::-1].copy(), QUESTION)]
    inputs = batch_of(engine, items)
    with torch.inference_mode(), aim(model, CONFIG) as recorder:
        together = new_ids(model.generate(**inputs, **GREEDY), inputs)
    for index, (own, question) in enumerate(items):
        ids, record = alone(engine, model, own, question, CONFIG)
        assert torch.equal(together[index : index + 1], ids)
        for one, other in zip(recorder.records[index].kept, record.kept, strict=True):
            assert torch.equal(one, other)


@pytest.mark.parametrize("mode", ["dropped", "masked"])
@pytest.mark.parametrize("positions", ["sequential", "original"])
def test_left_padding_changes_nothing(engine, model, frames, mode, positions):
    config = AimConfig(0.25, 2, 9, positions=positions, mode=mode)
    items = [(frames, "star?"), (frames[::-1].copy(), "where is the big red circle in the video?")]
    inputs = batch_of(engine, items)
    assert not inputs["attention_mask"].all()
    with torch.inference_mode(), aim(model, config) as recorder:
        together = new_ids(model.generate(**inputs, **GREEDY), inputs)
    for index, (own, question) in enumerate(items):
        ids, record = alone(engine, model, own, question, config)
        assert torch.equal(together[index : index + 1], ids)
        assert all(torch.equal(a, b) for a, b in zip(recorder.records[index].kept, record.kept, strict=True))


@pytest.mark.parametrize(("config", "num_words"), [(CONFIG, 0), (PRUNE, 128)])
def test_different_visual_counts_go_together(engine, model, frames, config, num_words):
    """Two frames beside four; with 128 words more, prompts of one length without any padding."""
    items = [(frames[:2], QUESTION + " red" * num_words), (frames, QUESTION)]
    each = [batch_of(engine, [item]) for item in items]
    longest = max(one["input_ids"].shape[1] for one in each)
    fill = [longest - one["input_ids"].shape[1] for one in each]
    assert (fill == [0, 0]) == bool(num_words)
    ids, mask = (
        torch.cat([F.pad(one[name], (gap, 0)) for one, gap in zip(each, fill, strict=True)])
        for name in ("input_ids", "attention_mask")
    )
    with torch.inference_mode(), aim(model, config) as recorder:
        # the model's own code takes videos of one length only, so each is encoded by itself
        rows = [model.model.get_video_features(one["pixel_values_videos"]).pooler_output[0] for one in each]
        features = {"video": BaseModelOutputWithPooling(pooler_output=torch.cat(rows)[None])}
        together = model.generate(input_ids=ids, attention_mask=mask, mm_encoder_outputs=features, **GREEDY)
    for index, (own, question) in enumerate(items):
        expected, record = alone(engine, model, own, question, config)
        assert torch.equal(together[index : index + 1, longest:], expected)
        assert all(torch.equal(a, b) for a, b in zip(recorder.records[index].kept, record.kept, strict=True))


# Ways to generate


def test_beams_answer_as_beams_over_the_masked_prompt(engine, model, frames):
    """Dropping against masking, since beams also shuffle the caches of different lengths."""
    how = {"num_beams": 3, "num_return_sequences": 2}
    inputs = plain_inputs(engine, frames)
    plan = fastv(2, 0.3)
    answers = []
    for mode in ("dropped", "masked"):
        with torch.inference_mode(), aim(model, replace(plan, mode=mode)) as recorder:
            answers.append(model.generate(**inputs, **(GREEDY | how)))
        assert len(recorder.records) == 3
    assert answers[0].shape[0] == 2 and torch.equal(*answers)


def test_sampling_draws_from_the_shortened_prompt(engine, model, frames):
    inputs, answers = plain_inputs(engine, frames), []
    for mode in ("dropped", "masked"):
        torch.manual_seed(0)
        with torch.inference_mode(), aim(model, AimConfig(0.25, 2, 3, mode=mode)):
            answers.append(model.generate(**inputs, max_new_tokens=6, do_sample=True, num_return_sequences=2))
    assert torch.equal(*answers)


def test_tokens_stream_as_they_come(engine, model, frames):
    streamer = TextIteratorStreamer(engine.adapter.processor.tokenizer, skip_prompt=True, timeout=60)
    inputs = plain_inputs(engine, frames)
    with aim(model, CONFIG):
        generating = in_thread(model.generate, **inputs, **GREEDY, streamer=streamer)
        text = "".join(streamer)
        generating.result(timeout=60)
    ids, _ = alone(engine, model, frames, QUESTION, CONFIG)
    assert text == engine.adapter.processor.tokenizer.decode(ids[0])


# Several turns


@pytest.mark.parametrize("config", [CONFIG, AimConfig(0.25, 2, 9, positions="original", mode="masked")])
def test_a_second_turn_goes_on_from_the_pruned_cache(engine, model, frames, config):
    inputs = plain_inputs(engine, frames)
    with torch.inference_mode(), aim(model, config) as recorder:
        first = model.generate(**inputs, **GREEDY, return_dict_in_generate=True)
        more = engine.adapter.processor.tokenizer("is there a blue star ?", return_tensors="pt")["input_ids"]
        ids = torch.cat([first.sequences, more], dim=1)
        second = model.generate(input_ids=ids, past_key_values=first.past_key_values, **GREEDY)
    new = second[0, inputs["input_ids"].shape[1] :]
    if config.positions == "sequential":
        embeds, start, num_visual = prepared(engine, frames, 0.25)
        for index, token in enumerate(new.tolist()):
            if not 8 <= index < 8 + more.shape[1]:
                reference = masked_logits(engine.adapter, embeds, start, recorder.record.kept, num_visual)
                assert int(reference.argmax()) == token
            embeds = torch.cat([embeds, model.get_input_embeddings()(torch.tensor([[token]]))], dim=1)
    step = torch.equal(second[:, : ids.shape[1]], ids)
    assert step and second.shape[1] == ids.shape[1] + 8


def test_new_media_in_a_later_turn_are_refused(engine, model, frames):
    inputs = plain_inputs(engine, frames)
    with torch.inference_mode(), aim(model, CONFIG):
        cache = model(**inputs, use_cache=True).past_key_values
        with pytest.raises(ValueError, match="first turn"):
            model(**inputs, past_key_values=cache)


# Number formats


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_every_number_format_keeps_as_many_and_stays_finite(checkpoint, frames, dtype):
    engine = Engine.from_pretrained(checkpoint, device="cpu", dtype=dtype)
    logits, _, record = prefilled(engine, frames, CONFIG)
    assert logits.dtype == dtype and logits.isfinite().all()
    assert [len(kept) for kept in record.kept] == CONFIG.schedule.tokens_entering(65, 12)
    assert all(scores is None or scores.isfinite().all() for scores in record.scores)


def test_text_alone_is_left_alone(engine, model):
    ids = engine.adapter.processor.tokenizer("is there a blue star ?", return_tensors="pt")["input_ids"]
    with torch.inference_mode():
        plain = model.generate(input_ids=ids, **GREEDY)
        with aim(model, CONFIG) as recorder:
            ours = model.generate(input_ids=ids, **GREEDY)
    assert torch.equal(plain, ours) and recorder.records == []


def test_embeddings_without_ids_are_refused(engine, model, frames):
    embeds = prepared(engine, frames, 1.0)[0]
    with torch.inference_mode(), aim(model, CONFIG), pytest.raises(ValueError, match="input_ids"):
        model(inputs_embeds=embeds)
