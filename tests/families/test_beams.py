"""Beams, and several answers to one prompt: what comes of a prompt that stock `generate` repeats."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from aim_core.attach import aim
from aim_core.methods.fastv import fastv
from aim_core.methods.registry import make_method
from tests.families.asking import asked, schedule
from tests.families.table import ASKED, ASKED_ONCE

pytestmark = pytest.mark.slow

GREEDY = {"max_new_tokens": 4, "do_sample": False, "eos_token_id": -1}


def repeatable(family_model, name: str, medium: str) -> tuple:
    """A small model and its prompt. Skips where the plain model cannot repeat it: a video in LLaVA-NeXT-Video, on
    transformers 5.20."""
    model, inputs = asked(family_model, name, medium)
    try:
        model.generate(**inputs, max_new_tokens=1, do_sample=False, num_beams=2)
    except (RuntimeError, ValueError) as error:
        pytest.skip(f"stock generate cannot either: {error}")
    return model, inputs


@pytest.mark.parametrize(("name", "medium"), ASKED)
def test_beams_answer_as_beams_over_the_masked_prompt(family_model, name, medium):
    """A method that drops once keeps the same tokens in both modes, so that the answers must be the same."""
    model, inputs = repeatable(family_model, name, medium)
    method, answers = fastv(4, 0.3), []
    for mode in ("dropped", "masked"):
        with torch.inference_mode(), aim(model, replace(method, mode=mode)) as recorder:
            answers.append(model.generate(**inputs, **GREEDY, num_beams=3, num_return_sequences=2))
        assert len(recorder.records) == 3
    assert len(answers[0]) == 2 and torch.equal(*answers)


KNOWING = [  # what a method asked of the vision tower, or of the question
    (*pair, make_method(own, **settings))
    for pair in ASKED_ONCE
    for own, settings in (("flashvid", {}), ("sparsevlm", {"first_layer": 3}))
]


@pytest.mark.parametrize(("name", "medium", "method"), [*((*pair, None) for pair in ASKED), *KNOWING])
def test_each_of_several_answers_is_the_only_one(family_model, name, medium, method):
    """The coldest sampling draws the same answer every time: the one that a single prompt gets."""
    model, inputs = repeatable(family_model, name, medium)
    with torch.inference_mode(), aim(model, method or schedule(name, 0.4)) as recorder:
        alone = model.generate(**inputs, **GREEDY)
        kept = recorder.record.kept
        sampled = GREEDY | {"do_sample": True, "temperature": 1e-6}
        several = model.generate(**inputs, **sampled, num_return_sequences=2)
    assert torch.equal(several, alone.repeat(2, 1))
    assert all(torch.equal(a, b) for own in recorder.records for a, b in zip(own.kept, kept, strict=True))
