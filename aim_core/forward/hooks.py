"""Hooks: the only place where a model is touched, and given back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from copy import copy
from functools import wraps
from inspect import signature
from threading import get_ident
from typing import Any, Protocol
from weakref import WeakKeyDictionary, WeakSet

from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from aim_core.adapters.base import MODALITIES, Adapter, Call, Early
from aim_core.errors import Stopped
from aim_core.forward.canary import check_canary
from aim_core.forward.contract import check_contract
from aim_core.forward.dialect import Dialect
from aim_core.forward.exclusive import Turns
from aim_core.forward.witness import Witness

_NAME = "sdpa_scored"  # stock sdpa that also lets a watcher see query and key
_ABSENT = object()
_watchers: WeakKeyDictionary[nn.Module, Callable[[Tensor, Tensor, float], None]] = WeakKeyDictionary()
_busy: WeakSet[nn.Module] = WeakSet()


class Guest(Protocol):
    """What is called while a model runs; `session.Session` is one."""

    def before_features(self) -> None: ...

    def after_features(self, call: Call) -> None: ...

    def project(self, tokens: Tensor, metric: Tensor) -> Tensor: ...

    def unproject(self, projected: Tensor) -> Tensor: ...

    def guessed(self, count: int) -> None: ...

    def request(self, kwargs: dict[str, Any]) -> None: ...

    def enter_decoder(self, kwargs: dict[str, Any]) -> dict[str, Any] | None: ...

    def enter_layer(self, layer: int, hidden: Tensor, kwargs: dict[str, Any]) -> tuple[Tensor, dict[str, Any]]: ...

    def watch(self, layer: int, query: Tensor, key: Tensor, scale: float) -> None: ...

    def leave_decoder(self) -> None: ...

    def forget(self) -> None: ...


@contextmanager
def attached(adapter: Adapter, guest: Guest) -> Iterator[None]:
    """Let `guest` follow every forward of the adapter's model inside the block, then leave it as it was.

    Raises ValueError for attention other than sdpa, sliding windows, or a model that has a guest already.
    """
    decoder, inner = adapter.decoder, adapter.inner
    _check(decoder)
    if any(module._compiled_call_impl is not None for module in adapter.model.modules()):
        raise ValueError(
            "compiled code may leave out what aim() hooks in: load the model anew, without model.compile()"
        )
    check_contract(adapter)
    check_canary(adapter, followed)
    with ExitStack() as stack:
        stack.callback(_busy.discard, decoder)
        _busy.add(decoder)
        if hasattr(inner, "rope_deltas"):  # Qwen-VL keeps the last prompt's on the model
            stack.callback(setattr, inner, "rope_deltas", inner.rope_deltas)
        under_way: set[int] = set()  # threads in a call: Qwen3-VL's get_video_features calls get_image_features
        for modality in MODALITIES:
            stack.enter_context(_overheard(inner, modality, guest, under_way))
        stack.enter_context(_guesses_counted(adapter.model, guest))
        if (early := adapter.early()) is not None:
            stack.enter_context(_merging_early(early, guest))
        stack.enter_context(_pre_hook(adapter.model, _refuse_full_length))
        stack.enter_context(adapter.model.register_forward_hook(lambda *_: guest.forget(), always_call=True))
        stack.enter_context(_pre_hook(inner, guest.request))
        witness = stack.enter_context(followed(decoder, guest))
        stack.enter_context(adapter.model.register_forward_hook(lambda _model, _args, out: witness.hand_over(out)))
        turns = Turns()
        stack.enter_context(_instead(adapter.model, "generate", turns.guard(adapter.model.generate)))
        stack.callback(turns.close)  # the first to be called on leaving
        yield


@contextmanager
def followed(decoder: Any, guest: Guest) -> Iterator[Witness]:
    """Let `guest` follow every forward of a decoder inside the block, with a witness beside it."""
    witness = Witness(len(decoder.layers))

    def enter(kwargs: dict[str, Any]) -> dict[str, Any] | None:
        changed = guest.enter_decoder(kwargs)
        witness.begin(kwargs if changed is None else changed)
        return changed

    def leave(_decoder: nn.Module, _args: tuple, output: Any) -> None:
        witness.leave(output)
        guest.leave_decoder()

    with ExitStack() as stack:
        stack.enter_context(_pre_hook(decoder, enter))
        stack.enter_context(decoder.register_forward_hook(leave))
        _let_watch(decoder, stack)
        for index, layer in enumerate(decoder.layers):
            stack.enter_context(_layer_hook(layer, index, guest, witness))
            stack.callback(_watchers.pop, layer.self_attn, None)
            _watchers[layer.self_attn] = _watcher(index, guest, witness)
        yield witness


@contextmanager
def stoppable(model: nn.Module, stop: Callable[[], bool] | None) -> Iterator[None]:
    """Raise `Stopped` inside the block before a layer, of the vision tower too, once `stop` says so. None: never."""

    def ask(*_args) -> None:
        if stop and stop():
            raise Stopped

    with ExitStack() as stack:
        stacks = [module for module in model.modules() if isinstance(module, nn.ModuleList)] if stop else []
        for layer in (layer for layers in stacks for layer in layers):
            stack.enter_context(layer.register_forward_pre_hook(ask))
        yield


def _check(decoder: Any) -> None:
    if decoder in _busy:
        raise ValueError("this model is inside aim() already: leave that block first")
    if (kind := decoder.config._attn_implementation) != "sdpa":
        raise ValueError(
            f'the language model must use sdpa attention, got {kind}: load with attn_implementation="sdpa"'
        )
    if set(getattr(decoder.config, "layer_types", None) or ["full_attention"]) != {"full_attention"}:
        raise ValueError("a language model with sliding or linear attention layers is not supported")


def _pre_hook(module: nn.Module, change: Callable[[dict[str, Any]], dict[str, Any] | None]):
    """Give `change` the arguments of each forward, by the core's names; what it returns takes their place."""
    dialect = Dialect(module)

    def hook(_module: nn.Module, args: tuple, kwargs: dict):
        changed = change(dialect.heard(args, kwargs))
        return None if changed is None else ((), dialect.said(changed))

    return module.register_forward_pre_hook(hook, with_kwargs=True)


