"""Audio in the prompt, beside a video and inside it: kept whole, merged within its chunks, pruned by a quota."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

from aim_core.adapters.registry import adapter_for
from aim_core.attach import aim
from aim_core.config import AimConfig
from aim_core.engine import Engine
from aim_core.media.frames import Frames
from aim_core.methods.aim import as_method
from aim_core.methods.counts import where_needed
from aim_core.trace import Trace
from tests.families.asking import STEPS, said
from tests.families.audio import CHUNKS, HEARD, ask_with_sound, sound
from tests.families.family import QUESTION, samples
from tests.families.qwen2_5_omni import FAMILY
from tests.families.reference import audio_places, heard_features, masked_logits, merged_prompt
from tests.helpers.counting import counted

VIEWS = FAMILY.views["video"]
LAYERS = FAMILY.layers


@pytest.fixture
def asked(family_model):
    """heard → the model and its inputs."""

    def ask(heard: str, dtype=torch.float64):
        model, processor = family_model(FAMILY.model_type, dtype)
        inputs = ask_with_sound(processor, heard)
        return model, inputs.to(dtype=dtype)

    return ask


def settings(**audio) -> AimConfig:
    return AimConfig(0.4, l1=2, l2=LAYERS - 1, **audio)


def check_against_masking(model, inputs, method, audio_ratio: float = 1.0):
    """Dropped equals masked for the prefill and eight decoded tokens; the record."""
    with aim(model, method) as recorder:
        tokens, logits = said(model, inputs)
    record = recorder.record
    prompt = merged_prompt(model, inputs, VIEWS, 0.4, CHUNKS, audio_ratio)
    heard = record.kept_audio if record.audio else None
    for token, ours in zip(tokens, logits, strict=True):
        reference = masked_logits(model, prompt, record.kept, heard=heard)
        torch.testing.assert_close(ours.double(), reference, atol=1e-5, rtol=0)
        assert token == int(reference.argmax())
        prompt = prompt.longer(model.get_input_embeddings()(torch.tensor([[token]])))
    return record


@pytest.mark.parametrize("heard", HEARD)
def test_audio_that_counts_as_text_changes_nothing(asked, heard):
    model, inputs = asked(heard)
    record = check_against_masking(model, inputs, replace(as_method(settings()), audio=None))
    assert record.audio is None and min(record.num_text) > 65


@pytest.mark.parametrize("heard", HEARD)
def test_audio_is_kept_whole_unless_it_is_asked_for(asked, heard):
    model, inputs = asked(heard)
    record = check_against_masking(model, inputs, settings())
    assert [len(own) for own in record.kept_audio] == [65] * LAYERS


@pytest.mark.parametrize("heard", HEARD)
def test_nothing_reduced_is_the_plain_model_bit_for_bit(asked, heard):
    model, inputs = asked(heard, torch.float32)
    plain = said(model, inputs)
    with aim(model, AimConfig.dense()):
        ours = said(model, inputs)
    assert plain[0] == ours[0] and all(map(torch.equal, plain[1], ours[1]))


@pytest.mark.parametrize("mode", ["dropped", "masked"])
@pytest.mark.parametrize("heard", HEARD)
def test_audio_is_merged_within_its_chunks_and_pruned_by_its_quota(asked, heard, mode):
    model, inputs = asked(heard)
    config = settings(audio_keep_ratio=0.5, audio_floor=0.2, mode=mode)
    record = check_against_masking(model, inputs, config, audio_ratio=0.5)
    # 25 of 50 and 8 of 15 are left; of 33, two and one third of what l1 to l2 lets in, and no less than 7
    assert [len(own) for own in record.kept_audio] == [33, 33, 33, 22, 11, 7]
    assert [len(own) for own in record.kept] == [42, 42, 42, 28, 14, 0]
    assert [set(group.tolist()) for group in record.audio.groups] == [set(range(25)), set(range(25, 33))]
    if mode == "dropped":
        text = inputs["input_ids"].shape[1] - 3 * 35 - 65
        assert record.num_rows == [text + 75, text + 75, text + 75, text + 50, text + 25, text + 7]


@dataclass(frozen=True)
class Latest:
    """The later a row, the higher its score."""

    def __call__(self, query, key, scale):
        return torch.arange(query.shape[2], dtype=torch.float64)[None]

    def layers(self, counts):
        return where_needed(counts)


@pytest.mark.parametrize("heard", HEARD)
def test_audio_is_ranked_among_audio_alone(asked, heard):
    """Beside the video all audio comes after all planes: with one quota for both no plane would be left."""
    model, inputs = asked(heard)
    method = replace(as_method(settings(audio_floor=0.1)), scorer=Latest())
    record = check_against_masking(model, inputs, method)
    for kept, counts in ((record.kept, [42, 42, 42, 28, 14, 0]), (record.kept_audio, [65, 65, 65, 43, 21, 7])):
        assert [own.tolist() for own in kept] == [list(range(counts[0] - count, counts[0])) for count in counts]


def test_tokens_left_of_a_chunk_stay_in_the_order_of_time(asked):
    model, inputs = asked("beside")
    with torch.inference_mode(), aim(model, settings(audio_keep_ratio=0.3)) as recorder:
        model(**inputs)
    for chunk, group in zip(recorder.record.audio.chunks, recorder.record.audio.groups, strict=True):
        assert torch.equal(chunk.rows, audio_places(model, inputs["input_ids"])[chunk.first :][: len(chunk.rows)])
        assert sorted(set(group.tolist())) == list(range(int(group.min()), int(group.max()) + 1))


def test_a_trace_knows_where_each_audio_token_went(asked, tmp_path):
    model, inputs = asked("inside")
    with torch.inference_mode(), aim(model, settings(audio_keep_ratio=0.5, audio_floor=0.0)) as recorder:
        model(**inputs)
    trace = recorder.record.trace(np.zeros((5, 64, 96, 3), np.uint8), np.arange(5, dtype=np.float32))
    audio = trace.audio
    assert audio.num_tokens == 65 and audio.num_merged == 33
    np.testing.assert_allclose(audio.start, np.arange(65) * 0.04, atol=1e-6)
    assert audio.chunk.tolist() == [0] * 50 + [1] * 15 and not audio.sound.any()
    assert audio.retained.tolist() == [33, 33, 33, 22, 11, 0]
    assert audio.alive(2).all() and not audio.alive(5).any()
    of_rows = dict(zip(audio.row.tolist(), audio.last_layer().tolist(), strict=True))
    assert [sum(last >= layer for last in of_rows.values()) for layer in (2, 3, 4)] == [33, 22, 11]
    trace.save(tmp_path / "trace.npz")
    again = Trace.load(tmp_path / "trace.npz").audio
    for name in ("sound", "chunk", "start", "row"):
        np.testing.assert_array_equal(getattr(again, name), getattr(audio, name))
    assert all(map(np.array_equal, again.kept, audio.kept)) and again.seconds == audio.seconds
    with pytest.raises(ValueError, match="layer must be in"):
        audio.alive(6)


def test_two_prompts_of_a_batch_have_their_own_sounds(family_model):
    model, processor = family_model(FAMILY.model_type, torch.float64)
    config = settings(audio_keep_ratio=0.5, audio_floor=0.2)
    long, short = (ask_with_sound(processor, "beside", seconds).to(dtype=torch.float64) for seconds in (2.6, 1.4))
    width = long["input_ids"].shape[1]
    gap = width - short["input_ids"].shape[1]
    for name, fill in (("input_ids", processor.tokenizer.pad_token_id), ("attention_mask", 0)):
        short[name] = torch.nn.functional.pad(short[name], (gap, 0), value=fill)
    both = {name: torch.cat([own, short[name]]) for name, own in long.items()}
    alone = []
    for inputs in (long, short):
        with torch.inference_mode(), aim(model, config) as recorder:
            alone.append((model(**inputs).logits[0, -1], [own.tolist() for own in recorder.record.kept_audio]))
    with torch.inference_mode(), aim(model, config) as recorder:
        logits = model(**both).logits[:, -1]
    for found, record, (expected, kept) in zip(logits, recorder.records, alone, strict=True):
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)
        assert [own.tolist() for own in record.kept_audio] == kept


def test_the_engine_hears_a_sound_as_generate_does(family_folder, family_model):
    engine = Engine.from_pretrained(family_folder(FAMILY.model_type), device="cpu", dtype=torch.float64)
    pictures = samples(FAMILY, "video")
    frames = Frames(pictures, np.arange(5, dtype=np.float32) / 2, 2.5, "video").with_audio(sound())
    config = settings(audio_keep_ratio=0.5, audio_floor=0.2)
    model, processor = family_model(FAMILY.model_type, torch.float64)
    inputs = ask_with_sound(processor, "inside").to(dtype=torch.float64)
    with aim(model, config):
        tokens, _ = said(model, inputs)
    encoder = engine.adapter.inner.audio_tower
    calls = []
    with encoder.register_forward_hook(lambda *_: calls.append(1)):
        results = [engine.run(frames, QUESTION, config=config, max_new_tokens=STEPS) for _ in range(2)]
    assert len(calls) == 1  # the second time all comes from memory
    for result in results:
        assert list(result.answer_ids) == tokens
        assert result.trace.audio.retained.tolist() == [33, 33, 33, 22, 11, 7]
    silent = engine.run(replace(frames, audio=None), QUESTION, config=config, max_new_tokens=1)
    assert silent.trace.audio is None and silent.cost.vision_flops < results[0].cost.vision_flops


def test_an_answer_goes_on_behind_the_last_row_where_the_video_reaches_further(family_model):
    """The second plane stands at 47, five tokens of sound and all text behind them before it."""
    model, processor = family_model(FAMILY.model_type, torch.float64)
    engine, pictures = Engine(adapter_for(model, processor)), samples(FAMILY, "video")[:4]
    frames = Frames(pictures, np.arange(4, dtype=np.float32) * 0.95, 3.8, "video").with_audio(sound(0.2))
    inputs, seen = engine.adapter.inputs(pictures, frames.times, "?", frames.audio), []

    def note(_decoder, _args, given):
        seen.append(given["position_ids"][-3:])

    with model.get_decoder().register_forward_pre_hook(note, with_kwargs=True):
        tokens, _ = said(model, inputs)
    assert seen[0].max() > seen[1].max()  # of the prompt, of the first token of the answer
    assert engine.adapter.next_position(inputs) == int(seen[1][0])
    result = engine.run(frames, "?", config=AimConfig.dense(), max_new_tokens=STEPS)
    assert list(result.answer_ids) == tokens


def test_a_picture_may_come_with_a_sound_beside_it(family_model):
    adapter = adapter_for(*family_model(FAMILY.model_type))
    inputs = adapter.inputs(samples(FAMILY, "image"), np.zeros(1), QUESTION, sound())
    assert int((inputs["input_ids"] == adapter.model.config.audio_token_id).sum()) == 65
    assert "use_audio_in_video" not in inputs and adapter.next_position(inputs) is None


def test_the_cost_of_the_audio_encoder_is_what_torch_counts(family_model):
    model, processor = family_model(FAMILY.model_type)
    inputs = ask_with_sound(processor, "beside")
    _, counts = counted(lambda: heard_features(model, inputs))
    assert adapter_for(model, processor).audio_flops(dict(inputs)) == counts["Global"]


def test_sounds_that_cannot_be_used_are_a_sentence(family_model):
    frames = Frames(samples(FAMILY, "video"), np.arange(5, dtype=np.float32), 5.0, "video")
    for wrong in (np.zeros((2, 9), np.float32), np.zeros(9, np.int16), np.zeros(0, np.float32), np.full(9, np.nan)):
        with pytest.raises(ValueError, match=r"audio must be \(samples,\) finite floats"):
            frames.with_audio(wrong)
    adapter = adapter_for(*family_model(FAMILY.model_type))
    for length in (100, 8 * 16000 + 1):
        with pytest.raises(ValueError, match="audio must have 1600 to 128000 samples"):
            adapter.inputs(frames.frames, frames.times, QUESTION, np.zeros(length, np.float32))
    deaf = adapter_for(*family_model("qwen2_5_vl"))
    with pytest.raises(ValueError, match="models do not hear: leave out the audio"):
        deaf.inputs(frames.frames, frames.times, QUESTION, sound())
