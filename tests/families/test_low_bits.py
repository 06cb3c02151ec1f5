"""8-bit weights under AIM in every family: as a model in full precision that holds the very numbers they stand for."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from aim_core.engine import Engine
from aim_core.loading import load_adapter
from tests.families.asking import schedule
from tests.families.family import QUESTION, samples
from tests.families.table import FAMILIES
from tests.helpers.packing import needs_packing


def matrices(adapter) -> dict[str, nn.Linear]:
    return {name: one for name, one in adapter.model.named_modules() if isinstance(one, nn.Linear)}


@torch.no_grad()
def unpacked_into(plain, packed) -> list[str]:
    """Write what 8 bits stand for, step times number, into a model in full precision; the names of those matrices."""
    found = []
    for (name, own), one in zip(matrices(plain).items(), matrices(packed).values(), strict=True):
        if not hasattr(one.weight, "qdata"):
            assert torch.equal(own.weight, one.weight)
            continue
        step = own.weight.abs().amax(1, keepdim=True) / 127.5
        told = one.weight.qdata.float() * one.weight.scale
        assert one.weight.qdata.dtype == torch.int8 and not one.weight.zero_point.any()
        assert ((told - own.weight).abs() <= step * 1.01).all()
        own.weight.copy_(told)
        found.append(name)
    return found


@needs_packing
@pytest.mark.parametrize("name", FAMILIES)
def test_8_bits_keep_the_tokens_and_give_the_answer_of_what_they_stand_for(family_folder, name):
    folder = family_folder(name)
    packed, plain = (load_adapter(folder, "cpu", torch.float32, weights=own) for own in ("int8", "full"))
    names = unpacked_into(plain, packed)
    layers = sum(isinstance(one, nn.Linear) for one in plain.decoder.layers.modules())
    assert len(names) == layers >= 7 * plain.num_layers and not any("vision" in own for own in names)
    frames = samples(FAMILIES[name], "video" if "video" in plain.modalities else "image")
    asked = {"config": schedule(name, 0.5), "max_new_tokens": 4}
    ours, theirs = (Engine(own).run(frames, QUESTION, **asked) for own in (packed, plain))
    assert ours.answer_ids == theirs.answer_ids
    for own, other in zip(ours.trace.layers, theirs.trace.layers, strict=True):
        np.testing.assert_array_equal(own.kept, other.kept)
    np.testing.assert_allclose(ours.first_token_logprobs, theirs.first_token_logprobs, atol=1e-4)
