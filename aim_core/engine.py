"""Engine: media and a question in, an answer and everything that happened to the visual tokens out."""

from __future__ import annotations

import hashlib
import statistics
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from transformers import DynamicCache

from aim_core.adapters.llava_onevision import LlavaOnevisionAdapter
from aim_core.config import AimConfig
from aim_core.cost import Cost, prefill_flops
from aim_core.hooks import Pruning, pruning
from aim_core.importance import pagerank
from aim_core.loading import load_adapter
from aim_core.media.decode import load_frames
from aim_core.media.frames import Frames
from aim_core.merging import merge_tokens
from aim_core.result import Result, Timing
from aim_core.trace import LayerTrace, Trace

_FEATURES_KEPT = 8  # media whose visual tokens are kept for the next run


@dataclass(frozen=True, eq=False)
class _Prefill:
    """What one prefill leaves: next-token logits (1, vocabulary), the cache for decoding, and what was dropped."""

    logits: Tensor
    cache: DynamicCache
    record: Pruning


class Engine:
    """A model with AIM around its prefill. One run at a time; further callers wait."""

    def __init__(self, adapter: LlavaOnevisionAdapter):
        self.adapter = adapter
        self._lock = threading.Lock()
        self._features: OrderedDict[str, tuple[Tensor, Tensor]] = OrderedDict()

    @classmethod
    def from_pretrained(cls, id_or_path: str | Path, device: str = "auto", dtype: str | torch.dtype = "auto") -> Engine:
        """Load a LLaVA-OneVision checkpoint from the Hub or a folder. Raises `loading.ModelLoadError`."""
        return cls(load_adapter(id_or_path, device, dtype))

    @property
    def num_layers(self) -> int:
        return self.adapter.num_layers

    def run(
        self,
        media: str | Path | np.ndarray | Frames,
        question: str,
        config: AimConfig,
        num_frames: int = 8,
        max_new_tokens: int = 64,
        timed_prefills: int = 1,
    ) -> Result:
        """Answer `question` about `media`.

        media:          a video or image file, frames (F, H, W, 3) uint8 RGB, or what `load_frames` gave.
        num_frames:     how many frames to sample from a file, evenly in time.
        timed_prefills: how often to run the prefill for its time (the median counts).
        Raises MediaError for a file that cannot be used and ValueError for an empty question or bad numbers.
        """
        if not question.strip():
            raise ValueError("The question is empty. Type a question about the video.")
        if max_new_tokens < 1 or timed_prefills < 1:
            raise ValueError(
                f"max_new_tokens and timed_prefills must be at least 1, got {max_new_tokens}, {timed_prefills}"
            )
        frames = _frames(media, num_frames)
        with self._lock, torch.inference_mode():
            return self._run(frames, question, config, max_new_tokens, timed_prefills)

    def _run(
        self, frames: Frames, question: str, config: AimConfig, max_new_tokens: int, timed_prefills: int
    ) -> Result:
        (tokens, suffix), vision_ms = self._timed(self._encode, frames.frames)
        merged, merge_ms = self._timed(merge_tokens, tokens, config.keep_ratio)
        visual = torch.cat([merged.tokens.flatten(0, 1), suffix])  # (F * k + suffix rows, d)
        ids, start = self.adapter.prompt(question, len(visual))
        plan = config.tokens_entering(len(visual), self.num_layers)
        embeds = self.adapter.embed(ids).clone()
        embeds[0, start : start + len(visual)] = visual
        times = []
        for _ in range(timed_prefills):
            prefill, prefill_ms = self._timed(self._prefill, embeds, plan, start, config)
            times.append(prefill_ms)
        answer_ids, decode_ms = self._timed(self._decode, prefill, ids.shape[1], max_new_tokens)
        answer = self.adapter.processor.tokenizer.decode(answer_ids, skip_special_tokens=True).strip()
        trace = _trace(frames, self.adapter.grid, merged.group, prefill.record)
        cost = self._cost(trace, ids.shape[1] - len(visual))
        timing = Timing(vision_ms, merge_ms, statistics.median(times), decode_ms)
        return Result(answer, tuple(answer_ids), config, trace, cost, timing)

    def _encode(self, frames: np.ndarray) -> tuple[Tensor, Tensor]:
        """Visual tokens and suffix rows of these frames, from memory if they were seen lately."""
        key = hashlib.sha256(repr(frames.shape).encode() + np.ascontiguousarray(frames).tobytes()).hexdigest()
        if key not in self._features:
            self._features[key] = self.adapter.encode(frames)
            while len(self._features) > _FEATURES_KEPT:
                self._features.popitem(last=False)
        self._features.move_to_end(key)
        return self._features[key]

    def _prefill(self, embeds: Tensor, plan: list[int], start: int, config: AimConfig) -> _Prefill:
        """One pass over the prompt, dropping visual tokens as planned."""
        score = partial(
            pagerank, temperature=config.temperature, iterations=config.iterations, teleport=config.teleport
        )
        cache = DynamicCache(config=self.adapter.decoder.config)
        with pruning(self.adapter.decoder, plan, start, plan[0], score) as record:
            out = self.adapter.model(inputs_embeds=embeds, past_key_values=cache, use_cache=True, logits_to_keep=1)
        return _Prefill(out.logits[:, -1], cache, record)

    def _decode(self, prefill: _Prefill, position: int, max_new_tokens: int) -> list[int]:
        """Greedy token ids, the end mark included.

        Each layer's cache holds the rows that entered it, keys already rotated at their positions of the
        full prompt; new tokens go on from there, so every step equals masking the dropped rows.
        """
        ends = self._end_ids()
        answer = [int(prefill.logits.argmax(-1))]
        while answer[-1] not in ends and len(answer) < max_new_tokens:
            token = torch.tensor([[answer[-1]]], device=prefill.logits.device)
            out = self.adapter.model(
                input_ids=token,
                position_ids=torch.full_like(token, position + len(answer) - 1),
                past_key_values=prefill.cache,
                use_cache=True,
                logits_to_keep=1,
            )
            answer.append(int(out.logits[:, -1].argmax(-1)))
        return answer

    def _end_ids(self) -> set[int]:
        ends = self.adapter.model.generation_config.eos_token_id
        if ends is None:
            ends = self.adapter.decoder.config.eos_token_id
        return set(ends) if isinstance(ends, list | tuple) else {ends}

    def _cost(self, trace: Trace, num_text: int) -> Cost:
        visual = tuple(int(count) for count in trace.retained)
        tokens = tuple(count + num_text for count in visual)
        language = prefill_flops(tokens, **self.adapter.sizes)
        return Cost(tokens, visual, num_text, language, self.adapter.vision_flops(trace.num_frames))

    def _timed(self, function, *args):
        """Call it; what it returned, and the milliseconds that took by the clock."""
        self._wait()
        begun = time.perf_counter()
        result = function(*args)
        self._wait()
        return result, (time.perf_counter() - begun) * 1000

    def _wait(self) -> None:
        if self.adapter.model.device.type == "cuda":
            torch.cuda.synchronize()


def _frames(media: str | Path | np.ndarray | Frames, num_frames: int) -> Frames:
    if isinstance(media, Frames):
        return media
    if not isinstance(media, np.ndarray):
        return load_frames(media, num_frames)
    if media.ndim != 4 or media.shape[-1] != 3 or media.dtype != np.uint8 or not media.size:
        raise ValueError(f"frames must be (F, H, W, 3) uint8, got {media.dtype} {media.shape}")
    kind = "image" if len(media) == 1 else "video"
    return Frames(media, np.arange(len(media), dtype=np.float32), float(len(media)), kind)


def _trace(frames: Frames, grid: tuple[int, int], group: Tensor, record: Pruning) -> Trace:
    """The run as NumPy records."""
    none = np.zeros(0, dtype=np.float32)
    layers = tuple(
        LayerTrace(index, kept.numpy(), none if scores is None else scores.float().cpu().numpy())
        for index, (kept, scores) in enumerate(zip(record.kept, record.scores, strict=True))
    )
    planned = np.array(record.plan, dtype=np.int64)
    return Trace(frames.frames, frames.times, grid, group.cpu().numpy(), layers, planned)
