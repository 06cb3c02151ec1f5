"""Qwen2.5-Omni's thinker: as Qwen2.5-VL, with positions in time (TMRoPE) and sound beside or inside a video."""

from __future__ import annotations

from typing import Any

import numpy as np
import transformers
from transformers import PreTrainedConfig, Qwen2_5OmniThinkerForConditionalGeneration, processing_utils

from aim_core.adapters.base import step_of
from aim_core.adapters.qwen2_5_vl import Qwen25VLAdapter


class Qwen25OmniAdapter(Qwen25VLAdapter):
    """Wraps a stock `Qwen2_5OmniThinkerForConditionalGeneration`. Audio tokens count as text."""

    model_class = Qwen2_5OmniThinkerForConditionalGeneration
    keeps_logits = False

    @classmethod
    def check(cls, config: PreTrainedConfig) -> None:
        if not hasattr(processing_utils, "OmniModalProcessorMixin"):  # model and processor are made otherwise before
            raise ValueError(f"Qwen2.5-Omni needs transformers 5.23 or newer, {transformers.__version__} is here")

    def shown(self, frames: np.ndarray, times: np.ndarray) -> dict[str, Any]:
        """The processor counts time by frames a second, of which it is told only here."""
        found = super().shown(frames, times)
        return found | {"fps": 1 / step_of(times)} if "videos" in found else found
