"""Per model: objects that belong to one model, such as its handlers, of which an event gets those of the model that
answers when it comes. A run under way goes on with its own."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

from page.state.models import Models
from page.state.startup import Loaded

Own = TypeVar("Own")


class PerModel(Generic[Own]):
    """One object for each model in memory, made when it is first asked for. first: that of the first model."""

    def __init__(self, models: Models, make: Callable[[Loaded], Own]):
        self._models, self._make, self._lock = models, make, Lock()
        self._made: dict[Loaded, Own] = {}
        models.on_gone.append(lambda gone: self._made.pop(gone, None))
        self.first = self.of(models.first)

    @property
    def now(self) -> Own:
        """That of the model that answers now."""
        return self.of(self._models.now)

    def of(self, loaded: Loaded) -> Own:
        with self._lock:
            own = self._made.get(loaded) or self._make(loaded)
            if self._models.holds(loaded):
                self._made[loaded] = own
            return own

    def call(self, method: str) -> Callable:
        """A function with the parameters of a method, for an event: it calls that of the model that answers then."""
        plain = getattr(self.first, method)

        @functools.wraps(plain)
        def call(*args, **more):
            return getattr(self.now, method)(*args, **more)

        @functools.wraps(plain)
        def call_steps(*args, **more):
            yield from getattr(self.now, method)(*args, **more)

        return call_steps if inspect.isgeneratorfunction(plain) else call
