"""Cancellation: a run ends when its browser session presses Stop, and when nobody is there any more to see it."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gradio.context import LocalContext


class Cancellation:
    """Runs under way, by the session of the page that asked; safe to use from many threads."""

    def __init__(self):
        self._lock = threading.Lock()
        self._flags: defaultdict[str | None, set[threading.Event]] = defaultdict(set)

    @contextmanager
    def run(self, session: str | None) -> Iterator[Callable[[], bool]]:
        """A run of this session is under way; what is yielded says whether it shall end."""
        flag, is_gone = threading.Event(), client_gone()
        with self._lock:
            self._flags[session].add(flag)
        try:
            yield lambda: flag.is_set() or is_gone()
        finally:
            with self._lock:
                self._flags[session].discard(flag)
                if not self._flags[session]:
                    del self._flags[session]

    def stop(self, session: str | None) -> bool:
        """End the session's runs; whether there was one."""
        with self._lock:
            flags = [*self._flags.get(session, ())]
        for flag in flags:
            flag.set()
        return bool(flags)


def client_gone() -> Callable[[], bool]:
    """What says whether the client of the event that is being answered has closed its page, lost its connection or
    cancelled the event, within a moment of it; outside of an event it never does."""
    blocks, event_id = LocalContext.blocks.get(None), LocalContext.event_id.get(None)
    queue = getattr(blocks, "_queue", None)
    event = queue.event_ids_to_events.get(event_id) if queue is not None and event_id else None
    if queue is None or event is None:
        return lambda: False
    tasks = [task for task in list(queue._asyncio_tasks) if task.get_name().endswith(event._id)]
    return lambda: not event.alive or any(task.cancelling() for task in tasks)