def _layer_hook(layer: nn.Module, index: int, guest: Guest, witness: Witness):
    """Let the guest take rows out of what enters a decoder layer."""

    dialect = Dialect(layer)

    def hook(_layer: nn.Module, args: tuple, kwargs: dict):
        heard = dialect.heard(args, kwargs)
        hidden, changed = guest.enter_layer(index, heard.pop("hidden_states"), heard)
        witness.enter(index, hidden)
        return (hidden,), dialect.said(changed)

    return layer.register_forward_pre_hook(hook, with_kwargs=True)


def _refuse_full_length(kwargs: dict[str, Any]) -> None:
    """Raise ValueError for arguments that count the rows of the full prompt."""
    if kwargs.get("labels") is not None:
        raise ValueError("labels do not fit a shortened prompt: leave them out inside aim()")
    if isinstance(kwargs.get("logits_to_keep"), Tensor):
        raise ValueError("rows of the full prompt may be gone inside aim(): give logits_to_keep as a number")


@contextmanager
def _overheard(inner: nn.Module, modality: str, guest: Guest, under_way: set[int]) -> Iterator[None]:
    """Tell the guest of each call of get_image_features or get_video_features: `generate` encodes outside forward.

    A call inside another of the same thread is part of that one.
    """
    name = f"get_{modality}_features"
    stock = getattr(inner, name, None)
    if stock is None:
        yield
        return
    names = signature(stock)

    @wraps(stock)
    def features(*args, **kwargs):
        if get_ident() in under_way:
            return stock(*args, **kwargs)
        guest.before_features()
        under_way.add(get_ident())
        try:
            output = stock(*args, **kwargs)
        finally:
            under_way.discard(get_ident())
        own = copy(output)  # `generate` repeats the features for beams inside the output that it got
        guest.after_features(Call(modality, dict(names.bind(*args, **kwargs).arguments), own))
        return output

    with _instead(inner, name, features):
        yield


@contextmanager
def _instead(owner: nn.Module, name: str, function: Callable) -> Iterator[None]:
    """Put `function` in the place of a method of one module."""
    before = owner.__dict__.get(name, _ABSENT)
    owner.__dict__[name] = function
    try:
        yield
    finally:
        if before is _ABSENT:
            del owner.__dict__[name]
        else:
            owner.__dict__[name] = before


@contextmanager
def _guesses_counted(model: Any, guest: Guest) -> Iterator[None]:
    """Tell the guest how many rows at the end of the next forward are guesses of assisted or prompt-lookup decoding."""
    stock = model._get_candidate_generator

    @wraps(stock)
    def make(*args, **kwargs):
        generator = stock(*args, **kwargs)
        guess = generator.get_candidates

        def get_candidates(input_ids: Tensor, *args, **kwargs):
            ids, logits = guess(input_ids, *args, **kwargs)
            guest.guessed(ids.shape[1] - input_ids.shape[1])
            return ids, logits

        generator.get_candidates = get_candidates
        return generator

    with _instead(model, "_get_candidate_generator", make):
        yield


@contextmanager
def _merging_early(early: Early, guest: Guest) -> Iterator[None]:
    """Merge what enters the projector and give every patch its merged token afterwards, so that counts stay."""
    heard: dict[int, Tensor] = {}  # for each thread

    def listen(_module: nn.Module, _args: tuple, output: Tensor) -> None:
        heard[get_ident()] = output

    def merge(_module: nn.Module, args: tuple):
        return (guest.project(args[0], heard.pop(get_ident())), *args[1:])

    def spread(_module: nn.Module, _args: tuple, output: Tensor) -> Tensor:
        return guest.unproject(output)

    with (
        early.metric.register_forward_hook(listen),
        early.projector.register_forward_pre_hook(merge),
        early.projector.register_forward_hook(spread),
    ):
        yield


def _let_watch(decoder: Any, stack: ExitStack) -> None:
    """Use stock sdpa attention that lets a watcher see query and key, until the stack is closed."""
    AttentionInterface.register(_NAME, _scored_attention)
    AttentionMaskInterface.register(_NAME, ALL_MASK_ATTENTION_FUNCTIONS["sdpa"])
    stack.callback(decoder.set_attn_implementation, "sdpa")
    decoder.set_attn_implementation(_NAME)


def _watcher(index: int, guest: Guest, witness: Witness) -> Callable[[Tensor, Tensor, float], None]:
    def watch(query: Tensor, key: Tensor, scale: float) -> None:
        witness.attend(index, query, key)
        guest.watch(index, query, key, scale)

    return watch


def _scored_attention(module: nn.Module, query: Tensor, key: Tensor, value: Tensor, attention_mask, **kwargs):
    """Stock sdpa attention; a watcher of the module sees query and key first."""
    if (watch := _watchers.get(module)) is not None:
        watch(query, key, kwargs["scaling"])
    return ALL_ATTENTION_FUNCTIONS["sdpa"](module, query, key, value, attention_mask, **kwargs)
