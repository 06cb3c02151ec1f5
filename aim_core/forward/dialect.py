"""Dialect: the names that a release of transformers has for what the core hands over, read from the model at hand."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from inspect import signature
from typing import Any

from torch import nn

# The core's name → the names that releases have for it, the newest first
ALIASES = {
    "past_key_values": ("cache", "past_key_values"),  # "cache" from transformers 5.24 on
}


class Dialect:
    """How one module's forward names its arguments.

    names: of all its parameters, in order.

    A forward is never given a thing under two names: transformers drops the older one without a word.
    """

    def __init__(self, module: nn.Module):
        self.names = parameters(module)
        self._own = {core: own for core in ALIASES if (own := alias_in(core, self.names)) is not None}

    def to_core(self, args: tuple, kwargs: dict[str, Any]) -> dict[str, Any]:
        """All arguments of a call by the core's names."""
        given = dict(zip(self.names, args, strict=False)) | kwargs
        for core, aliases in ALIASES.items():
            found = [given.pop(name) for name in aliases if name in given]
            if found:
                given[core] = found[0]
        return given

    def to_model(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        """Arguments by the core's names as this module's forward calls them."""
        return {self._own.get(name, name): value for name, value in kwargs.items()}


def alias_in(core: str, names: tuple[str, ...]) -> str | None:
    """Which of `names` is what the core calls `core`; None if none is."""
    return next((name for name in ALIASES.get(core, (core,)) if name in names), None)


def call(module: nn.Module, **kwargs: Any) -> Any:
    """Call a module with arguments by the core's names."""
    return module(**Dialect(module).to_model(kwargs))


def cache_of(output: Any) -> Any:
    """The cache that a model's output holds; None if it holds none."""
    return next((output[name] for name in output if name in ALIASES["past_key_values"]), None)


def parameters(module: nn.Module) -> tuple[str, ...]:
    """Names of the parameters of a module's forward, through every wrapper around it."""
    if "forward" in vars(module):  # put on this one module, as accelerate does: not to be kept alive by a memory
        return tuple(signature(module.forward).parameters)
    return arguments(type(module).forward)


@cache
def arguments(method: Callable) -> tuple[str, ...]:
    """Names of the parameters of a method in its class, without self."""
    return tuple(signature(method).parameters)[1:]
