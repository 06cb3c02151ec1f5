"""Result: what one run gives back, as plain records."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field, replace

import numpy as np

from aim_core.config import AimConfig
from aim_core.methods.base import Method
from aim_core.ops.flops import Cost
from aim_core.overrides import NO_OVERRIDES, TokenOverrides
from aim_core.token_attention import TokenAttention
from aim_core.trace import Trace
from aim_core.view import View


@dataclass(frozen=True)
class PrefillTimes:
    """Prefills of one configuration, timed in turns with those of others (`Engine.time_prefills`).

    ms:            each of them in milliseconds, merging included.
    merge_ms:      what merging took of each.
    first_word_ms: each with preprocessing and the vision tower before it: from the frames to the first word; () where
                   these were not run anew.
    """

    ms: tuple[float, ...]
    merge_ms: tuple[float, ...]
    first_word_ms: tuple[float, ...]


@dataclass(frozen=True)
class Planned:
    """What a run will reduce a prompt to, known before the language model has run (`Engine.planned`).

    views:            the grids of patches of the prompt.
    visual_per_layer: visual tokens that will enter each decoder layer, separators included.
    num_text:         text tokens that enter the first layer.
    audio_per_layer:  audio tokens that will enter each layer; () for a prompt without a sound.
    audio_chunks:     audio tokens of each chunk, before merging.
    """

    views: tuple[View, ...]
    visual_per_layer: tuple[int, ...]
    num_text: int
    audio_per_layer: tuple[int, ...] = ()
    audio_chunks: tuple[int, ...] = ()


@dataclass(frozen=True)
class Timing:
    """Milliseconds by the clock, on the device the model runs on.

    vision_ms:  preprocessing and the vision tower; next to 0 where those of an earlier run were used again.
    merge_ms:   merging inside frames, a part of prefill_ms (LLaVA-1.5 merges in the vision tower's pass: there it is a
                part of both).
    prefill_ms: from the visual tokens to the first answer token: merging, the language model's prefill and PageRank.
                Of one run it may be cold; to compare, measure with `Engine.time_prefills`.
    decode_ms:  all generated tokens after the first.
    runs_ms:    the prefills that prefill_ms is the median of, where several were timed in turns with others.
    first_words_ms: of each of those, from the frames to the first word: preprocessing, the vision tower, the prefill.
    """

    vision_ms: float
    merge_ms: float
    prefill_ms: float
    decode_ms: float
    runs_ms: tuple[float, ...] = ()
    first_words_ms: tuple[float, ...] = ()

    def with_prefills(self, times: PrefillTimes) -> Timing:
        """The same with medians of prefills that were timed afterwards."""
        merge_ms, prefill_ms = statistics.median(times.merge_ms), statistics.median(times.ms)
        prefills = replace(self, merge_ms=merge_ms, prefill_ms=prefill_ms, runs_ms=times.ms)
        return replace(prefills, first_words_ms=times.first_word_ms)


@dataclass(frozen=True, eq=False)
class Result:
    """The answer to one question and how it came about.

    answer_ids:  generated token ids, the end mark included if one was reached.
    first_token_logprobs: (vocabulary,) float32, log-probabilities of the first answer token, in nats.
    overrides:   the patches protected or removed by the reader, empty for none.
    frame_attention: (answer tokens, V) float32, the share of an answer token's attention, of the row that produced
                 it, that falls on each view's visual tokens: mean over heads and over the layers that still hold visual
                 tokens; (0, 0) where not asked for.
    token_attention: the same by visual token, layer and head; empty where not asked for.
    pictures:    what the vision tower was given of each view, (h, w, 3) uint8, as `Engine.pictures` says; empty where
                 nobody asked for it.
    peak_bytes:  the most memory that tensors took on a CUDA device at any moment of prefill and decoding, weights
                 included, the vision tower's pass not; None elsewhere, where it cannot be told.
    """

    answer: str
    answer_ids: tuple[int, ...]
    config: AimConfig | Method
    trace: Trace
    cost: Cost
    timing: Timing
    first_token_logprobs: np.ndarray
    overrides: TokenOverrides = NO_OVERRIDES
    frame_attention: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), dtype=np.float32))
    pictures: tuple[np.ndarray, ...] = ()
    token_attention: TokenAttention = field(default_factory=TokenAttention.none)
    peak_bytes: int | None = None
