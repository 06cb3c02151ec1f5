"""Session: carries a method through a model's forwards: what it hears from the hooks, and what it answers."""

from __future__ import annotations

import time
from dataclasses import replace
from threading import local
from typing import Any

import torch
from torch import Tensor

from aim_core.adapters.base import Adapter, Call
from aim_core.adapters.layout import Layout
from aim_core.forward.batch import Batch, side_by_side
from aim_core.forward.cache import ReducedLayer, cache_to_fill
from aim_core.forward.diagnostics import Notes
from aim_core.forward.merged_prompt import shorten
from aim_core.forward.override_rows import NO_MARKS, find_marks
from aim_core.forward.passes import LaterPass, PrefillPass
from aim_core.forward.recorder import Record, Recorder
from aim_core.forward.token_pruner import Alive
from aim_core.methods.base import Method, check_plan
from aim_core.ops.merging import Merged, similarity_to_merged
from aim_core.overrides import NOTHING_MARKED, ByHand


class Session(local):
    """The guest of one model (`hooks.attached`) while a method is carried out on it.

    What it hears in a thread stays in that thread (`threading.local`: a thread that comes anew gets attributes of its
    own, by `__init__` with the same arguments), so that several can use the model; the recorder is common to all.

    by_hand: marks on the patches of a single prompt.
    notes:   who listens beside, if anybody; to a single prompt as well.
    calls:   what the vision side gave, waiting for the decoder; the engine puts remembered ones here.
    layouts: where the visual rows of the next prompt are, if the caller knows; otherwise read from its ids.
    """

    def __init__(
        self, adapter: Adapter, method: Method, by_hand: ByHand = NOTHING_MARKED, notes: Notes | None = None,
        recorder: Recorder | None = None,
    ):  # fmt: skip
        self.adapter, self.method, self.by_hand, self.notes = adapter, method, by_hand, notes
        self.recorder = recorder or Recorder()
        self.calls: list[Call] = []
        self.layouts: list[Layout] | None = None
        self._early: list[Merged] = []
        self._early_ms = 0.0
        self._request: dict[str, Any] = {}
        self._num_guessed = 0
        self._pass: PrefillPass | LaterPass | None = None

    # The vision side

    def before_features(self) -> None:
        self._early, self._early_ms = [], 0.0

    def after_features(self, call: Call) -> None:
        merged = [one for whole in self._early for one in whole.each()]
        self.calls.append(Call(call.modality, call.arguments, call.output, tuple(merged), self._early_ms))

    def project(self, tokens: Tensor, metric: Tensor) -> Tensor:
        self._wait(tokens)
        begun = time.perf_counter()
        merged = self.method.reduce(tokens, metric[:, -tokens.shape[1] :])
        self._wait(tokens)
        self._early_ms += (time.perf_counter() - begun) * 1000
        similarity = similarity_to_merged(tokens, merged.tokens, merged.group)  # the features are gone later
        self._early.append(replace(merged, similarity=similarity))
        return merged.tokens

    def unproject(self, projected: Tensor) -> Tensor:
        group = self._early[-1].group.to(projected.device)
        return projected.gather(1, group[..., None].expand(-1, -1, projected.shape[-1]))

    # The language model

    def request(self, kwargs: dict[str, Any]) -> None:
        known = self.calls or self.layouts is not None
        if kwargs.get("use_cache") is False and kwargs.get("mm_encoder_outputs") and not known:
            raise ValueError("generate needs its cache inside aim(): leave out use_cache=False")
        self._request = kwargs

    def guessed(self, count: int) -> None:
        self._num_guessed = count

    def enter_decoder(self, kwargs: dict[str, Any]) -> dict[str, Any] | None:
        cache, self._pass = kwargs.get("past_key_values"), None
        layouts, self.layouts, self.calls = self._take_layouts(), None, []
        num_guessed, self._num_guessed = self._num_guessed, 0
        if cache is not None and cache.get_seq_length():
            if layouts:
                raise ValueError(
                    "images and videos must all come in the first turn: start anew, without past_key_values"
                )
            return self._go_on(cache, kwargs)
        return self._begin(layouts, kwargs, num_guessed) if layouts else None

    def enter_layer(self, layer: int, hidden: Tensor, kwargs: dict[str, Any]) -> tuple[Tensor, dict[str, Any]]:
        return (hidden, kwargs) if self._pass is None else self._pass.enter_layer(layer, hidden, kwargs)

    @torch.no_grad()
    def watch(self, layer: int, query: Tensor, key: Tensor, scale: float) -> None:
        if self.notes is not None:
            self.notes.hear(layer, query, scale)
        if self._pass is not None:
            self._pass.watch(layer, query, key, scale)

    def leave_decoder(self) -> None:
        if self._pass is not None:
            self._pass.leave()
            self._pass = None

    def forget(self) -> None:
        """A forward is over, by an error perhaps: what it was given waits for no other."""
        self.calls, self.layouts = [], None

    # How a prefill begins

    def _take_layouts(self) -> list[Layout]:
        """Where the visual rows of this forward's prompts are; empty for text alone."""
        if self.layouts is not None:
            return self.layouts
        ids = self._request.get("input_ids")
        if self.calls:
            if ids is None:
                raise ValueError("inside aim() pass input_ids with the images or videos, not inputs_embeds")
            return self.adapter.layouts(ids, self.calls)
        if _is_later(self._request):
            return []  # a model may well generate a placeholder
        if ids is None or any(
            place is not None and (ids == place).any() for place in self.adapter.place_ids().values()
        ):
            raise ValueError("pass input_ids and the images or videos they make place for, encoded inside aim()")
        return []

    def _begin(self, layouts: list[Layout], kwargs: dict[str, Any], num_guessed: int) -> dict[str, Any] | None:
        """Merge, plan, and answer with what the decoder gets instead; None to leave everything as it is."""
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
        plans = [self._plan(int(count)) for count in droppable.sum(dim=1)]
        marks = find_marks(self.by_hand, batch.shorts[0].groups, batch.visual) if self.by_hand else NO_MARKS
        drops, entering = method.mode == "dropped", [marks.entering(plan) for plan in plans]
        touches = method.reduce.reduces() or any(own[-1] < plan[0] for own, plan in zip(entering, plans, strict=True))
        alive = Alive(batch.valid, droppable, entering, drops, marks, num_guessed)
        anew = method.positions == "sequential" and not self.adapter.grid_positions
        shift = batch.removed if anew else torch.zeros_like(batch.removed)
        records = self.recorder.records = [
            Record(tuple(part.view for part in layout.views), short.groups, short.rounds, tuple(plan))
            for layout, short, plan in zip(layouts, batch.shorts, plans, strict=True)
        ]
        if self.notes is not None:
            self.notes.begin(embeds[0], layouts[0], batch.shorts[0])
        visual, stepwise = batch.visual & batch.valid, self.notes is not None and self.notes.details
        self._pass = PrefillPass(method.rank, alive, visual, records, cache, embeds.shape[1], shift, touches, stepwise)
        if not touches:
            return None
        gone = marks.remove if drops else None
        return kwargs | batch.instead_of(kwargs, layouts, anew, gone) | {"past_key_values": cache}

    def _merge(self, embeds: Tensor, layouts: list[Layout], mask: Tensor | None) -> Batch:
        self._wait(embeds)
        begun = time.perf_counter()
        if len(layouts) != len(embeds):
            raise ValueError(f"every prompt of a batch needs visual tokens: {len(layouts)} of {len(embeds)} have")
        in_place = self.method.positions == "original"
        shorts = [
            shorten(own, layout, self.method.reduce, in_place) for own, layout in zip(embeds, layouts, strict=True)
        ]
        batch = side_by_side(shorts, mask)
        self._wait(embeds)
        self.recorder.merge_ms = (time.perf_counter() - begun) * 1000
        return batch

    def _plan(self, count: int) -> list[int]:
        plan = self.method.plan.tokens_entering(count, self.adapter.num_layers)
        check_plan(plan, self.adapter.num_layers, count, self.adapter.first_droppable)
        return plan

    def _go_on(self, cache: Any, kwargs: dict[str, Any]) -> dict[str, Any] | None:
        """A forward after the prefill: new positions shifted, masks left to the layers."""
        if not isinstance(cache.layers[0], ReducedLayer):
            return None
        embeds, mask, first = kwargs["inputs_embeds"], kwargs.get("attention_mask"), cache.layers[0]
        num_new = embeds.shape[1]
        incoming = torch.ones(embeds.shape[:2], dtype=torch.bool, device=embeds.device)
        if mask is not None:
            if isinstance(mask, dict) or mask.ndim != 2:
                raise ValueError("pass attention_mask as (batch, length), or leave it out")
            incoming = mask[:, -num_new:].bool()
        self._pass = LaterPass(cache, incoming)
        full = kwargs.get("position_ids")
        if full is None:
            full = torch.arange(num_new, device=embeds.device)[None] + cache.get_seq_length()
        free = torch.ones(1, 1, 1, 1, dtype=torch.bool, device=embeds.device)  # each layer puts its own in its place
        return kwargs | {"attention_mask": free, "position_ids": full - first.shift.to(full.device)}

    def _wait(self, tensor: Tensor) -> None:
        if tensor.device.type == "cuda":
            torch.cuda.synchronize(tensor.device)


def _is_later(request: dict[str, Any]) -> bool:
    cache = request.get("past_key_values")
    return cache is not None and cache.get_seq_length() > 0


def _all_but_last(valid: Tensor, count: int) -> Tensor:
    """(b, n) bool: every row but the last `count`."""
    rest = torch.ones_like(valid)
    rest[:, -count:] = False
    return rest
