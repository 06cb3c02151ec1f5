"""Parity: one prompt with tokens dropped and with the same method masking them as AIM was released, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from transformers import PreTrainedModel

from aim_core.attach import aim
from aim_core.config import AimConfig
from aim_core.methods.aim import as_method
from aim_core.methods.base import Method


@dataclass(frozen=True, eq=False)
class Run:
    """One mode's side.

    kept:   for each layer (k,) int64, the visual rows that entered it.
    logits: (steps, vocabulary) float64, before each generated token.
    tokens: (steps,) int64, generated greedily.
    """

    kept: tuple[np.ndarray, ...]
    logits: np.ndarray
    tokens: np.ndarray


@dataclass(frozen=True, eq=False)
class Parity:
    """How far the two modes agree. They need not: masked rows still vote in the next PageRank, dropped ones cannot."""

    dropped: Run
    masked: Run

    @property
    def num_different(self) -> tuple[int, ...]:
        """For each layer, how many of the kept tokens the other mode does not keep."""
        pairs = zip(self.dropped.kept, self.masked.kept, strict=True)
        return tuple(len(np.setdiff1d(one, other)) for one, other in pairs)

    @property
    def first_gap(self) -> float:
        """The largest difference between the logits of the first token."""
        return float(np.abs(self.dropped.logits[0] - self.masked.logits[0]).max())

    @property
    def num_same_tokens(self) -> int:
        """Generated tokens before the first that differs."""
        steps = min(len(self.dropped.tokens), len(self.masked.tokens))
        differs = self.dropped.tokens[:steps] != self.masked.tokens[:steps]
        return int(differs.argmax()) if differs.any() else steps

    @property
    def agrees(self) -> bool:
        """Whether every kept set and every generated token is the same."""
        return not any(self.num_different) and np.array_equal(self.dropped.tokens, self.masked.tokens)


def parity(
    model: PreTrainedModel, inputs: Mapping[str, Any], config: AimConfig | Method, max_new_tokens: int = 8
) -> Parity:
    """Run `config` in both modes on one prompt.

    The masked side is AIM as released for the first two tokens. From the third on the released code differs from it:
    its decoding writes into the caller's attention mask in place, which hides the visual tokens from layer 0.

    inputs: what the model's processor gave for one sample, on the model's device.
    Raises what `aim` raises, and ValueError for more than one sample.
    """
    method = as_method(config)
    return Parity(*(_run(model, inputs, replace(method, mode=mode), max_new_tokens) for mode in ("dropped", "masked")))


@torch.inference_mode()
def _run(model: PreTrainedModel, inputs: Mapping[str, Any], method: Method, max_new_tokens: int) -> Run:
    with aim(model, method) as recorder:
        out = model.generate(
            **inputs,
            max_new_tokens=max_new_tokens,
            do_sample=False,
            num_beams=1,
            output_logits=True,
            return_dict_in_generate=True,
        )
    kept = tuple(kept.cpu().numpy() for kept in recorder.record.kept)
    logits = torch.cat(out.logits).double().cpu().numpy()
    return Run(kept, logits, out.sequences[0, -len(logits) :].cpu().numpy())
