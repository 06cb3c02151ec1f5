"""Engine: media and a question in, an answer and everything that happened to the visual tokens out."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import DynamicCache

from aim_core.adapters.base import Adapter
from aim_core.config import AimConfig
from aim_core.conversation import Conversation, check_question
from aim_core.errors import Stopped
from aim_core.forward.diagnostics import Diagnostics
from aim_core.forward.dialect import cache_of
from aim_core.forward.greedy import decode
from aim_core.forward.hooks import patched, position_state, stoppable, told
from aim_core.forward.recorder import Record
from aim_core.forward.session import EncodedPrompt, Session
from aim_core.loading import load_adapter
from aim_core.low_bits import FULL
from aim_core.media.frames import SOUND_RATE, Frames
from aim_core.methods.aim import as_method
from aim_core.methods.base import Method, decides_at_run_time
from aim_core.ops.flops import Cost, prefill_flops
from aim_core.overrides import NO_OVERRIDES, TokenOverrides
from aim_core.prompt_encoder import PromptEncoder
from aim_core.result import Planned, PrefillTimes, Result, Timing
from aim_core.shown import Media, Sound, frames_of
from aim_core.timing import timed
from aim_core.trace import Trace
from aim_core.turns import NOBODY, Asker

_LOOK_UP = 0.05  # seconds between looks at `stop` while another run is under way
_HALF = "\ufffd"  # what tokenizers make of a character of which not all tokens have come


class Engine:
    """A model with AIM around its prefill. One run at a time; further callers wait."""

    def __init__(self, adapter: Adapter):
        self.adapter = adapter
        self._lock = threading.Lock()
        self._prompts = PromptEncoder(adapter)

    @classmethod
    def from_pretrained(
        cls,
        id_or_path: str | Path,
        device: str = "auto",
        dtype: str | torch.dtype = "auto",
        weights: str = FULL,
    ) -> Engine:
        """Load a checkpoint of a supported family from the Hub or a folder; the others: as in `loading.load_adapter`.

        Raises `loading.ModelLoadError`.
        """
        return cls(load_adapter(id_or_path, device, dtype, weights=weights))

    @property
    def num_layers(self) -> int:
        return self.adapter.num_layers

    def run(
        self,
        media: Media,
        question: str,
        *,
        config: AimConfig | Method,
        num_frames: int = 8,
        sound: Sound = True,
        max_new_tokens: int = 64,
        details: bool = False,
        other_scores: bool = False,
        overrides: TokenOverrides | None = None,
        stop: Callable[[], bool] | None = None,
        on_layer: Callable[[int], None] | None = None,
        on_text: Callable[[str], None] | None = None,
    ) -> Result:
        """Answer `question` about `media`.

        media:          a video or image file, frames (F, H, W, 3) uint8 RGB, or what `frames` gave, with a sound
                        perhaps (`Frames.with_audio`); or a list of several pictures, files or arrays (H, W, 3).
        num_frames:     how many frames to sample from a file, evenly in time.
        sound:          True: with a model that hears, that of the media: a video file's own, or what `Frames` hold.
                        False: none. Else what sounds beside the media: a file, or samples as `with_audio` takes them.
        details:        whether to fill `LayerTrace.steps`, `Result.frame_attention` and `Result.token_attention`.
        other_scores:   whether to fill `LayerTrace.received` and `LayerTrace.last_token`; details fill them too.
        overrides:      patches to protect or to remove.
        stop:           asked before every layer and while other runs are waited for; once it is true the run ends.
        on_layer:       told each layer of the language model before it runs: all of them for the prefill, then all of
                        them again for each token of the answer but the first.
        on_text:        told the answer so far after each of its tokens, without a character that is not whole yet;
                        what it takes counts as decoding.
        Raises MediaError for a file that cannot be used, ValueError for an empty question, bad numbers or overrides
        that do not fit, and Stopped; the engine can be used again after each of them.
        """
        return self.converse(
            media,
            question,
            config=config,
            num_frames=num_frames,
            sound=sound,
            max_new_tokens=max_new_tokens,
            details=details,
            other_scores=other_scores,
            overrides=overrides,
            stop=stop,
            on_layer=on_layer,
            on_text=on_text,
        ).result

    def converse(
        self,
        media: Media,
        question: str,
        *,
        config: AimConfig | Method,
        num_frames: int = 8,
        sound: Sound = True,
        max_new_tokens: int = 64,
        details: bool = False,
        other_scores: bool = False,
        overrides: TokenOverrides | None = None,
        stop: Callable[[], bool] | None = None,
        on_layer: Callable[[int], None] | None = None,
        on_text: Callable[[str], None] | None = None,
    ) -> Conversation:
        """As `run`, whose Result is the conversation's `result`; its `ask` answers further questions on the cache."""
        check_question(question)
        if max_new_tokens < 1:
            raise ValueError(f"max_new_tokens must be at least 1, got {max_new_tokens}")
        frames = self.frames(media, num_frames, sound=sound, asker=_asker(stop))
        diagnostics = Diagnostics(details, other_scores)
        session = Session(self.adapter, as_method(config), overrides or NO_OVERRIDES, diagnostics)
        with (
            self._exclusive(stop),
            torch.inference_mode(),
            stoppable(self.adapter.model, stop),
            told(self.adapter.decoder, on_layer),
        ):
            return self._converse(frames, question, config, session, diagnostics, max_new_tokens, on_text)

    def frames(
        self,
        media: Media,
        num_frames: int = 8,
        *,
        sound: Sound = True,
        asker: Asker = NOBODY,
    ) -> Frames:
        """What `run` would show the model, read from a file where media is one; media, num_frames, sound, and what is
        raised: as there. `Frames.sound` says what became of a video file's sound. asker: as in `load_frames`."""
        return frames_of(self.adapter, media, num_frames, sound, asker)

    def pictures(self, frames: Frames) -> tuple[np.ndarray, ...]:
        """What the vision tower is given of each view of these frames, (h, w, 3) uint8: resized, cut, put together."""
        inputs = self.adapter.inputs(frames.shown, frames.times, "What is it?")
        return self.adapter.pictures(inputs, self.adapter.kind(frames.shown))

    def view_tokens(self, frames: Frames, question: str) -> tuple[np.ndarray, ...]:
        """The visual tokens of each view of these frames, (n, width) float32, before any merging.

        question: which one does not matter; after a run that asked the same, all comes from memory.
        """
        session = Session(self.adapter, as_method(AimConfig.dense()))
        with self._exclusive(None), torch.inference_mode(), patched(self.adapter, session):
            calls = self._prompts.encode(frames, question, session).calls
            return tuple(tokens.float().cpu().numpy() for tokens in self.adapter.view_tokens(calls))

    def planned(
        self,
        media: Media,
        question: str,
        *,
        config: AimConfig | Method,
        num_frames: int = 8,
        sound: Sound = True,
        stop: Callable[[], bool] | None = None,
    ) -> Planned:
        """How many visual and audio tokens `run` will let into each layer: all is done as in a run up to the first
        layer, or to the last one where a method decides while they run.

        media, question, num_frames, sound, stop, and what is raised: as in `run`.
        """
        check_question(question)
        frames = self.frames(media, num_frames, sound=sound, asker=_asker(stop))
        session = Session(self.adapter, as_method(config))
        with self._exclusive(stop), torch.inference_mode(), patched(self.adapter, session):
            with stoppable(self.adapter.model, stop):
                prompt = self._prompts.encode(frames, question, session)
            if stop and stop():  # nobody asks while a remembered prompt is merged
                raise Stopped
            session.use_prompt(prompt)
            if decides_at_run_time(session.method):
                with stoppable(self.adapter.model, stop):
                    self._first_token(prompt)
            else:
                with stoppable(self.adapter.model, lambda: True), suppress(Stopped):
                    self._first_token(prompt)
        record = session.recorder.record
        ids = prompt.inputs["input_ids"]
        (layout,) = self.adapter.layouts(ids, prompt.calls)
        num_text = ids.shape[1] - len(layout.visual) - sum(record.audio_chunks)
        return Planned(record.views, record.planned, num_text, record.planned_audio, record.audio_chunks)

    def time_prefills(
        self,
        media: Media,
        question: str,
        *,
        configs: Sequence[AimConfig | Method],
        num_frames: int = 8,
        sound: Sound = True,
        repeats: int = 3,
        warm: int = 1,
        vision: bool = True,
        stop: Callable[[], bool] | None = None,
    ) -> list[PrefillTimes]:
        """How long a prefill takes under each of `configs`, for a fair comparison: each once in every turn.

        Timed from the visual tokens to the first answer token: merging, the language model and PageRank, but neither
        the vision tower nor decoding. (LLaVA-1.5 merges in the tower's pass; the time of that is added to each.)
        Timed as well with preprocessing and the vision tower, which see the frames anew each time if `vision` says so.
        repeats: turns that count; warm: turns before them that do not; 0 where all of it has just run.
        media, question, num_frames, sound, stop, and what is raised: as in `run`.
        """
        check_question(question)
        if repeats < 1 or warm < 0:
            raise ValueError(f"repeats must be at least 1 and warm at least 0, got {repeats}, {warm}")
        frames = self.frames(media, num_frames, sound=sound, asker=_asker(stop))
        methods = [as_method(config) for config in configs]
        with self._exclusive(stop), torch.inference_mode(), stoppable(self.adapter.model, stop):
            turns = [
                [self._one_prefill(frames, question, own, vision) for own in methods] for _ in range(warm + repeats)
            ]
        times = [PrefillTimes(*zip(*own, strict=True)) for own in zip(*turns[warm:], strict=True)]
        return times if vision else [replace(own, first_word_ms=()) for own in times]

    @contextmanager
    def _exclusive(self, stop: Callable[[], bool] | None) -> Iterator[None]:
        """Wait until no other run is under way."""
        while not self._lock.acquire(timeout=_LOOK_UP if stop else -1):
            if stop and stop():
                raise Stopped
        try:
            yield
        finally:
            self._lock.release()

    def _one_prefill(self, frames: Frames, question: str, method: Method, vision: bool) -> tuple[float, float, float]:
        """Milliseconds of a prefill, merging included, of merging alone, and from the frames to the first word."""
        session = Session(self.adapter, method)
        encode = self._prompts.encode_anew if vision else self._prompts.encode
        with patched(self.adapter, session):
            prompt, vision_ms = self._timed(encode, frames, question, session)
            _, _, prefill_ms, merge_ms = self._prefill(prompt, session)
        return prefill_ms, merge_ms, vision_ms + prefill_ms - _early_ms(prompt)

    def _converse(
        self,
        frames: Frames,
        question: str,
        config: AimConfig | Method,
        session: Session,
        diagnostics: Diagnostics,
        max_new_tokens: int,
        on_text: Callable[[str], None] | None,
    ) -> Conversation:
        tell = None if on_text is None else lambda ids: on_text(self.adapter.said(ids).rstrip(_HALF))
        with patched(self.adapter, session):
            prompt, vision_ms = self._timed(self._prompts.encode, frames, question, session)
            self._begin_peak()
            logits, cache, prefill_ms, merge_ms = self._prefill(prompt, session)
            similarity = diagnostics.similarity()
            begins = self.adapter.next_position(prompt.inputs)
            ids, decode_ms = self._timed(decode, self.adapter.model, logits, cache, max_new_tokens, begins, tell)
            peak_bytes, positions = self._peak_bytes(), position_state(self.adapter)
        timing = Timing(vision_ms, merge_ms, prefill_ms, decode_ms)
        record = session.recorder.record
        record = replace(record, views=self.adapter.locate(record.views, frames.media_sizes))
        measured: dict[str, Any] = {}
        sizes = np.array(frames.sizes, dtype=np.int64) if frames.sizes else None
        if diagnostics.details:
            measured["frame_attention"], measured["token_attention"] = diagnostics.attention(record, cache)
        result = Result(
            answer=self.adapter.said(ids),
            answer_ids=tuple(ids),
            config=config,
            trace=replace(_heard(record.trace(frames.frames, frames.times, similarity), frames), sizes=sizes),
            cost=self._cost(record, prompt, session.method),
            timing=timing,
            first_token_logprobs=logits[0].float().log_softmax(-1).cpu().numpy(),
            overrides=session.overrides,
            peak_bytes=peak_bytes,
            **measured,
        )
        parts = self.adapter.shown(frames.shown, frames.times, frames.audio)[0]
        return Conversation(self.adapter, self._exclusive, parts, question, result, cache, positions)

    def _prefill(self, prompt: EncodedPrompt, session: Session) -> tuple[Tensor, DynamicCache, float, float]:
        """`_first_token`, the milliseconds it took with all merging, and those of merging alone."""
        session.use_prompt(prompt)
        (logits, cache), ms = self._timed(self._first_token, prompt)
        early_ms = _early_ms(prompt)
        return logits, cache, ms + early_ms, session.recorder.merge_ms + early_ms

    def _first_token(self, prompt: EncodedPrompt) -> tuple[Tensor, DynamicCache]:
        """One pass over the prompt: logits (1, vocabulary) of the next token, and the cache to go on with."""
        features = dict(prompt.features)
        out = self.adapter.model(**prompt.inputs, mm_encoder_outputs=features, use_cache=True, logits_to_keep=1)
        return out.logits[:, -1], cache_of(out)

    def _cost(self, record: Record, prompt: EncodedPrompt, method: Method) -> Cost:
        tokens = tuple(record.num_rows)
        audio = () if method.drop_text else record.audio_per_layer  # it goes as text does there
        num_text = record.num_text[0] - sum(audio[:1])
        language = prefill_flops(tokens, **self.adapter.sizes)
        vision = sum(self.adapter.vision_flops(call) - call.saved_flops for call in prompt.calls)
        vision += self.adapter.audio_flops(prompt.inputs)
        return Cost(tokens, tuple(map(len, record.kept)), num_text, language, vision, audio)

    def _timed(self, function: Callable, *args: Any) -> tuple[Any, float]:
        return timed(self.adapter.model.device, function, *args)

    @property
    def _on_cuda(self) -> bool:
        return self.adapter.model.device.type == "cuda"

    def _begin_peak(self) -> None:
        if self._on_cuda:
            torch.cuda.reset_peak_memory_stats(self.adapter.model.device)

    def _peak_bytes(self) -> int | None:
        return torch.cuda.max_memory_allocated(self.adapter.model.device) if self._on_cuda else None


def _asker(stop: Callable[[], bool] | None) -> Asker:
    return Asker(stop=stop) if stop else NOBODY


def _heard(trace: Trace, frames: Frames) -> Trace:
    """The same with the loudness of its audio tokens."""
    if trace.audio is None or frames.audio is None:
        return trace
    return replace(trace, audio=trace.audio.hearing(frames.audio, SOUND_RATE))


def _early_ms(prompt: EncodedPrompt) -> float:
    """What merging took in the vision tower's pass, where a family merges there."""
    return sum(call.merge_ms for call in prompt.calls)
