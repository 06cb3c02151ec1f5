"""Gradients through a merged and pruned prompt, against finite differences of the same answer."""

from __future__ import annotations

import pytest
import torch

from aim_core.attach import aim
from aim_core.config import AimConfig
from aim_core.methods.aim import as_method
from aim_core.methods.fastv import fastv
from aim_core.methods.registry import make_method
from tests.helpers.prompts import plain_inputs

METHODS = {  # and a step that is small enough to change no choice
    "both": (as_method(AimConfig(0.5, 2, 9)), 1e-3),
    "original": (as_method(AimConfig(0.25, 2, 9, positions="original", mode="masked")), 1e-3),
    "merge": (as_method(AimConfig(0.25, 20, 21)), 1e-3),
    "FastV": (fastv(3, 0.5), 2e-4),
    "ToMe in the tower": (make_method("tome_in_tower", keep_ratio=0.5), 1e-5),
}


def pulled(engine, inputs, method, pixels):
    """A sum of the last row's logits with fixed weights, and the tokens that were kept."""
    with aim(engine.adapter.model, method) as recorder:
        given = {**inputs, "pixel_values_videos": pixels}
        logits = engine.adapter.model(**given, use_cache=False, logits_to_keep=1).logits[0, -1]
    weights = torch.linspace(-1, 1, len(logits), dtype=logits.dtype)
    return logits @ weights, torch.cat(recorder.record.kept)


@pytest.mark.parametrize(("method", "step"), METHODS.values(), ids=METHODS)
def test_gradients_are_those_of_finite_differences(engine, frames, method, step):
    inputs = plain_inputs(engine, frames[:2])
    pixels = inputs["pixel_values_videos"].double()
    way = torch.randn(pixels.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    leaf = pixels.clone().requires_grad_()
    value, kept = pulled(engine, inputs, method, leaf)
    (gradient,) = torch.autograd.grad(value, leaf)
    with torch.no_grad():
        ends = [pulled(engine, inputs, method, pixels + sign * step * way) for sign in (1, -1)]
    assert all(torch.equal(end[1], kept) for end in ends)  # the same choices: the answer is smooth between
    slope = (ends[0][0] - ends[1][0]) / (2 * step)
    assert slope.abs() > 1e-3
    torch.testing.assert_close((gradient * way).sum(), slope, atol=0, rtol=1e-2)


def test_gradient_checkpointing_is_refused(engine, frames):
    """It would run layers again without what was dropped there."""
    model, inputs = engine.adapter.model, plain_inputs(engine, frames[:2])
    model.gradient_checkpointing_enable()
    model.train()
    try:
        with pytest.raises(ValueError, match="gradient_checkpointing_disable"), aim(model, AimConfig(0.5, 2, 9)):
            model(**inputs, use_cache=False)
    finally:
        model.eval()
        model.gradient_checkpointing_disable()
