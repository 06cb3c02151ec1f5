"""Visitors side by side: a file that takes long keeps nobody from the model, and who has left is not worked for."""

from __future__ import annotations

import os
import sys
import time
import uuid
from contextlib import contextmanager
from functools import partial

import httpx
import pytest
from gradio_client import Client, handle_file

from aim_core.media import decode
from aim_core.media.limits import Limits
from tests.helpers import hostile
from tests.helpers.held import held_app
from tests.helpers.processes import decoders_of
from tests.helpers.waiting import wait_until
from tools.load.visitor import EXTRAS

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")]
QUESTION = "which way does the red circle move?"
SETTINGS = (0.25, 6, 9, 4)
SOON = 1.5  # seconds; the promise is one, and the machine that tests may be busy


@pytest.fixture(scope="module")
def held():
    with held_app() as (engine, address):
        yield engine, address


@pytest.fixture
def slow_picture(tmp_path, monkeypatch):
    """A picture that takes its decoder over, which then never ends, whatever this machine has to do meanwhile."""
    monkeypatch.setattr(decode, "Limits", partial(Limits, wall_seconds=600.0))
    for name, value in hostile.taken_over(tmp_path).items():
        monkeypatch.setenv(name, value)
    return hostile.pictures(tmp_path)["sleep"]


def decoders() -> list[int]:
    return decoders_of(os.getpid())


def submit(address, video, image):
    files = [handle_file(str(path)) if path else None for path in (video, image)]
    return Client(address, verbose=False).submit(*files, QUESTION, *SETTINGS, False, *EXTRAS, api_name="/run")


@contextmanager
def visit(address, path):
    """A page that has asked about a picture and listens, as a browser does, until the end of the block."""
    with httpx.Client(base_url=f"{address}/gradio_api", timeout=60) as http:
        with open(path, "rb") as file:
            (upload,) = http.post("/upload", files={"files": file}).json()
        config = http.get(f"{address}/config").json()
        number = next(one["id"] for one in config["dependencies"] if one["api_name"] == "run")
        file = {"path": upload, "meta": {"_type": "gradio.FileData"}}
        data = [None, file, None, QUESTION, *SETTINGS, False, None, *EXTRAS]
        body = {"data": data, "fn_index": number, "session_hash": uuid.uuid4().hex}
        assert http.post("/queue/join", json=body).status_code == 200
        with http.stream("GET", "/queue/data", params={"session_hash": body["session_hash"]}) as messages:
            lines = messages.iter_lines()
            yield next(lines)


def test_slow_files_keep_nobody_from_an_answer(held, clip, slow_picture):
    """Two of them, of the same address; the answer is the one that is given when nobody else asks."""
    _, address = held
    alone = submit(address, clip, None).result(timeout=100)
    slow = [submit(address, None, slow_picture) for _ in range(2)]
    try:
        wait_until(decoders)
        other = clip.with_name("other.mp4")
        other.write_bytes(clip.read_bytes())
        beside = submit(address, other, None).result(timeout=100)
        assert decoders()
        assert [beside[0][name]["words"] for name in ("dense", "aim")] == [
            alone[0][name]["words"] for name in ("dense", "aim")
        ]
    finally:
        for job in slow:
            job.cancel()
    wait_until(lambda: not decoders(), SOON)


def test_a_lost_connection_ends_the_decoder(held, slow_picture):
    with visit(held[1], slow_picture):
        wait_until(decoders)
        time.sleep(0.3)
    wait_until(lambda: not decoders(), SOON)


def test_a_lost_connection_ends_the_run_before_its_next_layer(held, tmp_path):
    engine, address = held
    engine.waits.clear()
    engine.hold.set()
    with visit(address, hostile.pictures(tmp_path)["plain"]):
        assert engine.waits.wait(60)
    wait_until(lambda: not engine.hold.is_set(), SOON)


def test_a_cancelled_event_ends_the_run_too(held, clip):
    engine, address = held
    engine.waits.clear()
    engine.hold.set()
    job = submit(address, clip, None)
    assert engine.waits.wait(60)
    job.cancel()
    wait_until(lambda: not engine.hold.is_set(), SOON)
