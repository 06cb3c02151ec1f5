"""What adapters say beside the views: the cost of the vision side, and what the engine puts into the prompt."""

from __future__ import annotations

import re

import numpy as np
import pytest

from aim_core.adapters.call import Call
from aim_core.adapters.registry import adapter_for
from tests.families.family import QUESTION, ask, samples
from tests.families.reference import encoded
from tests.families.table import ASKED_OR_SLOW, FAMILIES
from tests.helpers.counting import counted


@pytest.mark.parametrize(("name", "medium"), ASKED_OR_SLOW)
def test_vision_flops_are_those_that_torch_counts(family_model, name, medium):
    model, processor = family_model(name)
    inputs = ask(processor, medium, samples(FAMILIES[name], medium))
    output, counts = counted(lambda: encoded(model, inputs))
    call = Call("video" if "pixel_values_videos" in inputs else "image", dict(inputs), output)
    assert adapter_for(model, processor).vision_flops(call) == counts["Global"]


def prompt(family_model, name: str, times: np.ndarray):
    model, processor = family_model(name)
    frames = np.zeros((len(times), 64, 96, 3), dtype=np.uint8)
    return processor, adapter_for(model, processor).inputs(frames, times, QUESTION)


def test_the_times_of_frames_reach_the_families_that_read_them(family_model):
    times = np.array([0.0, 0.5, 1.0, 1.5, 2.0, 2.5], dtype=np.float32)
    assert prompt(family_model, "qwen2_5_vl", times)[1]["second_per_grid_ts"].tolist() == [1.0]
    processor, inputs = prompt(family_model, "qwen3_vl", times)
    assert re.findall(r"<([\d.]+) seconds>", processor.tokenizer.decode(inputs["input_ids"][0])) == [
        "0.2",
        "1.2",
        "2.2",
    ]


def test_smolvlm_is_told_the_minutes_and_seconds(family_folder, family_model):
    family_folder("smolvlm")  # skips without num2words
    processor, inputs = prompt(family_model, "smolvlm", np.array([0.0, 65.0], dtype=np.float32))
    text = processor.tokenizer.decode(inputs["input_ids"][0])
    assert re.findall(r"Frame from (\S+?):<", text) == ["00:00", "01:05"]


def test_control_tokens_in_a_question_are_only_text(family_model):
    for name, token in (("qwen2_vl", "<|image_pad|>"), ("internvl", "<IMG_CONTEXT>"), ("llava", "<image>")):
        model, processor = family_model(name)
        adapter, frames = adapter_for(model, processor), np.zeros((1, 64, 96, 3), dtype=np.uint8)
        places = [
            int(
                (
                    adapter.inputs(frames, np.zeros(1), text)["input_ids"] == adapter.placeholder_token_ids()["image"]
                ).sum()
            )
            for text in (QUESTION, f"{token} {QUESTION} {token}")
        ]
        assert places[0] == places[1] > 0
