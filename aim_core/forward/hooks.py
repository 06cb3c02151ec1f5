"""Hooks: the only place where a model is touched, and given back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from copy import copy
from functools import partial, wraps
from inspect import signature
from threading import get_ident, local
from typing import Any, Protocol
from weakref import WeakKeyDictionary, WeakSet

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from aim_core.adapters.base import MODALITIES, Adapter, Call, Early
from aim_core.adapters.tower import Tower
from aim_core.errors import Stopped
from aim_core.forward.canary import check_canary
from aim_core.forward.contract import check_contract
from aim_core.forward.dialect import Dialect
from aim_core.forward.exclusive import ExclusiveCalls
from aim_core.forward.last_logits import last_logits
from aim_core.forward.merging_tower import MergingTower
from aim_core.forward.passes import Pass
from aim_core.forward.witness import Witness
from aim_core.reasons import UnfitError

_NAME = "sdpa_reported"  # stock sdpa that reports query and key first
_ABSENT = object()
# told query, key, scale and mask; returns whether attention is to be computed, or the mask for it
_on_attention: WeakKeyDictionary[nn.Module, Callable[[Tensor, Tensor, float, Tensor | None], bool | Tensor]] = (
    WeakKeyDictionary()
)
_busy: WeakSet[nn.Module] = WeakSet()


class ForwardHooks(Protocol):
    """What is called while a model runs; `session.Session` implements it.

    A forward of the decoder begins with `enter_decoder`: it returns the pass that every layer and the end of this
    forward then call, and the decoder's arguments if they change.
    wants_tower: whether `on_tower` is to be called.
    tower_share: the share of patches that are to be left in the vision tower; below 1 `saved_in_tower` is told what the
                 tower does not compute, once for each of its forwards.
    known_audio: what the audio encoder would say in this forward, if that is known; else None.
    """

    @property
    def wants_tower(self) -> bool: ...

    @property
    def tower_share(self) -> float: ...

    def known_audio(self) -> Any: ...

    def before_features(self) -> None: ...

    def after_features(self, call: Call) -> None: ...

    def on_tower(self, query: Tensor, key: Tensor, scale: float, mask: Tensor | None) -> None: ...

    def saved_in_tower(self, flops: int) -> None: ...

    def project(self, tokens: Tensor, metric: Tensor) -> Tensor: ...

    def unproject(self, projected: Tensor) -> Tensor: ...

    def guessed(self, count: int) -> None: ...

    def request(self, kwargs: dict[str, Any]) -> None: ...

    def enter_decoder(self, kwargs: dict[str, Any]) -> tuple[Pass, dict[str, Any] | None]: ...

    def forget(self) -> None: ...


class _Forward(local):
    """The pass of the forward that a thread has under way; a layer that is called by itself is left as it is.

    previewed: in a preview, where its attention leaves query, key and scale; else None.
    """

    current = Pass()
    previewed: list | None = None


def position_state(adapter: Adapter) -> Tensor | None:
    """What a model keeps of its latest prompt to number the rows after it: of Qwen-VL its `rope_deltas`."""
    return getattr(adapter.inner, "rope_deltas", None)


@contextmanager
def patched(adapter: Adapter, hooks: ForwardHooks, positions: Tensor | None = None) -> Iterator[None]:
    """Patch the adapter's model: `hooks` are called in every forward inside the block; it is as before afterwards.

    positions: what `position_state` said of the prompt whose cache is gone on with; None where a prompt begins.
    Raises ValueError for attention other than sdpa, sliding windows, or a model that is patched already.
    """
    decoder, inner = adapter.decoder, adapter.inner
    _check(decoder)
    if any(module._compiled_call_impl is not None for module in adapter.model.modules()):
        raise ValueError(
            "compiled code may leave out what aim() hooks in: load the model anew, without model.compile()"
        )
    merges_inside = hooks.wants_tower and hooks.tower_share < 1
    check_contract(adapter, hooks.wants_tower, merges_inside)
    check_canary(adapter, followed)
    with ExitStack() as stack:
        stack.callback(_busy.discard, decoder)
        _busy.add(decoder)
        if hasattr(inner, "rope_deltas"):  # Qwen-VL keeps the last prompt's on the model
            stack.callback(setattr, inner, "rope_deltas", inner.rope_deltas)
            inner.rope_deltas = inner.rope_deltas if positions is None else positions
        under_way: set[int] = set()  # threads in a call: Qwen3-VL's get_video_features calls get_image_features
        for modality in MODALITIES:
            stack.enter_context(_recorded_calls(inner, modality, hooks, under_way))
        stack.enter_context(_audio_known(inner, hooks))
        stack.enter_context(_guesses_counted(adapter.model, hooks))
        if (early := adapter.early()) is not None:
            stack.enter_context(_merging_early(early, hooks))
        if hooks.wants_tower:
            tower = adapter.tower()
            _report_tower(tower, hooks, stack)
            if merges_inside:
                _merge_in_tower(tower, hooks, stack)
        stack.enter_context(_pre_hook(adapter.model, _refuse_full_length))
        stack.enter_context(last_logits(adapter.model))
        stack.enter_context(adapter.model.register_forward_hook(lambda *_: hooks.forget(), always_call=True))
        stack.enter_context(_pre_hook(inner, hooks.request))
        witness = stack.enter_context(followed(decoder, hooks))
        stack.enter_context(adapter.model.register_forward_hook(lambda _model, _args, out: witness.hand_over(out)))
        exclusive = ExclusiveCalls()
        stack.enter_context(_replaced(adapter.model, "generate", exclusive.guard(adapter.model.generate)))
        stack.callback(exclusive.close)  # the first to be called on leaving
        yield


@contextmanager
def followed(decoder: Any, hooks: ForwardHooks) -> Iterator[Witness]:
    """Call `hooks` in every forward of a decoder inside the block, and its pass, with a witness beside them."""
    witness, forward = Witness(len(decoder.layers)), _Forward()

    def enter(kwargs: dict[str, Any]) -> dict[str, Any] | None:
        forward.current, changed = hooks.enter_decoder(kwargs)
        witness.begin(kwargs if changed is None else changed)
        return changed

    def leave(_decoder: nn.Module, _args: tuple, output: Any) -> None:
        witness.leave(output)
        forward.current.leave()
        del forward.current  # what it holds may be large

    with ExitStack() as stack:
        stack.enter_context(_pre_hook(decoder, enter))
        stack.enter_context(decoder.register_forward_hook(leave))
        _report_attention(decoder, stack)
        for index, layer in enumerate(decoder.layers):
            stack.enter_context(_layer_hook(layer, index, forward, witness))
            stack.callback(_on_attention.pop, layer.self_attn, None)
            _on_attention[layer.self_attn] = _attention_hook(index, forward, witness)
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


@contextmanager
def told(decoder: Any, on_layer: Callable[[int], None] | None) -> Iterator[None]:
    """Tell `on_layer` the number of each of the decoder's layers before it runs. None: nobody."""

    def before(number: int, tell: Callable[[int], None]) -> Callable[..., None]:
        return lambda *_: tell(number)

    with ExitStack() as stack:
        for number, layer in enumerate(decoder.layers):
            if on_layer:
                stack.enter_context(layer.register_forward_pre_hook(before(number, on_layer)))
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
        changed = change(dialect.to_core(args, kwargs))
        return None if changed is None else ((), dialect.to_model(changed))

    return module.register_forward_pre_hook(hook, with_kwargs=True)


