"""Results kept on the server for redrawing: bounded, the oldest goes first; a page holds only a key."""

from __future__ import annotations

import threading
import uuid
from collections import OrderedDict
from dataclasses import dataclass

from aim_core.result import Result


@dataclass(frozen=True, eq=False)
class Kept:
    """The two results of one request."""

    dense: Result
    aim: Result


class ResultStore:
    """At most `size` results for all visitors together; safe to use from many threads."""

    def __init__(self, size: int = 16):
        self.size = size
        self._lock = threading.Lock()
        self._results: OrderedDict[str, Kept] = OrderedDict()

    def put(self, result: Kept, replaces: str | None = None) -> str:
        """Keep a result in place of an older one of the same page; returns its key."""
        key = uuid.uuid4().hex
        with self._lock:
            self._results.pop(replaces, None)
            self._results[key] = result
            while len(self._results) > self.size:
                self._results.popitem(last=False)
        return key

    def get(self, key: str | None) -> Kept | None:
        """The result, or None if there was none or it had to make room."""
        with self._lock:
            if key in self._results:
                self._results.move_to_end(key)
            return self._results.get(key)
