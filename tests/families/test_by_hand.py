"""Marks by hand in every family: a removed token is as if hidden everywhere, a protected one stays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from aim_core.config import AimConfig
from aim_core.engine import Engine
from aim_core.methods.aim import as_method
from aim_core.overrides import TokenOverrides
from tests.families.family import QUESTION, samples
from tests.families.reference import masked_logits, merged_prompt
from tests.families.table import ASKED_ONCE, FAMILIES


def a_patch_of(trace, row: int) -> tuple[int, int]:
    view, patch = np.argwhere(trace.rows() == row)[0].tolist()
    return view, patch


@pytest.mark.parametrize("mode", ["dropped", pytest.param("masked", marks=pytest.mark.slow)])
@pytest.mark.parametrize(("name", "medium"), ASKED_ONCE)
def test_removed_and_protected(family_folder, family_model, name, medium, mode):
    medium = "image" if medium == "images" else medium  # the engine shows one picture at a time
    engine = Engine.from_pretrained(family_folder(name), device="cpu", dtype=torch.float64)
    frames = samples(FAMILIES[name], medium)
    method = replace(as_method(AimConfig(0.4, 3, FAMILIES[name].layers - 1)), mode=mode)
    plain = engine.run(frames, QUESTION, config=method, max_new_tokens=1).trace
    shown = plain.rows()
    gone = int(np.intersect1d(plain.layers[4].kept, shown)[0])
    stays = int(np.setdiff1d(np.intersect1d(plain.layers[3].kept, shown), plain.layers[4].kept)[0])
    overrides = TokenOverrides(protect=(a_patch_of(plain, stays),), remove=(a_patch_of(plain, gone),))
    result = engine.run(frames, QUESTION, config=method, max_new_tokens=3, overrides=overrides)
    kept = [torch.from_numpy(layer.kept) for layer in result.trace.layers]
    assert stays in kept[4] and gone not in kept[0] and len(kept[0]) == plain.retained[0] - 1
    model, _ = family_model(name, torch.float64)
    inputs = engine.adapter.inputs(frames, np.arange(len(frames), dtype=np.float32), QUESTION)
    prompt = merged_prompt(model, inputs, FAMILIES[name].views[medium], 0.4)
    for index, token in enumerate(result.answer_ids):
        logits = masked_logits(model, prompt, kept)
        assert token == int(logits.argmax())
        if not index:
            np.testing.assert_allclose(result.first_token_logprobs, logits.log_softmax(-1).float(), atol=2e-5)
        prompt = prompt.longer(model.get_input_embeddings()(torch.tensor([[token]])))
