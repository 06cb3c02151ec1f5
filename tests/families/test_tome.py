"""ToMe inside the vision tower: what it saves against a count of what runs, what it holds, and what it refuses."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode

from aim_core.adapters.registry import adapter_for
from aim_core.attach import aim
from aim_core.config import AimConfig
from aim_core.engine import Engine
from aim_core.forward.hooks import patched
from aim_core.forward.session import Session
from aim_core.methods.aim import as_method
from aim_core.methods.base import Method
from aim_core.methods.before_decoder import before_decoder
from aim_core.methods.registry import make_method
from aim_core.methods.tome_in_tower import MergeInTower
from tests.families.asking import asked
from tests.families.table import ASKED_ONCE
from tests.helpers.prompts import QUESTION

MERGING = [(name, medium) for name, medium in ASKED_ONCE if not name.startswith("qwen")]
MODEL = Path(__file__).parents[2] / "assets" / "model"
DENSE, METHOD = as_method(AimConfig.dense()), make_method("tome_in_tower", keep_ratio=0.3)


def encoded(model, inputs, method: Method):
    """What the vision side made of the inputs under a method, and its calls."""
    adapter = adapter_for(model)
    session = Session(adapter, method)
    with torch.no_grad(), patched(adapter, session):  # in inference mode `Largest` would not see inside attention
        return adapter.encode(dict(inputs)), session.take_calls()


def counted(monkeypatch, call) -> int:
    """Operations while `call` runs, by the shapes that linear layers, convolutions and attention are given."""
    found = []

    def linear(out, rows, weight, *_args, **_kwargs):
        found.append(2 * rows[..., 0].numel() * weight.numel())

    def conv2d(out, _pixels, weight, *_args, **_kwargs):
        found.append(2 * out.numel() * weight[0].numel())

    def scaled_dot_product_attention(_out, query, key, *_args, **_kwargs):
        found.append(4 * query.numel() * key.shape[-2])

    def seen(stock, count):
        def function(*args, **kwargs):
            out = stock(*args, **kwargs)
            count(out, *args, **kwargs)
            return out

        return function

    with monkeypatch.context() as patch:
        for count in (linear, conv2d, scaled_dot_product_attention):
            patch.setattr(functional, count.__name__, seen(getattr(functional, count.__name__), count))
        call()
    return sum(found)


@pytest.mark.parametrize(("name", "medium"), MERGING)
def test_vision_flops_are_those_that_the_tower_still_does(family_model, name, medium, monkeypatch):
    model, inputs = asked(family_model, name, medium, torch.float32)
    adapter, told = adapter_for(model), {}
    for method in (DENSE, METHOD):
        _, calls = encoded(model, inputs, method)
        told[method.name] = sum(adapter.vision_flops(call) - call.saved_flops for call in calls)
        assert counted(monkeypatch, lambda own=method: encoded(model, inputs, own)) == told[method.name]
    assert told[METHOD.name] < told[DENSE.name]


def test_the_cost_of_a_run_has_what_the_tower_saved(engine, frames):
    fresh = Engine(engine.adapter)
    costs = [fresh.run(frames, QUESTION, config=own, max_new_tokens=1).cost for own in (DENSE, METHOD, DENSE)]
    inputs = engine.adapter.inputs(frames, np.arange(len(frames), dtype=np.float32), QUESTION)
    (call,) = encoded(engine.adapter.model, inputs, METHOD)[1]
    assert call.saved_flops > 0 and costs[2] == costs[0]  # each has its own features
    assert costs[1].vision_flops == costs[0].vision_flops - call.saved_flops


class Largest(TorchDispatchMode):
    """Keeps the most bytes that any new tensor holds."""

    most = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        out = function(*args, **(kwargs or {}))
        for own in out if isinstance(out, tuple) else (out,):
            if isinstance(own, torch.Tensor):
                self.most = max(self.most, own.untyped_storage().nbytes())
        return out


def test_no_matrix_of_all_patches_by_all_is_made_or_kept(frames):
    """576 patches a frame of the embedded model: such a matrix is larger than anything that its stock tower makes."""
    engine = Engine.from_pretrained(MODEL, device="cpu")
    model = engine.adapter.model
    inputs = engine.adapter.inputs(frames, np.arange(len(frames), dtype=np.float32), QUESTION)
    found = {}
    for which in (DENSE, METHOD):
        with Largest() as largest:
            encoded(model, inputs, which)
        found[which.name] = largest.most
    with Largest() as whole, sdpa_kernel(SDPBackend.MATH):
        encoded(model, inputs, DENSE)
    assert found[METHOD.name] <= found[DENSE.name] < whole.most
    features, (call,) = encoded(model, inputs, METHOD)
    slim = call.without_pixels()
    assert slim.tower.keys.numel() <= features["video"].pooler_output.numel()


@pytest.mark.parametrize("method_name", ["tome_in_tower", "visionzip"])
def test_a_padded_picture_is_refused_in_a_sentence_and_the_next_is_not(family_model, method_name):
    model, inputs = asked(family_model, "smolvlm", "images")
    padded = inputs["pixel_attention_mask"].clone()
    padded[..., -16:] = 0
    with torch.inference_mode(), aim(model, make_method(method_name, keep_ratio=0.3)):
        if method_name == "tome_in_tower":
            with pytest.raises(ValueError, match="pass them without padding"):
                model(**{**inputs, "pixel_attention_mask": padded})
        else:  # only merging in the layers cannot tell padding from pictures
            model(**{**inputs, "pixel_attention_mask": padded})
        model(**inputs)


def test_gradient_checkpointing_of_the_tower_is_refused(family_model):
    model, inputs = asked(family_model, "llava_onevision", "video")
    model.model.vision_tower.gradient_checkpointing_enable()
    model.train()
    try:
        with pytest.raises(ValueError, match="gradient_checkpointing_disable"), aim(model, METHOD):
            model(**inputs, use_cache=False)
    finally:
        model.eval()
        model.model.vision_tower.gradient_checkpointing_disable()


@dataclass(frozen=True)
class Graphless(MergeInTower):
    """Refuses keys that would hold the tower's graph."""

    def __call__(self, tokens, metric=None, tower=None):
        assert tokens.requires_grad and tower is not None
        assert not tower.keys.requires_grad and not tower.received.requires_grad
        return super().__call__(tokens, metric, tower)


def test_what_merging_reads_of_the_tower_holds_no_graph(family_model):
    model, inputs = asked(family_model, "llava_onevision", "video")
    pixels = inputs["pixel_values_videos"].clone().requires_grad_()
    with aim(model, before_decoder("graphless", Graphless(0.3))):
        logits = model(**{**inputs, "pixel_values_videos": pixels}, use_cache=False, logits_to_keep=1).logits
    assert torch.autograd.grad(logits.sum(), pixels)[0].abs().max() > 0
