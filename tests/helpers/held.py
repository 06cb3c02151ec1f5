"""The app in this process, with an engine whose run waits in its middle until Stop was pressed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from page.state.startup import load
from tests.helpers.brief import QuickTimes
from tests.helpers.here import app_here
from tests.helpers.waiting import wait_until

LAYERS = 5  # asked before that many layers, a run waits


class HeldEngine(QuickTimes):
    """The engine of the page; while `hold` is set, a run that can be stopped waits before its sixth layer."""

    def __init__(self, adapter):
        super().__init__(adapter)
        self.hold, self.waits = threading.Event(), threading.Event()

    def converse(self, *args, stop=None, **more):
        return super().converse(*args, stop=stop and self._held(stop), **more)

    def _held(self, stop):
        asked = 0

        def held() -> bool:
            nonlocal asked
            asked += 1
            if asked > LAYERS and self.hold.is_set():
                self.waits.set()
                wait_until(stop, seconds=100)
                self.hold.clear()
            return stop()

        return held


@contextmanager
def held_app() -> Iterator[tuple[HeldEngine, str]]:
    """The engine and the address of the app around it, served as `make demo` serves it."""
    loaded = load("")
    engine = HeldEngine(loaded.engine.adapter)
    with app_here(replace(loaded, engine=engine)) as address:
        try:
            yield engine, address
        finally:
            engine.hold.clear()
