"""Rounds and similarity in every family: views of any size, merged before the projector or after, in any order."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from aim_core.adapters.registry import adapter_for
from aim_core.config import AimConfig
from aim_core.engine import Engine
from aim_core.forward.diagnostics import Diagnostics
from aim_core.forward.hooks import patched
from aim_core.forward.session import Session
from aim_core.methods.aim import as_method
from tests.families.family import QUESTION, ask, samples
from tests.families.table import ASKED_OR_SLOW, FAMILIES


def noted(model, inputs, config):
    """A prefill's record and the similarity of each view."""
    adapter = adapter_for(model)
    session = Session(adapter, as_method(config), diagnostics=Diagnostics())
    with patched(adapter, session), torch.inference_mode():
        model(**inputs, logits_to_keep=1)
    return session.recorder.record, session.diagnostics.similarity()


@pytest.mark.parametrize("positions", ["sequential", "original"])
@pytest.mark.parametrize(("name", "medium"), ASKED_OR_SLOW)
def test_rounds_lead_every_patch_to_its_group(family_model, name, medium, positions):
    model, processor = family_model(name)
    frames = samples(FAMILIES[name], medium)
    config = AimConfig(0.3, 3, 5, positions=positions)
    record, similarity = noted(model, ask(processor, medium, frames), config)
    trace = record.trace(frames, np.zeros(len(frames), np.float32), similarity)
    assert len(trace.rounds) == 2 and np.array_equal(trace.round_groups(0) < 0, trace.group < 0)
    after = trace.round_groups(2)
    for view, group in zip(after, trace.group, strict=True):
        pairs = np.unique(np.stack([view, group]), axis=1)[:, 1 if (group < 0).any() else 0 :]
        assert len(set(pairs[0])) == len(set(pairs[1])) == pairs.shape[1] == group.max() + 1  # one to one
    assert np.array_equal(np.isnan(trace.similarity), trace.group < 0)
    alone = [(view == number).sum() == 1 for view in trace.group for number in view[view >= 0]]
    found = trace.similarity[trace.group >= 0]
    np.testing.assert_allclose(found[alone], 1, atol=1e-5)
    assert (found <= 1).all() and found[~np.array(alone)].min() < 0.999


def test_llava_1_5_is_compared_where_it_is_merged(family_folder, family_model):
    """Before the projector; and again from remembered features."""
    engine = Engine.from_pretrained(family_folder("llava"), device="cpu", dtype=torch.float64)
    frames = samples(FAMILIES["llava"], "image")
    trace = engine.run(frames, QUESTION, config=AimConfig(0.4, 2, 5), max_new_tokens=1).trace
    model, _ = family_model("llava", torch.float64)
    inputs = engine.adapter.inputs(frames, np.zeros(1, np.float32), QUESTION)
    with torch.inference_mode():
        tower = model.model.vision_tower(inputs["pixel_values"], output_hidden_states=True)
    features = tower.hidden_states[-2][0, 1:]
    mean = features
    for new in trace.rounds:  # the plain mean of what met in a round
        member = F.one_hot(torch.from_numpy(new[0])).double()
        mean = member.mT @ mean / member.sum(0)[:, None]
    expected = F.cosine_similarity(features, mean[torch.from_numpy(trace.round_groups(len(trace.rounds))[0])])
    np.testing.assert_allclose(trace.similarity[0], expected, atol=1e-6)
    again = engine.run(frames, QUESTION, config=AimConfig(0.4, 2, 5), max_new_tokens=1).trace
    np.testing.assert_array_equal(again.similarity, trace.similarity)
    assert all(map(np.array_equal, again.rounds, trace.rounds))
