"""Waiting with a limit: for a thread that does not keep the interpreter alive, and for something to become true."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future


def in_thread(function: Callable, *args, **kwargs) -> Future:
    """Call `function` in a daemon thread; `.result(timeout=...)` waits for what it returns or raises."""
    future = Future()

    def work():
        try:
            future.set_result(function(*args, **kwargs))
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=work, daemon=True).start()
    return future


def in_own_loop(work: Coroutine, seconds: float = 300):
    """What it comes to, in a thread: a browser of other tests leaves a loop running in this one."""
    return in_thread(asyncio.run, work).result(timeout=seconds)


def wait_until(is_true: Callable[[], bool], seconds: float = 60) -> None:
    """Look every 10 ms until `is_true()`; an AssertionError after `seconds`."""
    end = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < end, f"not true after {seconds} s"
        time.sleep(0.01)
