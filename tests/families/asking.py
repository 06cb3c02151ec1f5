"""Asking a family's small checkpoint: its sample question, greedy answers and their logits, a schedule that fits."""

from __future__ import annotations

import torch

from aim_core.config import AimConfig
from tests.families.family import ask, samples
from tests.families.table import FAMILIES

STEPS = 9  # one token after the prefill, eight decoded


def asked(family_model, name: str, medium: str, dtype=torch.float64):
    """The model and what its processor makes of the sample question."""
    model, processor = family_model(name, dtype)
    return model, ask(processor, medium, samples(FAMILIES[name], medium)).to(dtype=dtype)


def said(model, inputs) -> tuple[list[int], list[torch.Tensor]]:
    """Greedy tokens, as many whatever they are, and the logits (vocabulary,) each was chosen by."""
    with torch.inference_mode():
        out = model.generate(
            **inputs,
            max_new_tokens=STEPS,
            do_sample=False,
            eos_token_id=-1,
            output_logits=True,
            return_dict_in_generate=True,
        )
    return out.sequences[0, inputs["input_ids"].shape[1] :].tolist(), [logits[0] for logits in out.logits]


def schedule(name: str, keep_ratio: float) -> AimConfig:
    """Starts to drop in layer 3 and has dropped all at the last but one."""
    return AimConfig(keep_ratio, l1=2, l2=FAMILIES[name].layers - 1)
