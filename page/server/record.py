"""Record: one line in the log for each thing asked, and counters of the same that an operator can scrape.

A line never holds what was asked about: no question, no name or path of a file, no session, no address.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_log = logging.getLogger("page.requests")
_notes: ContextVar[dict[str, str] | None] = ContextVar("notes", default=None)


def note(**values: str) -> None:
    """Add to the line of what is under way in this thread, such as which reader decoded a file."""
    notes = _notes.get()
    if notes is not None:
        notes.update(values)


@contextmanager
def noting(notes: dict[str, str]) -> Iterator[dict[str, str]]:
    """`note` adds to these for the length of the block, in the threads that it starts too."""
    token = _notes.set(notes)
    try:
        yield notes
    finally:
        _notes.reset(token)


class Record:
    """Counters of one server; safe to use from threads. gauges: values of now by name, asked when they are scraped."""

    def __init__(self):
        self._lock = threading.Lock()
        self._ended: Counter[tuple[str, str]] = Counter()
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self._refused: Counter[str] = Counter()
        self._begun_at = time.time()
        self.gauges: dict[str, Callable[[], float]] = {}

    def ended(self, ident: str, what: str, waited: float, seconds: float, how: str, notes: dict[str, str]) -> None:
        """Something asked has ended. how: answered, refused, failed, stopped or left."""
        with self._lock:
            self._ended[what, how] += 1
            self._seconds[what] += seconds
        more = "".join(f" {name}={value}" for name, value in notes.items())
        _log.info("%s %s waited=%.2fs took=%.2fs %s%s", ident, what, waited, seconds, how, more)

    def refused(self, what: str, why: str) -> None:
        """A request was refused before it reached the page."""
        with self._lock:
            self._refused[why] += 1
        _log.info("- %s refused why=%s", what, why)

    def text(self) -> str:
        """In the text format of Prometheus."""
        with self._lock:
            ended, seconds, refused = dict(self._ended), dict(self._seconds), dict(self._refused)
        lines = ["# TYPE aim_requests_total counter"]
        lines += [f'aim_requests_total{{what="{what}",how="{how}"}} {n}' for (what, how), n in ended.items()]
        lines += ["# TYPE aim_request_seconds_total counter"]
        lines += [f'aim_request_seconds_total{{what="{what}"}} {total:.6f}' for what, total in seconds.items()]
        lines += ["# TYPE aim_refused_total counter"]
        lines += [f'aim_refused_total{{why="{why}"}} {n}' for why, n in refused.items()]
        gauges = {name: ask() for name, ask in self.gauges.items()} | {"start_time_seconds": self._begun_at}
        for name, value in gauges.items():
            lines += [f"# TYPE aim_{name} gauge", f"aim_{name} {value:.0f}"]
        return "\n".join([*lines, ""])
