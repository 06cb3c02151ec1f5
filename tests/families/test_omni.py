"""Qwen2.5-Omni: whole checkpoints, whose thinker is taken, and frames' times in its positions."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import Qwen2_5OmniConfig, Qwen2_5OmniForConditionalGeneration, processing_utils

from aim_core.adapters.registry import adapter_for
from aim_core.attach import aim
from aim_core.config import AimConfig
from aim_core.loading import load_adapter
from tests.families.asking import asked
from tests.families.family import QUESTION

NAME = "qwen2_5_omni_thinker"


@pytest.fixture(scope="module")
def whole(family_model):
    """A whole model around the small thinker, which could speak if it had the parts."""
    thinker, processor = family_model(NAME)
    model = Qwen2_5OmniForConditionalGeneration(
        Qwen2_5OmniConfig(thinker_config=thinker.config.to_dict(), enable_audio_output=False)
    )
    model.thinker.load_state_dict(thinker.state_dict())
    return model.eval(), processor


def test_the_thinker_of_a_whole_checkpoint_is_taken(whole, family_model, tmp_path):
    model, processor = whole
    model.save_pretrained(tmp_path)
    processor.save_pretrained(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    assert all(name.startswith("thinker.") for name in weights)
    speech = {"talker.model.norm.weight": torch.ones(4), "token2wav.code2wav_dit_model.x.weight": torch.ones(4)}
    save_file(weights | speech, tmp_path / "model.safetensors", {"format": "pt"})
    loaded = load_adapter(tmp_path, device="cpu")
    assert loaded.model.config.model_type == NAME
    expected = family_model(NAME)[0].state_dict()
    found = loaded.model.state_dict()
    assert found.keys() == expected.keys() and all(torch.equal(found[key], expected[key]) for key in found)


def test_a_model_that_speaks_is_refused_with_what_to_give(whole):
    with pytest.raises(ValueError, match=r"also makes speech: give model\.thinker"), aim(whole[0]):
        pass
    with aim(whole[0].thinker):
        pass


def test_an_older_library_is_refused(monkeypatch, family_model):
    monkeypatch.delattr(processing_utils, "OmniModalProcessorMixin")
    with pytest.raises(ValueError, match=r"needs transformers 5\.23 or newer"):
        adapter_for(family_model(NAME)[0])


def test_logits_are_made_of_as_many_rows_as_are_asked_for(family_model):
    """Stock makes them of all, whatever it is asked."""
    model, inputs = asked(family_model, NAME, "image")
    with torch.inference_mode(), aim(model, AimConfig.dense()):
        whole = model(**inputs).logits
        some = model(**inputs, logits_to_keep=2).logits
    assert whole.shape[1] == inputs["input_ids"].shape[1] and some.shape[1] == 2
    torch.testing.assert_close(some, whole[:, -2:])


@pytest.mark.parametrize("seconds", [0.5, 0.4, 2.0])
def test_planes_stand_where_their_time_is(family_model, seconds):
    """25 positions a second, two frames a plane: numbers worked out by hand."""
    model, processor = family_model(NAME)
    adapter = adapter_for(model, processor)
    frames = np.zeros((5, 64, 96, 3), dtype=np.uint8)
    inputs = adapter.inputs(frames, (np.arange(5) * seconds).astype(np.float32), QUESTION)
    positions, _ = model.model.get_rope_index(
        inputs["input_ids"],
        video_grid_thw=inputs["video_grid_thw"],
        attention_mask=inputs["attention_mask"],
        second_per_grids=inputs["video_second_per_grid"],
    )
    places = (inputs["input_ids"][0] == model.config.video_token_id).nonzero()[:, 0]
    start = int(places[0])
    expected = [start + int(25 * 2 * seconds * plane) for plane in range(3) for _ in range(35)]
    assert positions[0, 0, places].tolist() == expected
