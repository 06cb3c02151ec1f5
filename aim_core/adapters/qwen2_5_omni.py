"""Qwen2.5-Omni's thinker: as Qwen2.5-VL, with positions in time (TMRoPE) and sound beside or inside a video."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import transformers
from torch import Tensor
from transformers import PreTrainedConfig, Qwen2_5OmniThinkerForConditionalGeneration, processing_utils

from aim_core.adapters.base import Call, step_of
from aim_core.adapters.layout import Layout, audio_chunks
from aim_core.adapters.qwen2_5_vl import Qwen25VLAdapter


class Qwen25OmniAdapter(Qwen25VLAdapter):
    """Wraps a stock `Qwen2_5OmniThinkerForConditionalGeneration`.

    Audio tokens belong to no view: a method says apart what becomes of them (`AudioMethod`). They come in chunks of two
    seconds each, which alternate with planes where the audio is that of the video.
    """

    model_class = Qwen2_5OmniThinkerForConditionalGeneration
    keeps_logits = False

    @classmethod
    def check(cls, config: PreTrainedConfig) -> None:
        if not hasattr(processing_utils, "OmniModalProcessorMixin"):  # model and processor are made otherwise before
            raise ValueError(f"Qwen2.5-Omni needs transformers 5.23 or newer, {transformers.__version__} is here")

    @property
    def audio_seconds(self) -> float:  # type: ignore[override]
        return 1 / self.model.config.position_id_per_seconds

    def layouts(self, input_ids: Tensor, calls: list[Call]) -> list[Layout]:
        config, found = self.model.config, super().layouts(input_ids, calls)
        length = int(config.position_id_per_seconds * config.seconds_per_chunk)  # of a chunk, as stock counts
        chunks = [
            audio_chunks(ids == config.audio_token_id, ids == config.audio_start_token_id, length) for ids in input_ids
        ]
        return [replace(layout, audio=own) for layout, own in zip(found, chunks, strict=True)]

    def shown(self, frames: np.ndarray, times: np.ndarray) -> dict[str, Any]:
        """The processor counts time by frames a second, of which it is told only here."""
        found = super().shown(frames, times)
        return found | {"fps": 1 / step_of(times)} if "videos" in found else found
