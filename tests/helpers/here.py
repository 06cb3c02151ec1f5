"""The app in this process, which spares a new one the imports, where a test wants an engine or a model of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from page.build import build_page, serve
from page.server.settings import ServerSettings, SweepSettings
from page.state.startup import Loaded, load
from tests.helpers.brief import QuickTimes
from tests.helpers.server import free_port


def quick(name: str) -> Loaded:
    """A model as the page loads it, timed fewer times."""
    loaded = load(name)
    return replace(loaded, engine=QuickTimes(loaded.engine.adapter))


@contextmanager
def app_here(loaded: Loaded, sweeps: Path | None = None) -> Iterator[str]:
    """Address of the page of a loaded model for the length of the block, served as `make demo` serves it.

    sweeps: where those of the lab lie.
    """
    with tempfile.TemporaryDirectory() as own:  # sweeps of an earlier test are not found
        settings = ServerSettings(sweeps=SweepSettings(folder=sweeps or Path(own)))
        demo, port = build_page(loaded, settings), free_port()
        serve(demo, "127.0.0.1", port, prevent_thread_lock=True, quiet=True)
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            demo.close(verbose=False)
