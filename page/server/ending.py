"""Ending: SIGTERM and SIGINT end the process in order, also as PID 1, for which the system would ignore the first."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """A signal ends the block, and then the process: at once, for a run under way may take minutes."""
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, _end)
    try:
        yield
    except SystemExit as end:
        if end.code:
            raise
    logging.shutdown()
    sys.stdout.flush()
    os._exit(0)


def until_told() -> None:
    """Wait for a signal, in the main thread."""
    threading.Event().wait()


def _end(*_: object) -> NoReturn:
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, signal.SIG_IGN)  # once is enough: what ends must not be broken off
    raise SystemExit(0)
