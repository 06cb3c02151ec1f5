"""pytest ends after its closing line, also when a thread hangs, for which Python would wait for ever."""

from __future__ import annotations

import os
import sys
import threading

import pytest

SECONDS = 5  # for threads that are about to end
STATUS = pytest.StashKey[int]()


def pytest_sessionfinish(session, exitstatus):
    session.config.stash[STATUS] = int(exitstatus)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config):
    """A thread that hangs has failed its test, or fails the run here."""
    others = [one for one in threading.enumerate() if one is not threading.main_thread() and not one.daemon]
    for one in others:
        one.join(timeout=SECONDS)
    names = [one.name for one in others if one.is_alive()]
    if names and not hasattr(config, "workerinput"):  # a worker is ended by the process that started it
        print("\nThreads that never ended:", *names, file=sys.stderr)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(config.stash.get(STATUS, 1) or 1)
