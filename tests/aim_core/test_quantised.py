"""Quantised models and models that accelerate spreads over devices, under the same hooks."""

from __future__ import annotations

import pytest
import torch
from transformers import LlavaOnevisionForConditionalGeneration, LlavaOnevisionProcessor, TorchAoConfig

from aim_core.attach import aim
from aim_core.config import AimConfig
from tests.helpers.prompts import QUESTION

CONFIG = AimConfig(0.25, l1=2, l2=9)
COUNTS = CONFIG.schedule.tokens_entering(65, 12)


def answer(model, checkpoint, frames):
    """Four generated ids, the logits behind the first, and how many visual tokens entered each layer."""
    processor = LlavaOnevisionProcessor.from_pretrained(checkpoint)
    content = [{"type": "video"}, {"type": "text", "text": QUESTION}]
    text = processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)
    inputs = processor(text=text, videos=[frames], return_tensors="pt").to(dtype=model.dtype)
    with torch.inference_mode(), aim(model, CONFIG) as recorder:
        out = model.generate(
            **inputs, max_new_tokens=4, do_sample=False, output_logits=True, return_dict_in_generate=True
        )
    new = out.sequences[0, inputs["input_ids"].shape[1] :]
    return new.tolist(), out.logits[0], [len(kept) for kept in recorder.record.kept]


def test_weights_in_eight_bits(checkpoint, frames):
    quantization = pytest.importorskip("torchao.quantization")
    eight = TorchAoConfig(quantization.Int8WeightOnlyConfig())
    model = LlavaOnevisionForConditionalGeneration.from_pretrained(
        checkpoint, dtype=torch.bfloat16, quantization_config=eight
    )
    weight = model.model.language_model.layers[0].self_attn.q_proj.weight
    assert type(weight).__module__.startswith("torchao")
    ids, logits, counts = answer(model, checkpoint, frames)
    assert counts == COUNTS and logits.isfinite().all() and 1 <= len(ids) <= 4


def test_a_model_spread_by_accelerate_answers_the_same(checkpoint, frames, tmp_path):
    """Some layers stay in memory and some on disk, so that accelerate's own hooks move what each layer gets."""
    pytest.importorskip("accelerate")
    load = LlavaOnevisionForConditionalGeneration.from_pretrained
    plain = load(checkpoint, dtype=torch.float32)
    spread = load(
        checkpoint, dtype=torch.float32, device_map="auto", max_memory={"cpu": "3MB"}, offload_folder=tmp_path
    )
    assert {"cpu", "disk"} <= set(spread.hf_device_map.values())
    ours, theirs = (answer(model, checkpoint, frames) for model in (spread, plain))
    assert ours[0] == theirs[0] and ours[2] == theirs[2] == COUNTS
    torch.testing.assert_close(ours[1], theirs[1])
