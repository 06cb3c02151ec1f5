"""How `make test` deals tests out: whole files, but one process gets all that ask the app or drive a page."""

from __future__ import annotations

import re
from functools import cache

import pytest

from tests.helpers.browsing import ROOT

ASKS = re.compile(r"^def \w+\([^)]*\b(served|browser)\b", re.MULTILINE)  # a test or fixture that has one of the two


@cache
def on_page(path: str) -> bool:
    """Whether a file of tests, by its path from the repository, asks the app or drives a page."""
    return bool(ASKS.search((ROOT / path).read_text(encoding="utf-8")))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """A browser draws many pictures a second while it waits, so that two of them side by side only wait longer."""
    from xdist.scheduler import LoadFileScheduling

    class OneBrowser(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            path = super()._split_scope(nodeid)
            return "page" if on_page(path) else path

    return OneBrowser(config, log) if config.getvalue("dist") == "loadfile" else None
