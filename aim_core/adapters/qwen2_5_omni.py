"""Qwen2.5-Omni's thinker: as Qwen2.5-VL, with positions in time (TMRoPE) and sound beside or inside a video."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
import transformers
from torch import Tensor
from transformers import PreTrainedConfig, Qwen2_5OmniThinkerForConditionalGeneration, processing_utils

from aim_core.adapters.base import Shown, step_of
from aim_core.adapters.call import Call
from aim_core.adapters.layout import Layout, audio_chunks
from aim_core.adapters.qwen2_5_vl import Qwen25VLAdapter
from aim_core.ops.flops import linear_flops, vision_flops

SHORTEST = 1600  # samples of a sound, a tenth of a second; below, there may be no token


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

    @property
    def hearing(self) -> tuple[float, float] | None:  # type: ignore[override]
        reads = self.processor.feature_extractor
        return SHORTEST / reads.sampling_rate, reads.n_samples / reads.sampling_rate

    def layouts(self, input_ids: Tensor, calls: list[Call]) -> list[Layout]:
        config, found = self.model.config, super().layouts(input_ids, calls)
        chunks = [
            audio_chunks(ids == config.audio_token_id, ids == config.audio_start_token_id, self._chunk)
            for ids in input_ids
        ]
        return [replace(layout, audio=own) for layout, own in zip(found, chunks, strict=True)]

    def shown(self, frames: Shown, times: np.ndarray, audio: np.ndarray | None) -> tuple[list[str], dict[str, Any]]:
        """The processor counts time by frames a second, of which it is told only here. Audio goes inside a video."""
        parts, media = super().shown(frames, times, None)
        if "videos" in media:
            media["fps"] = 1000 / max(1, round(1000 * step_of(times)))  # whole milliseconds: positions are rounded down
        if audio is None:
            return parts, media
        self._check_audio(audio)
        media["audio"] = [audio]
        if "videos" not in media:
            return [*parts, "audio"], media
        return parts, media | {"load_audio_from_video": True, "audio_from_video_indices": [0]}

    def inputs(
        self, frames: Shown, times: np.ndarray, question: str, audio: np.ndarray | None = None
    ) -> dict[str, Tensor]:
        found = super().inputs(frames, times, question, audio)
        if audio is not None and self.kind(frames) == "video":
            found["use_audio_in_video"] = torch.tensor(True)
        return found

    def encode(self, inputs: dict[str, Tensor]) -> dict[str, Any]:
        """With what `hooks` gives the forward in the place of the audio encoder, under "audio"."""
        found = super().encode(inputs)
        if "input_features" in inputs:
            given = inputs["input_features"], inputs["feature_attention_mask"]
            found["audio"] = self.model.model.get_audio_features(*given, return_dict=True)
        return found

    def next_position(self, inputs: dict[str, Tensor]) -> int | None:
        """Audio that ends before its video leaves the last row at a lower position than the video has."""
        if "use_audio_in_video" not in inputs:
            return None
        positions, _ = self.model.model.get_rope_index(
            inputs["input_ids"],
            video_grid_thw=inputs["video_grid_thw"],
            attention_mask=inputs["attention_mask"],
            use_audio_in_video=True,
            audio_seqlens=inputs["feature_attention_mask"].sum(-1),
            second_per_grids=inputs["video_second_per_grid"],
        )
        return int(positions[0, 0, -1]) + 1

    def audio_flops(self, inputs: dict[str, Tensor]) -> int:
        if "feature_attention_mask" not in inputs:
            return 0
        return self._encoder_flops(inputs["feature_attention_mask"].sum(-1).tolist())

    def expected_audio(self, num_samples: int) -> tuple[tuple[int, ...], int]:
        mels = -(-num_samples // self.processor.feature_extractor.hop_length)
        tokens = _halved(mels) // 2
        sizes = (min(self._chunk, tokens - first) for first in range(0, tokens, self._chunk))
        return tuple(sizes), self._encoder_flops([mels])

    @property
    def _chunk(self) -> int:
        """Tokens of a chunk, as stock counts."""
        config = self.model.config
        return int(config.position_id_per_seconds * config.seconds_per_chunk)

    def _encoder_flops(self, sounds: Sequence[int]) -> int:
        """Two convolutions on chunks of mel frames, all as long as the longest; attention inside a chunk, on half as
        many rows, of which pairs are projected. sounds: mel frames of each."""
        config, encoder = self.model.config.audio_config, self.model.model.audio_tower
        mels, width = config.num_mel_bins, config.d_model
        chunks = [min(2 * config.n_window, length - start) for length in sounds for start in _starts(length, config)]
        longest = max(chunks)
        convolutions = len(chunks) * 6 * width * (mels * longest + width * _halved(longest))
        layers = (width, config.encoder_ffn_dim, config.encoder_layers, 0)
        attended = sum(vision_flops(1, _halved(length), *layers) for length in chunks)
        return convolutions + attended + linear_flops(encoder.proj, sum(_halved(length) // 2 for length in sounds))

    def _check_audio(self, audio: np.ndarray) -> None:
        """Raise ValueError for a sound of which the processor would cut off the end, or make no token."""
        reads = self.processor.feature_extractor
        if not SHORTEST <= len(audio) <= reads.n_samples:
            raise ValueError(
                f"audio must have {SHORTEST} to {reads.n_samples} samples for this model, "
                f"{reads.n_samples / reads.sampling_rate:g} seconds at most; got {len(audio)}: cut it"
            )


def _starts(length: int, config: PreTrainedConfig) -> range:
    return range(0, length, 2 * config.n_window)


def _halved(length: int) -> int:
    """Rows after a convolution of stride 2."""
    return (length - 1) // 2 + 1