def _layer_hook(layer: nn.Module, index: int, forward: _Forward, witness: Witness):
    """Let the pass take rows out of what enters a decoder layer."""

    dialect = Dialect(layer)

    def hook(_layer: nn.Module, args: tuple, kwargs: dict):
        given = dialect.to_core(args, kwargs)
        hidden = given.pop("hidden_states")
        if (arguments := forward.current.preview(index, given)) is not None:
            forward.current.on_preview(index, *_previewed(layer, hidden, arguments, forward))
        hidden, changed = forward.current.enter_layer(index, hidden, given)
        witness.enter(index, hidden)
        return (hidden,), dialect.to_model(changed)

    return layer.register_forward_pre_hook(hook, with_kwargs=True)


@torch.no_grad()
def _previewed(layer: Any, hidden: Tensor, kwargs: dict[str, Any], forward: _Forward) -> tuple[Tensor, Tensor, float]:
    """Query, key and scale that a layer's attention has of rows `hidden`; nothing is attended to or stored."""
    dialect, forward.previewed = Dialect(layer.self_attn), []
    given = {"hidden_states": layer.input_layernorm(hidden)} | kwargs
    try:
        layer.self_attn(**{name: value for name, value in dialect.to_model(given).items() if name in dialect.names})
        return tuple(forward.previewed)
    finally:
        forward.previewed = None


def _refuse_full_length(kwargs: dict[str, Any]) -> None:
    """Raise ValueError for arguments that count the rows of the full prompt."""
    if kwargs.get("labels") is not None:
        raise ValueError("labels do not fit a shortened prompt: leave them out inside aim()")
    if isinstance(kwargs.get("logits_to_keep"), Tensor):
        raise ValueError("rows of the full prompt may be gone inside aim(): give logits_to_keep as a number")


@contextmanager
def _recorded_calls(inner: nn.Module, modality: str, hooks: ForwardHooks, under_way: set[int]) -> Iterator[None]:
    """Report each call of get_image_features or get_video_features: `generate` encodes outside forward.

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
        hooks.before_features()
        under_way.add(get_ident())
        try:
            output = stock(*args, **kwargs)
        finally:
            under_way.discard(get_ident())
        own = copy(output)  # `generate` repeats the features for beams inside the output that it got
        hooks.after_features(Call(modality, dict(names.bind(*args, **kwargs).arguments), own))
        return output

    with _replaced(inner, name, features):
        yield


@contextmanager
def _audio_known(inner: nn.Module, hooks: ForwardHooks) -> Iterator[None]:
    """Let the audio encoder rest where what it would say is known: unlike pixels, stock's forward encodes it anew."""
    stock = getattr(inner, "get_audio_features", None)
    if stock is None:
        yield
        return

    @wraps(stock)
    def features(*args, **kwargs):
        known = hooks.known_audio()
        return stock(*args, **kwargs) if known is None else known

    with _replaced(inner, "get_audio_features", features):
        yield


