"""Session: decides for each forward of one model, as the hooks ask, by which pass a method is carried out in it."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from threading import local
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from aim_core.adapters.base import Adapter
from aim_core.adapters.call import Call
from aim_core.adapters.layout import Layout
from aim_core.forward.batch import Batch, collate
from aim_core.forward.cache import PrunedCacheLayer, cache_to_fill
from aim_core.forward.diagnostics import Diagnostics
from aim_core.forward.merged_prompt import merge_prompt
from aim_core.forward.override_rows import NO_OVERRIDE_ROWS, OverrideRows, find_override_rows
from aim_core.forward.passes import DecodePass, Pass, PrefillPass
from aim_core.forward.recorder import Record, Recorder
from aim_core.forward.row_quota import RowQuota
from aim_core.forward.token_pruner import TokenPruner
from aim_core.methods.base import (
    AudioMethod,
    Method,
    PromptScorer,
    RuntimeSchedule,
    Scorer,
    Steps,
    merges_early,
    needs_tower,
    prunes_text,
    tower_share,
)
from aim_core.methods.counts import check_schedule
from aim_core.ops.merging import Merged, similarity_to_merged
from aim_core.overrides import NO_OVERRIDES, TokenOverrides


@dataclass(frozen=True, eq=False)
class EncodedPrompt:
    """A prompt whose vision side has run.

    inputs:   tensors for the model's forward, without pixels; of a sound's features the shape alone.
    features: what the vision side returned, the forward's `mm_encoder_outputs`; "audio": what the audio encoder did.
    calls:    how it was called, which tells where visual rows come from.
    """

    inputs: dict[str, Tensor]
    features: dict[str, Any]
    calls: list[Call]


class Session(local):
    """The `ForwardHooks` that carry out a method: they merge a prompt and begin the pass that prunes it, or goes on.

    Each thread has its own state (`threading.local` calls `__init__` with the same arguments in every new thread), so
    that several can use the model; the recorder is common to all.

    overrides:   patches of a single prompt to protect or to remove.
    diagnostics: what else is measured of a single prompt; None for nothing.
    """

    def __init__(
        self,
        adapter: Adapter,
        method: Method,
        overrides: TokenOverrides = NO_OVERRIDES,
        diagnostics: Diagnostics | None = None,
        recorder: Recorder | None = None,
    ):
        self.adapter, self.method, self.overrides, self.diagnostics = adapter, method, overrides, diagnostics
        self.recorder = recorder or Recorder()
        self._calls: list[Call] = []  # of the vision side, until the decoder is entered
        self._layouts: list[Layout] | None = None
        self._heard: Any = None  # what the audio encoder said already
        self._early: list[Merged] = []
        self._early_ms = 0.0
        self._tower: list[Tensor] = []
        self._saved_flops = 0
        self._request: dict[str, Any] = {}
        self._num_guessed = 0

    # What the caller knows already

    def use_prompt(self, prompt: EncodedPrompt) -> None:
        """The next prefill is of this prompt, whose vision side has run."""
        self._calls, self._heard = list(prompt.calls), prompt.features.get("audio")

    def use_layouts(self, layouts: list[Layout]) -> None:
        """The visual rows of the next prefill's prompts, instead of those read from their ids."""
        self._layouts = layouts

    def take_calls(self) -> list[Call]:
        """The calls of the vision side since the last prefill; they are forgotten here."""
        calls, self._calls = self._calls, []
        return calls

    # The vision side

    def known_audio(self) -> Any:
        return self._heard

    @property
    def wants_tower(self) -> bool:
        return needs_tower(self.method.merger)

    @property
    def tower_share(self) -> float:
        return tower_share(self.method.merger)

    def before_features(self) -> None:
        self._early, self._early_ms, self._tower, self._saved_flops = [], 0.0, [], 0

    def after_features(self, call: Call) -> None:
        merged = [one for whole in self._early for one in whole.each()]
        call = replace(call, merged=tuple(merged), merge_ms=self._early_ms, saved_flops=self._saved_flops)
        self._calls.append(self.adapter.with_tower(call, self._tower) if self._tower else call)
        self._tower = []

    def on_tower(self, query: Tensor, key: Tensor, scale: float, mask: Tensor | None) -> None:
        self._tower.append(self.adapter.tower().read(query, key, scale, mask))

    def saved_in_tower(self, flops: int) -> None:
        self._saved_flops += flops

    def project(self, tokens: Tensor, metric: Tensor) -> Tensor:
        if not merges_early(self.method.merger):
            return tokens
        self._wait(tokens)
        begun = time.perf_counter()
        merged = self.method.merger(tokens, metric[:, -tokens.shape[1] :])
        self._wait(tokens)
        if not isinstance(merged, Merged):
            raise TypeError(f"a merger before the projector must give a Merged, got {type(merged).__name__}")
        self._early_ms += (time.perf_counter() - begun) * 1000
        similarity = similarity_to_merged(tokens, merged.tokens, merged.group)  # the features are gone later
        self._early.append(replace(merged, similarity=similarity))
        return merged.tokens

    def unproject(self, projected: Tensor) -> Tensor:
        if not self._early:
            return projected
        group = self._early[-1].group.to(projected.device)
        return projected.gather(1, group[..., None].expand(-1, -1, projected.shape[-1]))

    # The language model

    def request(self, kwargs: dict[str, Any]) -> None:
        known = self._calls or self._layouts is not None
        if kwargs.get("use_cache") is False and kwargs.get("mm_encoder_outputs") and not known:
            raise ValueError("generate needs its cache inside aim(): leave out use_cache=False")
        self._request = kwargs

    def guessed(self, count: int) -> None:
        self._num_guessed = count

    def enter_decoder(self, kwargs: dict[str, Any]) -> tuple[Pass, dict[str, Any] | None]:
        cache, layouts = kwargs.get("past_key_values"), self._find_layouts()
        self.forget()
        num_guessed, self._num_guessed = self._num_guessed, 0
        if cache is not None and cache.get_seq_length():
            if layouts:
                raise ValueError(
                    "images and videos must all come in the first turn: start anew, without past_key_values"
                )
            return self._go_on(cache, kwargs)
        return self._begin(layouts, kwargs, num_guessed) if layouts else (Pass(self.diagnostics), None)

    def forget(self) -> None:
        """A forward is over, by an error perhaps: what it was given waits for no other."""
        self._calls, self._layouts, self._heard = [], None, None

    # How a prefill begins

    def _find_layouts(self) -> list[Layout]:
        """Where the visual rows of this forward's prompts are; empty for text alone."""
        if self._layouts is not None:
            return self._layouts
        ids = self._request.get("input_ids")
        if self._calls:
            if ids is None:
                raise ValueError("inside aim() pass input_ids with the images or videos, not inputs_embeds")
            return self.adapter.layouts(ids, self._calls)
        if _is_later(self._request):
            return []  # a model may well generate a placeholder
        if ids is None or any(
            place is not None and (ids == place).any() for place in self.adapter.placeholder_token_ids().values()
        ):
            raise ValueError("pass input_ids and the images or videos they make place for, encoded inside aim()")
        return []

    def _begin(
        self, layouts: list[Layout], kwargs: dict[str, Any], num_guessed: int
    ) -> tuple[Pass, dict[str, Any] | None]:
        """Merge and ask the schedule: the prefill, and what the decoder gets instead; None to leave all as it is."""
        embeds, mask, method = kwargs["inputs_embeds"], kwargs.get("attention_mask"), self.method
        decoder, config = self.adapter.decoder, self.adapter.decoder.config
        if decoder.training and getattr(decoder, "gradient_checkpointing", False):
            raise ValueError("layers cannot be run a second time: call model.gradient_checkpointing_disable() first")
        uses_cache = config.use_cache if kwargs.get("use_cache") is None else kwargs["use_cache"]
        cache = cache_to_fill(kwargs.get("past_key_values"), config, self.adapter.num_layers, uses_cache)
        if mask is not None and (isinstance(mask, dict) or mask.ndim != 2):
            raise ValueError("pass attention_mask as (batch, length), or leave it out")
        batch = self._merge(embeds, layouts, mask)
        droppable = batch.visual | (_all_but_last(batch.valid, 1 + num_guessed) if method.drop_text else False)
        droppable = droppable & batch.valid
        planned = [self._planned(int(count)) for count in droppable.sum(dim=1)]
        rows = NO_OVERRIDE_ROWS
        if self.overrides:
            rows = find_override_rows(self.overrides, batch.prompts[0].groups, batch.visual)
        num_layers, first = self.adapter.num_layers, self.adapter.first_droppable
        audio = RowQuota.of_audio(batch, self._audio, num_layers, first)
        text = self._text(batch, num_guessed)
        drops, entering = method.mode == "dropped", [rows.entering(own) for own in planned]
        prunes = any(own[-1] < counts[0] for own, counts in zip(entering, planned, strict=True))
        touches = method.merger.reduces() or prunes or _may_decide(method) or audio.reduces or text.reduces
        steps = self._steps(batch, entering)
        pruner = TokenPruner(
            batch.valid, droppable, entering, drops, rows, num_guessed, method.folder, steps, first, audio, text
        )
        renumber = method.positions == "sequential" and not self.adapter.grid_positions
        shift = batch.num_removed if renumber else torch.zeros_like(batch.num_removed)
        records = self.recorder.records = [
            Record.begin(layout, prompt, own, self.adapter.audio_seconds, heard)
            for layout, prompt, own, heard in zip(layouts, batch.prompts, planned, audio.counts, strict=True)
        ]
        if self.diagnostics is not None:
            self.diagnostics.begin(embeds[0], batch.prompts[0])
        visual = batch.visual & batch.valid
        scorers = self._scorers(batch, rows, num_guessed)
        prefill = PrefillPass(
            scorers, pruner, visual, records, cache, embeds.shape[1], shift, touches, self.diagnostics
        )
        if not touches:
            return prefill, None
        inputs = batch.decoder_inputs(kwargs, renumber, rows.remove if drops else None)
        return prefill, kwargs | inputs | {"past_key_values": cache}

    def _merge(self, embeds: Tensor, layouts: list[Layout], mask: Tensor | None) -> Batch:
        self._wait(embeds)
        begun = time.perf_counter()
        if len(layouts) != len(embeds):
            raise ValueError(f"every prompt of a batch needs visual tokens: {len(layouts)} of {len(embeds)} have")
        keep_positions = self.method.positions == "original"
        pairs = zip(embeds, layouts, strict=True)
        audio = None if self._audio is None else self._audio.merger
        prompts = [merge_prompt(own, layout, self.method.merger, keep_positions, audio) for own, layout in pairs]
        batch = collate(prompts, mask)
        self._wait(embeds)
        self.recorder.merge_ms = (time.perf_counter() - begun) * 1000
        return batch

    @property
    def _audio(self) -> AudioMethod | None:
        return None if self.method.drop_text else self.method.audio

    def _text(self, batch: Batch, num_guessed: int) -> RowQuota:
        """Text rows that may go by a count of their own: all but the last one that is not only guessed."""
        num_layers, schedule = self.adapter.num_layers, self.method.text
        if schedule is None:
            return RowQuota.none(batch.valid, num_layers)
        others = batch.visual | batch.audio
        rows = batch.valid & ~others & _all_but_last(batch.valid, 1 + num_guessed)
        return RowQuota.by(schedule, rows, num_layers, self.adapter.first_droppable)

    def _scorers(self, batch: Batch, rows: OverrideRows, num_guessed: int) -> list[Scorer]:
        """One for each prompt, which it may have to know."""
        scorer = self.method.scorer
        if not isinstance(scorer, PromptScorer):
            return [scorer] * len(batch.prompts)
        if prunes_text(self.method):
            raise ValueError("this method scores by the question's tokens: it cannot drop text")
        found = []
        for prompt, valid in zip(batch.prompts, batch.valid, strict=True):
            told = valid[-len(prompt.rows) :] & (True if rows.remove is None else ~rows.remove[0])
            told[len(told) - num_guessed :] = False
            found.append(scorer.for_prompt(prompt.embeds[told], prompt.visual[told]))
        return found

    def _steps(self, batch: Batch, entering: list[list[int]]) -> list[Steps]:
        """Of a schedule that is decided while the layers run, one for each prompt; else none."""
        schedule, length = self.method.schedule, batch.embeds.shape[1]
        if not isinstance(schedule, RuntimeSchedule):
            return []
        pairs = zip(batch.prompts, entering, strict=True)
        cells = [(F.pad(own.cells(), (0, 0, length - len(own.rows), 0), value=-1), counts) for own, counts in pairs]
        return [schedule.begin(self.adapter.num_layers, counts[0], own) for own, counts in cells]

    def _planned(self, count: int) -> list[int]:
        """How many of `count` rows that may be dropped enter each layer, at most."""
        counts = self.method.schedule.tokens_entering(count, self.adapter.num_layers)
        check_schedule(counts, self.adapter.num_layers, count, self.adapter.first_droppable)
        return counts

    def _go_on(self, cache: Any, kwargs: dict[str, Any]) -> tuple[Pass, dict[str, Any] | None]:
        """A forward after the prefill: new positions shifted, masks left to the layers."""
        if not isinstance(cache.layers[0], PrunedCacheLayer):
            return Pass(self.diagnostics), None
        embeds, mask, first = kwargs["inputs_embeds"], kwargs.get("attention_mask"), cache.layers[0]
        num_new = embeds.shape[1]
        incoming = torch.ones(embeds.shape[:2], dtype=torch.bool, device=embeds.device)
        if mask is not None:
            if isinstance(mask, dict) or mask.ndim != 2:
                raise ValueError("pass attention_mask as (batch, length), or leave it out")
            incoming = mask[:, -num_new:].bool()
        full = kwargs.get("position_ids")
        if full is None:
            full = torch.arange(num_new, device=embeds.device)[None] + cache.get_seq_length()
        free = torch.ones(1, 1, 1, 1, dtype=torch.bool, device=embeds.device)  # each layer puts its own in its place
        changed = kwargs | {"attention_mask": free, "position_ids": full - first.shift.to(full.device)}
        return DecodePass(cache, incoming, self.diagnostics), changed

    def _wait(self, tensor: Tensor) -> None:
        if tensor.device.type == "cuda":
            torch.cuda.synchronize(tensor.device)


def _is_later(request: dict[str, Any]) -> bool:
    cache = request.get("past_key_values")
    return cache is not None and cache.get_seq_length() > 0


def _may_decide(method: Method) -> bool:
    return isinstance(method.schedule, RuntimeSchedule) and method.schedule.reduces()


def _all_but_last(valid: Tensor, count: int) -> Tensor:
    """(b, n) bool: every row but the last `count`."""
    rest = torch.ones_like(valid)
    rest[:, -count:] = False
    return rest
