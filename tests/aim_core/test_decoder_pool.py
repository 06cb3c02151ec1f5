"""Decoders at once: what ends one, what is said then, and that one which takes long keeps nobody waiting."""

from __future__ import annotations

import io
import json
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from aim_core.errors import Stopped
from aim_core.media.decode import load_frames
from aim_core.media.errors import CRASHED_PICTURE, HEAVY_PICTURE, KILLED, SLOW_PICTURE, MediaError
from aim_core.media.frames import Frames, read_reply
from aim_core.media.limits import Limits
from aim_core.media.pool import DecoderPool
from aim_core.media.process import Child, Request
from aim_core.turns import Asker
from tests.helpers import hostile
from tests.helpers.waiting import in_thread, wait_until

pytestmark = pytest.mark.skipif(not hasattr(os, "killpg"), reason="signals of POSIX")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Pictures named for what the decoder does."""
    for name, value in hostile.taken_over(tmp_path).items():
        monkeypatch.setenv(name, value)
    hostile.pictures(tmp_path)
    return tmp_path


@pytest.fixture
def children(monkeypatch):
    """Every child that is begun."""
    begun = []

    class Noted(Child):
        def __init__(self, request):
            super().__init__(request)
            begun.append(self)

    monkeypatch.setattr("aim_core.media.pool.Child", Noted)
    return begun


def request(path: Path, **limits) -> Request:
    return Request(str(path), "image", 1, 768, Limits(**limits))


def is_over(child: Child) -> bool:
    return child.has_ended


def priority(child: Child) -> int:
    """Of the thread that gets the most."""
    try:
        tasks = [int(task.name) for task in Path(f"/proc/{child._process.pid}/task").iterdir()]
        return min(os.getpriority(os.PRIO_PROCESS, task) for task in tasks)
    except OSError:
        return 0


@pytest.mark.parametrize(
    ("deed", "limits", "sentence"),
    [
        ("sleep", {"wall_seconds": 2.0}, SLOW_PICTURE),
        ("spin", {"cpu_seconds": 1}, SLOW_PICTURE),
        ("eat", {"memory_bytes": 600 << 20}, HEAVY_PICTURE),
        ("crash", {}, CRASHED_PICTURE),
    ],
)
def test_each_end_of_a_decoder_has_its_sentence(folder, deed, limits, sentence):
    with pytest.raises(MediaError) as told:
        load_frames(folder / f"{deed}.png", limits=Limits(**limits))
    assert str(told.value) == sentence


def test_a_decoder_that_was_killed_is_told_as_that(folder, children):
    decoding = in_thread(load_frames, folder / "sleep.png")
    wait_until(lambda: children)
    os.kill(children[0]._process.pid, signal.SIGKILL)
    with pytest.raises(MediaError) as told:
        decoding.result(timeout=10)
    assert str(told.value) == KILLED


def test_stop_kills_the_decoder_within_a_second(folder, children):
    stop, pool = threading.Event(), DecoderPool(places=1)
    decoding = in_thread(pool.decode, request(folder / "sleep.png"), Asker(stop=stop.is_set))
    wait_until(lambda: children)
    time.sleep(0.5)
    stop.set()
    begun = time.monotonic()
    with pytest.raises(Stopped):
        decoding.result(timeout=10)
    assert time.monotonic() - begun < 1 and is_over(children[0])
    assert isinstance(pool.decode(request(folder / "plain.png")), Frames)


def test_nobody_has_all_decoders(folder, children):
    """The seconds before a file is known to take long are another visitor's too."""
    stop, pool = threading.Event(), DecoderPool(places=2, quick_seconds=60)
    taken = [in_thread(pool.decode, request(folder / "sleep.png"), Asker("a", stop.is_set)) for _ in range(2)]
    wait_until(lambda: children)
    assert isinstance(pool.decode(request(folder / "plain.png"), Asker("b")), Frames)
    assert [is_over(child) for child in children] == [False, True]
    stop.set()
    for one in taken:
        with pytest.raises(Stopped):
            one.result(timeout=10)


def test_a_file_that_takes_long_keeps_nobody_waiting(folder, children):
    """Two of them: one goes on at low priority, the other makes room for who waits and is begun again after it."""
    stops, pool = [threading.Event(), threading.Event()], DecoderPool(places=1, quick_seconds=0.1)
    first = in_thread(pool.decode, request(folder / "sleep.png"), Asker("a", stops[0].is_set))
    wait_until(lambda: children and priority(children[0]) > os.getpriority(os.PRIO_PROCESS, 0))
    second = in_thread(pool.decode, request(folder / "sleep.png"), Asker("b", stops[1].is_set))
    wait_until(lambda: len(children) == 2)
    assert isinstance(pool.decode(request(folder / "plain.png")), Frames)
    assert [is_over(child) for child in children] == [False, True, True]
    stops[0].set()
    with pytest.raises(Stopped):
        first.result(timeout=10)
    wait_until(lambda: len(children) == 4)
    stops[1].set()
    with pytest.raises(Stopped):
        second.result(timeout=10)
    assert all(map(is_over, children))


def test_a_slow_file_goes_on_as_long_as_nobody_waits(folder, children):
    """Though there is no place for it among the slow ones."""
    stop, pool = threading.Event(), DecoderPool(places=1, quick_seconds=0.01)
    first = in_thread(pool.decode, request(folder / "sleep.png"), Asker("a", stop.is_set))
    wait_until(lambda: children and priority(children[0]) > os.getpriority(os.PRIO_PROCESS, 0))
    assert isinstance(pool.decode(request(folder / "plain.png")), Frames) and len(children) == 2
    stop.set()
    with pytest.raises(Stopped):
        first.result(timeout=10)


HEAD = {"missing": [], "shape": [1, 8, 8], "times": [0.0], "duration": 0.0}


@pytest.mark.parametrize(
    "lie",
    [
        {"shape": [9, 8, 8], "times": [0.0] * 9},
        {"shape": [2, 8, 4], "times": [0.0] * 2},
        {"shape": [1, 10**6, 8]},
        {"shape": [1, 700, 700]},
        {"shape": [1, 8]},
        {"times": [float("nan")]},
        {"times": [0.0, 1.0]},
        {"duration": float("inf")},
        {"duration": None},
        {"missing": None},
        {"shape": [float("inf"), 1, 1]},
    ],
    ids=str,
)
def test_no_more_is_taken_from_a_decoder_than_was_asked(lie):
    pixels = bytes(8 * 8 * 3)
    told = read_reply(io.BytesIO(json.dumps(HEAD).encode() + b"\n" + pixels), "image", 8, 768)
    assert isinstance(told.result, Frames)
    with pytest.raises((ValueError, KeyError, TypeError, OverflowError)):
        read_reply(io.BytesIO(json.dumps(HEAD | lie).encode() + b"\n" + pixels), "image", 8, 768)


def test_a_sentence_of_a_decoder_is_short():
    told = read_reply(io.BytesIO(json.dumps({"missing": [], "error": "x" * 10**4}).encode()), "image", 1, 768)
    assert len(told.result) < 1000