@contextmanager
def _replaced(owner: nn.Module, name: str, function: Callable) -> Iterator[None]:
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
def _guesses_counted(model: Any, hooks: ForwardHooks) -> Iterator[None]:
    """Report how many rows at the end of the next forward are guesses of assisted or prompt-lookup decoding."""
    stock = model._get_candidate_generator

    @wraps(stock)
    def make(*args, **kwargs):
        generator = stock(*args, **kwargs)
        guess = generator.get_candidates

        def get_candidates(input_ids: Tensor, *args, **kwargs):
            ids, logits = guess(input_ids, *args, **kwargs)
            hooks.guessed(ids.shape[1] - input_ids.shape[1])
            return ids, logits

        generator.get_candidates = get_candidates
        return generator

    with _replaced(model, "_get_candidate_generator", make):
        yield


@contextmanager
def _merging_early(early: Early, hooks: ForwardHooks) -> Iterator[None]:
    """Merge what enters the projector and give every patch its merged token afterwards, so that counts stay."""
    captured: dict[int, Tensor] = {}  # for each thread

    def capture(_module: nn.Module, _args: tuple, output: Tensor) -> None:
        captured[get_ident()] = output

    def merge(_module: nn.Module, args: tuple):
        return (hooks.project(args[0], captured.pop(get_ident())), *args[1:])

    def spread(_module: nn.Module, _args: tuple, output: Tensor) -> Tensor:
        return hooks.unproject(output)

    with (
        early.metric.register_forward_hook(capture),
        early.projector.register_forward_pre_hook(merge),
        early.projector.register_forward_hook(spread),
    ):
        yield


def _report_attention(model: Any, stack: ExitStack) -> None:
    """Use stock sdpa attention that reports query and key, until the stack is closed."""
    AttentionInterface.register(_NAME, _reporting_attention)
    AttentionMaskInterface.register(_NAME, ALL_MASK_ATTENTION_FUNCTIONS["sdpa"])
    stack.callback(model.set_attn_implementation, "sdpa")
    model.set_attn_implementation(_NAME)


def _report_tower(tower: Tower, hooks: ForwardHooks, stack: ExitStack) -> None:
    """Tell `hooks` what one layer of the vision tower attends with, until the stack is closed."""
    if (kind := tower.model.config._attn_implementation) != "sdpa":
        raise ValueError(
            f"this method ranks by the vision tower's attention, which must be sdpa, got {kind}: "
            'load with attn_implementation="sdpa"'
        )

    def report(query: Tensor, key: Tensor, scale: float, mask: Tensor | None) -> bool:
        with torch.no_grad():
            hooks.on_tower(query, key, scale, mask)
        return True

    _report_attention(tower.model, stack)
    stack.callback(_on_attention.pop, tower.attention, None)
    _on_attention[tower.attention] = report


def _merge_in_tower(tower: Tower, hooks: ForwardHooks, stack: ExitStack) -> None:
    """Merge tokens in the layers of a tower whose attention is reported, until the stack is closed.

    First among the hooks on a layer: others, which collect hidden states, are to see the full grid at the end.
    """
    if not tower.layers:
        raise UnfitError("tower_packed", model_type=tower.model.config.model_type)
    merging = MergingTower(tower, hooks.tower_share, hooks.on_tower, hooks.saved_in_tower)
    for number, layer in enumerate(tower.layers):
        attention, norm, mlp = (getattr(layer, name) for name in tower.parts)
        stack.callback(_on_attention.pop, attention, None)
        _on_attention[attention] = partial(merging.attend, number)
        for handle in (
            norm.register_forward_pre_hook(lambda _norm, args: (merging.merge(args[0]),)),
            mlp.register_forward_hook(lambda _mlp, _args, output: merging.unmerge(output)),
            layer.register_forward_hook(lambda _layer, _args, output: merging.leave(output), prepend=True),
        ):
            stack.enter_context(handle)


def _attention_hook(
    index: int, forward: _Forward, witness: Witness
) -> Callable[[Tensor, Tensor, float, Tensor | None], bool]:
    """What attention of a decoder layer tells."""

    def report(query: Tensor, key: Tensor, scale: float, _mask: Tensor | None) -> bool:
        if forward.previewed is not None:
            forward.previewed += [query, key, scale]
            return False
        witness.attend(index, query, key)
        with torch.no_grad():
            forward.current.on_attention(index, query, key, scale)
        return True

    return report


def _reporting_attention(module: nn.Module, query: Tensor, key: Tensor, value: Tensor, attention_mask, **kwargs):
    """Stock sdpa attention, after reporting query and key of the module."""
    report = _on_attention.get(module)
    if report is not None:
        told = report(query, key, kwargs["scaling"], attention_mask)
        if told is False:
            return torch.zeros_like(query).transpose(1, 2), None
        attention_mask = attention_mask if told is True else told
    return ALL_ATTENTION_FUNCTIONS["sdpa"](module, query, key, value, attention_mask, **kwargs)
