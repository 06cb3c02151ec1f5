"""8- and 4-bit weights: what they take, how they are read, what is refused, and when a CPU computes in bfloat16."""

from __future__ import annotations

import weakref

import numpy as np
import pytest
import torch
from torch import nn
from transformers import AutoConfig

from aim_core import checkpoint as checkpoint_module
from aim_core import loading, low_bits
from aim_core.checkpoint import read_checkpoint
from aim_core.config import AimConfig
from aim_core.engine import Engine
from aim_core.footprint import footprint, outlined
from aim_core.loading import WIDE, ModelLoadError, chosen_dtype, load_adapter
from aim_core.low_bits import GROUP, INT4, INT8, kept_as, largest_unpacked, low_bit_layers, num_bytes
from tests.helpers.packing import needs_packing
from tests.helpers.prompts import QUESTION

CPU = torch.device("cpu")
CONFIG = AimConfig(0.25, l1=2, l2=9)


@pytest.fixture(scope="module")
def packed(checkpoint):
    """(weights, dtype) → the adapter, loaded once."""
    made = {}

    def load(weights: str, dtype: torch.dtype = torch.float32):
        if (weights, dtype) not in made:
            made[weights, dtype] = load_adapter(checkpoint, "cpu", dtype, weights=weights)
        return made[weights, dtype]

    return load


@needs_packing
@pytest.mark.parametrize(("weights", "dtype"), [(INT8, torch.float32), (INT8, torch.bfloat16), (INT4, torch.bfloat16)])
def test_a_footprint_has_every_byte_of_the_weights(checkpoint, packed, weights, dtype):
    adapter, size = packed(weights, dtype), (4, 96, 128)
    told = footprint(checkpoint, outlined(checkpoint), dtype, *size, weights)
    assert told.weights == sum(num_bytes(one) for one in adapter.model.parameters())
    full = footprint(checkpoint, outlined(checkpoint), dtype, *size)
    assert told.kv == full.kv and told.weights < full.weights
    largest = max(one.weight.numel() for one in low_bit_layers(adapter, weights)) * dtype.itemsize
    assert largest_unpacked(adapter, weights, dtype) == (largest if weights == INT8 else 0)
    assert kept_as(adapter) == weights and adapter.model.dtype == dtype


@needs_packing
def test_it_is_packed_as_it_is_read(checkpoint, packed, monkeypatch):
    """Of the matrices that are packed at most two are in memory as they lie on the disk, with progress for each."""
    real, alive, most, told = checkpoint_module.UnreadTensor.__getitem__, {}, [0], []
    size = next(low_bit_layers(packed(INT8), INT8)).weight.numel()

    def read(self, key):
        tensor = real(self, key)
        if tensor.numel() == size:
            alive[len(told)] = weakref.ref(tensor)
            most[0] = max(most[0], sum(one() is not None for one in alive.values()))
        return tensor

    monkeypatch.setattr(checkpoint_module.UnreadTensor, "__getitem__", read)
    again = load_adapter(checkpoint, "cpu", torch.float32, told.append, INT8)
    assert len(alive) >= 12 and most[0] <= 2
    assert [one.num_bytes for one in told] == sorted(one.num_bytes for one in told)
    assert told[-1].num_bytes == told[-1].all_bytes == read_checkpoint(checkpoint).num_bytes
    for one, other in zip(low_bit_layers(again, INT8), low_bit_layers(packed(INT8), INT8), strict=True):
        assert torch.equal(one.weight.qdata, other.weight.qdata) and torch.equal(one.weight.scale, other.weight.scale)


def in_four_bits(weight: torch.Tensor) -> torch.Tensor:
    """A matrix as 4 bits have it: in each group of a row the nearest of 16 steps from its least to its largest."""
    groups = weight.double().reshape(len(weight), -1, GROUP)
    low, high = groups.amin(-1, keepdim=True), groups.amax(-1, keepdim=True)
    step = (high - low) / 15
    return (low + ((groups - low) / step).round() * step).reshape_as(weight).to(weight.dtype)


