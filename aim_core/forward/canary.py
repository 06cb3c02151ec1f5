"""Canary: a small random decoder of the user's class, pruned and then computed by hand: do both say the same?

It catches what names cannot: attention that is not causal, another scale, masks or positions that are not heeded.
The reference has neither masks, nor positions, nor a cache, nor an attention function of transformers: all rows at
full length, and an own softmax that does not see what should be gone.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import torch
import transformers
from torch import Tensor
from transformers import AttentionInterface

from aim_core.adapters.base import Adapter
from aim_core.adapters.layout import Layout, consecutive
from aim_core.forward.dialect import cache_of, call
from aim_core.forward.session import Session
from aim_core.forward.small_decoder import random_decoder
from aim_core.methods.base import Method
from aim_core.methods.counts import where_needed
from aim_core.ops.flops import head_dim
from aim_core.ops.merging import Merged
from aim_core.view import View

_BY_HAND = "aim_by_hand"
_START, _PATCHES, _LENGTH, _STEPS, _PADDING = 3, 8, 15, 2, 2  # rows of a prompt: text, visual, text; then new ones
_TOLERANCE = 1e-3  # of hidden states of size 1; right ones differ by 1e-6, wrong ones by 1e-1
_lock = threading.Lock()
_passed: set[tuple[type, type, str]] = set()  # model and decoder class, version of transformers


def check_canary(adapter: Adapter, follow: Callable[..., AbstractContextManager]) -> None:
    """Raise ValueError if pruning on this class of model is not what it should be.

    Once for each class in a process; AIM_CANARY=0 turns it off. follow: `hooks.followed`.
    """
    key = type(adapter.model), type(adapter.decoder), transformers.__version__
    if os.environ.get("AIM_CANARY") == "0" or key in _passed:
        return
    with _lock:
        if key not in _passed:
            _check_class(adapter, follow)
            _passed.add(key)


def _check_class(adapter: Adapter, follow: Callable[..., AbstractContextManager]) -> None:
    name = f"{type(adapter.decoder).__name__} of transformers {transformers.__version__}"
    try:
        differences = difference(adapter, follow)
    except Exception as error:
        raise ValueError(f"{name} cannot be pruned by this version: {error}") from error
    if not differences < _TOLERANCE:  # NaN is wrong too
        raise ValueError(
            f"{name} does not run as this version expects: pruned rows change what is left by {differences:.2g} "
            f"on a small random model; install a version of transformers that requirements.txt allows"
        )


@torch.inference_mode()
def difference(adapter: Adapter, follow: Callable[..., AbstractContextManager]) -> float:
    """The largest between pruned and masked passes, a prefill and two steps, and the same computed by hand."""
    generator = torch.Generator("cpu").manual_seed(0)
    with torch.autocast("cpu", enabled=False):
        small = _Small(random_decoder(adapter, generator), adapter.grid_positions, adapter.first_droppable)
        prompts = _Prompts.draw(small, generator)
        expected = prompts.by_hand()
        found = [prompts.run(follow, mode="dropped", samples=1), prompts.run(follow, mode="masked", samples=2)]
    return max(float((ours - expected[: len(ours)]).abs().max()) for ours in found)


@dataclass(frozen=True)
class _Small:
    """What a session asks of an adapter."""

    decoder: Any
    grid_positions: bool
    first_droppable: int
    audio_seconds: float = 0.0

    @property
    def num_layers(self) -> int:
        return len(self.decoder.layers)


@dataclass(frozen=True)
class _EverySecond:
    """A merger that leaves every second patch as it is and takes the others away."""

    def __call__(self, tokens: Tensor, metric: Tensor | None = None) -> Merged:
        every = torch.arange(tokens.shape[1], device=tokens.device).expand(tokens.shape[:2])
        return Merged(tokens[:, ::2], every // 2, every[:, ::2], (every + 1) % 2.0)

    def reduces(self) -> bool:
        return True


@dataclass(frozen=True)
class _Halving:
    """All tokens up to a layer, half of them in it, none after it."""

    first: int

    def tokens_entering(self, num_visual: int, num_layers: int) -> list[int]:
        return [num_visual] * self.first + [num_visual // 2] + [0] * (num_layers - self.first - 1)


@dataclass(frozen=True)
class _Shuffled:
    """Scores that are known beforehand, by the distance from the last row."""

    scale: float

    def __call__(self, query: Tensor, key: Tensor, scale: float) -> Tensor:
        if abs(scale - self.scale) > 1e-6:
            raise ValueError(f"attention scales by {scale:.4g} in the place of {self.scale:.4g}")
        return self.scores(query.shape[2])[None]

    def layers(self, counts: Sequence[int]) -> frozenset[int]:
        return where_needed(counts)

    def scores(self, num_rows: int) -> Tensor:
        return (torch.arange(num_rows, device="cpu").flip(0) * 7 % 101).float()


@dataclass(frozen=True, eq=False)
class _Prompts:
    """Two prompts, the second one padded, and what comes after them.

    embeds: (2, _LENGTH + _STEPS, d); deep: for each deepstack layer (2, _PATCHES, d).
    """

    small: _Small
    embeds: Tensor
    deep: tuple[Tensor, ...]

    @classmethod
    def draw(cls, small: _Small, generator: torch.Generator) -> _Prompts:
        width = small.decoder.config.hidden_size
        embeds = torch.randn(2, _LENGTH + _STEPS, width, generator=generator, device="cpu")
        deep = torch.randn(small.first_droppable, 2, _PATCHES, width, generator=generator, device="cpu")
        return cls(small, embeds, tuple(deep))

    @property
    def valid(self) -> Tensor:
        """(2, _LENGTH + _STEPS) bool, rows that are no padding."""
        valid = torch.ones(self.embeds.shape[:2], dtype=torch.bool, device="cpu")
        valid[1, :_PADDING] = False
        return valid

    @property
    def schedule(self) -> _Halving:
        return _Halving(max(1, self.small.first_droppable))

    @property
    def scorer(self) -> _Shuffled:
        return _Shuffled(head_dim(self.small.decoder.config) ** -0.5)

    def run(self, follow: Callable[..., AbstractContextManager], mode: str, samples: int) -> Tensor:
        """Last rows (samples, 1 + _STEPS, d) of a prefill and the steps after it, by the session under test."""
        asked: Any = self.small  # in the place of an adapter
        session = Session(asked, Method("canary", _EverySecond(), self.schedule, self.scorer, "original", mode))
        view = consecutive(View(0, (0,), (2, _PATCHES // 2)), _START)
        session.use_layouts([Layout((view,), view.rows)] * samples)
        cache, last = None, []
        with follow(self.small.decoder, session):
            for start, end in [(0, _LENGTH), *((row, row + 1) for row in range(_LENGTH, _LENGTH + _STEPS))]:
                given = self._given(samples, start, end) | {"past_key_values": cache, "use_cache": True}
                session.request(given)
                out = call(self.small.decoder, **given)
                cache = cache_of(out)
                last.append(out.last_hidden_state[:, -1])
        return torch.stack(last, dim=1)

    def _given(self, samples: int, start: int, end: int) -> dict[str, Any]:
        given: dict[str, Any] = {"inputs_embeds": self.embeds[:samples, start:end]}
        if samples > 1:
            given["attention_mask"] = self.valid[:samples, :end].long()
        if self.small.grid_positions:
            given["position_ids"] = torch.arange(start, end, device="cpu").expand(3, samples, -1)
        return given | (self._deepstack(samples, end) if start == 0 else {})

    def _deepstack(self, samples: int, length: int) -> dict[str, Any]:
        if not self.deep:
            return {}
        places = torch.zeros(samples, length, dtype=torch.bool, device="cpu")
        places[:, _START : _START + _PATCHES] = True
        features = [layer[:samples].flatten(0, 1) for layer in self.deep]
        return {"visual_pos_masks": places, "deepstack_visual_embeds": features}

    def by_hand(self) -> Tensor:
        """The same last rows (2, 1 + _STEPS, d), all in one pass in which every layer sees what it should."""
        decoder, length = self.small.decoder, self.embeds.shape[1]
        causal = torch.ones(length, length, dtype=torch.bool, device="cpu").tril()
        own = torch.eye(length, dtype=torch.bool, device="cpu")
        for index, layer in enumerate(decoder.layers):
            allowed = causal & self._visible(index)[:, None, :] | own
            layer.self_attn.allowed = allowed[:, None]
        AttentionInterface.register(_BY_HAND, _attention_by_hand)
        decoder.set_attn_implementation(_BY_HAND)
        out = call(decoder, inputs_embeds=self.embeds, use_cache=False, **self._deepstack(2, length))
        decoder.set_attn_implementation("sdpa")
        return out.last_hidden_state[:, _LENGTH - 1 :]

    def _visible(self, layer: int) -> Tensor:
        """(2, _LENGTH + _STEPS) bool, rows that a layer may attend to."""
        visible = self.valid
        visible[:, _START : _START + _PATCHES] = False
        left = torch.arange(_START, _START + _PATCHES, 2, device="cpu")
        count = self.schedule.tokens_entering(len(left), self.small.num_layers)[layer]
        away = _LENGTH - 1 - left - (_START + _PATCHES - 1 - left) // 2  # rows between each and the last, as they stand
        order = self.scorer.scores(_LENGTH).flip(0)[away].argsort(descending=True)
        visible[:, left[order[:count]]] = True
        return visible


def _attention_by_hand(module: Any, query: Tensor, key: Tensor, value: Tensor, attention_mask: Any, **_kwargs):
    times = query.shape[1] // key.shape[1]
    key, value = key.repeat_interleave(times, dim=1), value.repeat_interleave(times, dim=1)
    logits = query @ key.mT * query.shape[-1] ** -0.5
    weights = logits.masked_fill(~module.allowed, -torch.inf).softmax(dim=-1)
    return (weights @ value).transpose(1, 2).contiguous(), None
