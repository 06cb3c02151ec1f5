"""Recorded calls: methods of a stock model that tell the hooks what they were called for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from functools import wraps
from inspect import signature
from threading import get_ident
from typing import Any

from torch import Tensor, nn

from aim_core.adapters.call import Call
from aim_core.forward.forward_hooks import ForwardHooks

_ABSENT = object()


@contextmanager
def recorded_features(inner: nn.Module, modality: str, hooks: ForwardHooks, under_way: set[int]) -> Iterator[None]:
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

    with replaced(inner, name, features):
        yield


@contextmanager
def audio_known(inner: nn.Module, hooks: ForwardHooks) -> Iterator[None]:
    """Let the audio encoder rest where what it would say is known: unlike pixels, stock's forward encodes it anew."""
    stock = getattr(inner, "get_audio_features", None)
    if stock is None:
        yield
        return

    @wraps(stock)
    def features(*args, **kwargs):
        known = hooks.known_audio()
        return stock(*args, **kwargs) if known is None else known

    with replaced(inner, "get_audio_features", features):
        yield


@contextmanager
def guesses_counted(model: Any, hooks: ForwardHooks) -> Iterator[None]:
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

    with replaced(model, "_get_candidate_generator", make):
        yield


@contextmanager
def replaced(owner: nn.Module, name: str, function: Callable) -> Iterator[None]:
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
