"""Cancellation: one flag a browser session, which its Stop button sets and its run asks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Cancellation:
    """Runs under way, by the session of the page that asked; safe to use from many threads."""

    def __init__(self):
        self._lock = threading.Lock()
        self._flags: dict[str | None, threading.Event] = {}

    @contextmanager
    def run(self, session: str | None) -> Iterator[Callable[[], bool]]:
        """A run of this session is under way; what is yielded says whether it shall end."""
        flag = threading.Event()
        with self._lock:
            self._flags[session] = flag
        try:
            yield flag.is_set
        finally:
            with self._lock:
                if self._flags.get(session) is flag:
                    del self._flags[session]

    def stop(self, session: str | None) -> bool:
        """End the session's run; whether there was one."""
        with self._lock:
            flag = self._flags.get(session)
        if flag:
            flag.set()
        return flag is not None