@needs_packing
def test_4_bits_keep_the_tokens_and_give_the_answer_of_what_they_stand_for(checkpoint, packed, frames):
    ours, plain = packed(INT4), load_adapter(checkpoint, "cpu", torch.float32)
    with torch.no_grad():
        for one in low_bit_layers(plain, INT4):
            one.weight.copy_(in_four_bits(one.weight))
    assert all(one.weight.qdata.dtype == torch.uint8 for one in low_bit_layers(ours, INT4))
    run, slow = (Engine(own).run(frames, QUESTION, config=CONFIG, max_new_tokens=4) for own in (ours, plain))
    assert run.answer_ids == slow.answer_ids
    for own, other in zip(run.trace.layers, slow.trace.layers, strict=True):
        np.testing.assert_array_equal(own.kept, other.kept)
    np.testing.assert_allclose(run.first_token_logprobs, slow.first_token_logprobs, atol=2e-3)


def test_matrices_that_4_bits_do_not_fit_stay_whole(engine):
    layers = [nn.Linear(64, 32), nn.Linear(63, 32), nn.Linear(64, 33)]
    assert [low_bits._is_packable(one) for one in layers] == [True, False, False]
    assert kept_as(engine.adapter) == "full"


@pytest.mark.parametrize(
    ("device", "dtype", "weights", "said"),
    [
        ("cpu", "auto", "int5", "full, int8, int4.*int5"),
        ("meta", "auto", "int4", "for a CPU.*int8"),
        ("cpu", "float31", "full", "float31"),
    ],
)
def test_what_there_is_not_is_a_sentence(checkpoint, device, dtype, weights, said):
    with pytest.raises(ModelLoadError, match=rf"{said}.*\.$"):
        load_adapter(checkpoint, device, dtype, weights=weights)


def test_without_torchao_the_extra_is_named(checkpoint, monkeypatch):
    monkeypatch.setattr(low_bits, "_NEEDED", ("torchao", "a_package_that_nobody_has"))
    with pytest.raises(ModelLoadError, match=r"aim-explorer\[quantisation\].*\.$"):
        load_adapter(checkpoint, "cpu", weights=INT8)


@needs_packing
def test_an_older_torchao_is_refused_with_what_it_takes(checkpoint, monkeypatch):
    monkeypatch.setattr(low_bits, "version", lambda _: "0.14.0")
    with pytest.raises(ModelLoadError, match=r"needs torchao 0\.18 or newer, 0\.14\.0 is here.*\.$"):
        load_adapter(checkpoint, "cpu", weights=INT8)


def test_a_wide_model_is_computed_in_bfloat16_where_the_processor_does(checkpoint, monkeypatch):
    narrow, wide = AutoConfig.from_pretrained(checkpoint), AutoConfig.from_pretrained(checkpoint)
    wide.text_config.hidden_size = WIDE
    for can, expected in ((True, torch.bfloat16), (False, torch.float32)):
        monkeypatch.setattr(loading, "computes_in_bfloat16", lambda can=can: can)
        assert chosen_dtype("auto", CPU, wide) == expected
        assert chosen_dtype("auto", CPU, narrow) == torch.float32
        assert chosen_dtype("auto", CPU, narrow, INT4) == torch.bfloat16
    assert chosen_dtype("float32", CPU, wide) == chosen_dtype(torch.float32, CPU, wide) == torch.float32
    assert chosen_dtype("auto", torch.device("cuda"), narrow) == torch.bfloat16


@pytest.mark.parametrize(
    ("told", "can"), [({"avx512_bf16": True}, True), ({"bf16": True}, True), ({"avx2": True, "bf16": False}, False)]
)
def test_what_a_processor_can_is_what_torch_says(monkeypatch, told, can):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: told, raising=False)
    assert loading.computes_in_bfloat16() is can
    monkeypatch.delattr(torch.cpu, "get_capabilities")
    assert loading.computes_in_bfloat16() is False
