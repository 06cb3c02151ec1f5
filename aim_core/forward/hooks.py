"""Hooks: the only way in which a method reaches a model, which is given back as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from threading import get_ident, local
from typing import Any
from weakref import WeakSet

import torch
from torch import Tensor, nn

from aim_core.adapters.base import Adapter, Early
from aim_core.adapters.call import MODALITIES
from aim_core.errors import Stopped
from aim_core.forward.canary import check_canary
from aim_core.forward.contract import check_contract
from aim_core.forward.dialect import Dialect
from aim_core.forward.exclusive import ExclusiveCalls
from aim_core.forward.forward_hooks import ForwardHooks
from aim_core.forward.last_logits import last_logits
from aim_core.forward.passes import Pass
from aim_core.forward.recorded_calls import audio_known, guesses_counted, recorded_features, replaced
from aim_core.forward.reported_attention import Report, on_attention, reported_attention
from aim_core.forward.tower_hooks import merging_in_tower, reported_tower
from aim_core.forward.witness import Witness

_busy: WeakSet[nn.Module] = WeakSet()


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
            stack.enter_context(recorded_features(inner, modality, hooks, under_way))
        stack.enter_context(audio_known(inner, hooks))
        stack.enter_context(guesses_counted(adapter.model, hooks))
        if (early := adapter.early()) is not None:
            stack.enter_context(_merging_early(early, hooks))
        if hooks.wants_tower:
            tower = adapter.tower()
            stack.enter_context(reported_tower(tower, hooks))
            if merges_inside:
                stack.enter_context(merging_in_tower(tower, hooks))
        stack.enter_context(_pre_hook(adapter.model, _refuse_full_length))
        stack.enter_context(last_logits(adapter.model))
        stack.enter_context(adapter.model.register_forward_hook(lambda *_: hooks.forget(), always_call=True))
        stack.enter_context(_pre_hook(inner, hooks.request))
        witness = stack.enter_context(followed(decoder, hooks))
        stack.enter_context(adapter.model.register_forward_hook(lambda _model, _args, out: witness.hand_over(out)))
        exclusive = ExclusiveCalls()
        stack.enter_context(replaced(adapter.model, "generate", exclusive.guard(adapter.model.generate)))
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
        stack.enter_context(reported_attention(decoder))
        for index, layer in enumerate(decoder.layers):
            stack.enter_context(_layer_hook(layer, index, forward, witness))
            stack.enter_context(on_attention(layer.self_attn, _attention_hook(index, forward, witness)))
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


def _attention_hook(index: int, forward: _Forward, witness: Witness) -> Report:
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
