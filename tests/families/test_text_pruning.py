"""Text that leaves by a count of its own: chosen among text alone, left out of all that follows, and counted."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
import torch

from aim_core.attach import aim
from aim_core.config import AimConfig
from aim_core.engine import Engine
from aim_core.methods.aim import PageRank, as_method
from aim_core.methods.registry import make_method
from aim_core.trace import Trace
from aim_core.workload import Workload
from tests.families.asking import asked, said
from tests.families.family import QUESTION, samples
from tests.families.reference import audio_places, masked_logits, merged_prompt
from tests.families.table import FAMILIES

NAME = "llava_onevision"
LAYERS = FAMILIES[NAME].layers
METHOD = make_method("aim_text", keep_ratio=0.5, l1=2, l2=LAYERS - 1, text_floor=0.3)
AIM = as_method(AimConfig(0.5, 2, LAYERS - 1))


@pytest.fixture(scope="module")
def engine(family_folder):
    return Engine.from_pretrained(family_folder(NAME), device="cpu", dtype=torch.float64)


@dataclass
class Watched:
    """PageRank, and what it said of each layer it was asked about."""

    said: list[torch.Tensor] = field(default_factory=list)

    def __call__(self, query, key, scale):
        self.said.append(PageRank()(query, key, scale)[0])
        return self.said[-1][None]

    def layers(self, counts):
        return PageRank().layers(counts)


def test_of_text_those_of_highest_score_stay_whatever_visual_tokens_score(family_model):
    """Text is followed row by row, by hand, from one scored layer to the next."""
    model, inputs = asked(family_model, NAME, "video")
    watched = Watched()
    with torch.inference_mode(), aim(model, replace(METHOD, scorer=watched)) as recorder:
        model(**inputs)
    record = recorder.record
    prompt = merged_prompt(model, inputs, FAMILIES[NAME].views["video"], 0.5)
    visual, length = prompt.visual.tolist(), prompt.embeds.shape[1]
    text = [row for row in range(length) if row not in visual][:-1]  # the last row never leaves
    alive, asked_layers = list(range(length)), list(range(2, LAYERS - 2))
    assert len(watched.said) == len(asked_layers)
    for layer, scores in zip(asked_layers, watched.said, strict=True):
        score = dict(zip(alive, scores.tolist(), strict=True))
        for rows, kept in ((text, record.kept_text[layer + 1]), (visual, record.kept[layer + 1])):
            own = [row for row in alive if row in rows]
            best = sorted(own, key=lambda row: -score[row])[: len(kept)]
            assert [rows[number] for number in kept] == sorted(best) and len(kept) < len(own)
            alive = [row for row in alive if row not in own or row in best]
    assert length - 1 in alive


@pytest.mark.parametrize("mode", ["dropped", "masked"])
@pytest.mark.parametrize("floor", [0.0, 0.3])
def test_an_answer_is_that_of_the_reference_that_hides_the_same_text(family_model, floor, mode):
    model, inputs = asked(family_model, NAME, "video")
    method = make_method("aim_text", keep_ratio=0.5, l1=2, l2=LAYERS - 1, text_floor=floor)
    with aim(model, replace(method, mode=mode)) as recorder:
        tokens, logits = said(model, inputs)
    record = recorder.record
    assert record.num_text[-1] == (1 if not floor else 1 + len(record.kept_text[-1])) < record.num_text[0]
    prompt = merged_prompt(model, inputs, FAMILIES[NAME].views["video"], 0.5)
    for token, ours in zip(tokens, logits, strict=True):
        expected = masked_logits(model, prompt, record.kept, told=record.kept_text)
        torch.testing.assert_close(ours.double(), expected, atol=1e-5, rtol=0)
        prompt = prompt.longer(model.get_input_embeddings()(torch.tensor([[token]])))


def test_with_all_of_the_text_left_it_is_aim_bit_for_bit(family_model):
    model, inputs = asked(family_model, NAME, "video", torch.float32)
    whole = make_method("aim_text", keep_ratio=0.5, l1=2, l2=LAYERS - 1, text_floor=1.0)
    found = []
    for method in (whole, AIM):
        with torch.inference_mode(), aim(model, method) as recorder:
            found.append(model(**inputs).logits)
        assert not recorder.record.kept_text
    assert torch.equal(*found)


@pytest.mark.parametrize("audio", [METHOD.audio, None], ids=["by its own count", "all of it"])
def test_sound_is_no_text(family_model, audio):
    from tests.families.audio import ask_with_sound

    name = "qwen2_5_omni_thinker"
    model, processor = family_model(name, torch.float64)
    inputs = ask_with_sound(processor, "beside").to(dtype=torch.float64)
    with torch.inference_mode(), aim(model, replace(METHOD, audio=audio)) as recorder:
        model(**inputs)
    record, num_audio = recorder.record, len(audio_places(model, inputs["input_ids"]))
    assert set(record.audio_per_layer) == {num_audio} != {0}
    assert [1 + len(own) + num_audio for own in record.kept_text] == record.num_text


def test_two_prompts_of_a_batch_lose_the_text_that_they_lose_alone(family_model):
    model, inputs = asked(family_model, NAME, "video")
    longer = {name: inputs[name] for name in ("input_ids", "attention_mask")}
    words = inputs["input_ids"][:, -9:]  # said once more
    longer = {"input_ids": torch.cat([inputs["input_ids"], words], dim=1)}
    longer["attention_mask"] = torch.ones_like(longer["input_ids"])
    pads = {name: torch.nn.functional.pad(inputs[name], (9, 0)) for name in longer}
    pixels = inputs["pixel_values_videos"]
    both = {name: torch.cat([longer[name], pads[name]]) for name in longer}
    with torch.inference_mode(), aim(model, METHOD) as recorder:
        together = model(**both, pixel_values_videos=pixels.repeat(2, 1, 1, 1, 1)).logits[:, -1]
    for number, own in enumerate((longer, {name: inputs[name] for name in longer})):
        with torch.inference_mode(), aim(model, METHOD) as alone:
            logits = model(**own, pixel_values_videos=pixels).logits[0, -1]
        torch.testing.assert_close(together[number], logits, atol=1e-5, rtol=0)
        assert all(map(torch.equal, recorder.records[number].kept_text, alone.record.kept_text))


def test_what_it_costs_is_known_before_and_what_went_is_in_the_trace(engine, tmp_path):
    frames = samples(FAMILIES[NAME], "video")
    result = engine.run(frames, QUESTION, config=METHOD, max_new_tokens=2)
    work = Workload.of(engine.adapter, engine.planned(frames, QUESTION, config=AimConfig.dense()))
    visual, text = work.visual_per_layer(METHOD), work.text_per_layer(METHOD)
    cost = result.cost
    assert cost.visual_per_layer == visual and cost.tokens_per_layer == tuple(map(sum, zip(visual, text, strict=True)))
    assert cost.language_flops == work.flops(visual, text) < work.flops(visual)
    assert text == tuple(1 + len(own) for own in result.trace.kept_text) and text[-1] < text[0] == work.num_text
    shares = work.shares(visual, text)
    assert shares.kv < work.shares(visual).kv and shares.mean == work.shares(visual).mean
    result.trace.save(tmp_path / "trace.npz")
    again = Trace.load(tmp_path / "trace.npz").kept_text
    assert all(map(np.array_equal, again, result.trace.kept_text)) and len(again) == LAYERS
    joint = replace(AIM, drop_text=True)
    for ask in (work.visual_per_layer, work.text_per_layer):
        with pytest.raises(ValueError, match="depends on the video"):
            ask(joint)


def test_a_conversation_goes_on_without_the_text_that_went(engine):
    frames, talks = samples(FAMILIES[NAME], "video"), []
    for mode in ("dropped", "masked"):
        talk = engine.converse(frames, QUESTION, config=replace(METHOD, mode=mode), max_new_tokens=3)
        talks.append((talk, talk.ask("and the star?", max_new_tokens=3)))
    (dropped, one), (_, other) = talks
    assert one.answer_ids == other.answer_ids
    np.testing.assert_allclose(one.first_token_logprobs, other.first_token_logprobs, atol=1e-5, rtol=0)
    num_new = len(dropped.result.answer_ids) - 1
    assert one.held.tokens_per_layer == tuple(own + num_new for own in dropped.result.cost.tokens_per_layer)
