"""ExclusiveCalls: one call of a function at a time, from any thread, and none after the block that it belongs to."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from threading import Condition, RLock


class ExclusiveCalls:
    """Guards `generate` while a method is on its model."""

    def __init__(self):
        self._exclusive, self._state = RLock(), Condition()
        self._num_inside, self._over = 0, False

    def guard(self, function: Callable) -> Callable:
        """The same function, for one thread at a time; the others wait.

        Called once `close` is done it raises ValueError, after ending its `streamer`, if it was given one: whoever
        reads that would wait for ever.
        """

        @wraps(function)
        def exclusive(*args, **kwargs):
            self._enter(kwargs.get("streamer"))
            try:
                with self._exclusive:
                    return function(*args, **kwargs)
            finally:
                with self._state:
                    self._num_inside -= 1
                    self._state.notify_all()

        return exclusive

    def close(self) -> None:
        """Wait until every call that has begun is done; later ones are refused."""
        with self._state:
            self._state.wait_for(lambda: not self._num_inside)
            self._over = True

    def _enter(self, streamer) -> None:
        with self._state:
            if self._over:
                if streamer is not None:
                    streamer.end()
                raise ValueError("generate began after its aim() block had ended: join its thread inside the block")
            self._num_inside += 1
