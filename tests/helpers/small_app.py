"""A small app behind the server's own doors, whose runs wait until they are let go, and visitors who ask it."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import gradio as gr
import httpx

from aim_core.turns import Turns
from page.checks import guarded
from page.i18n import I18N
from page.server.app import ServedApp
from page.server.blocks import PageBlocks
from page.server.settings import ServerSettings
from page.state.waiting import EXPORT_LINE, SWEEP_LINE, waiting
from tests.helpers.server import free_port

TIMEOUT = 30


class SmallApp:
    """run:  in the line of runs, ends once `go` is set; adds what it was asked to `ran`. One asked "later" waits
          for `later` before it waits for its turn of `turns`.
    take:  as run, in the line of exports; sweep: in that of sweeps. quick: in a line of its own.
    let_on: how many of that line may begin together, as those of the page do, which then wait for the model.
    """

    def __init__(self, settings: ServerSettings, let_on: int = 1):
        self.go, self.later, self.ran, self.turns = threading.Event(), threading.Event(), [], Turns(1)
        with PageBlocks() as self.blocks:
            asked, said = gr.Textbox(), gr.Textbox()
            number = gr.Slider(0, 10)
            line = {"concurrency_id": "model", "concurrency_limit": let_on}
            gr.on([], guarded(self._run), asked, said, api_name="run", **line)
            gr.on([], guarded(self._take), asked, said, api_name="take", **EXPORT_LINE | {"concurrency_limit": 1})
            gr.on([], guarded(self._take), asked, said, api_name="sweep", **SWEEP_LINE)
            gr.on([], guarded(lambda text, _: text), [asked, number], said, api_name="quick")
        self.blocks.settle(settings, self.turns.holders)
        self.address = f"http://127.0.0.1:{(port := free_port())}"
        self.app = ServedApp(self.blocks, ["/"], [], [])
        quiet = {"prevent_thread_lock": True, "quiet": True, "i18n": I18N, "ssr_mode": False}
        quiet["app_kwargs"] = {"lifespan": self._on_loop}
        self.blocks.launch(server_name="127.0.0.1", server_port=port, _app=self.app, **quiet)
        self.numbers = {fn.api_name: number for number, fn in self.blocks.fns.items()}

    @asynccontextmanager
    async def _on_loop(self, _):
        self._loop = asyncio.get_running_loop()
        yield

    def on_server(self, work: Coroutine):
        """What a coroutine comes to in the server's own loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=TIMEOUT)

    def soon(self, call, *args) -> None:
        """Have the server's own loop call it."""
        self._loop.call_soon_threadsafe(call, *args)

    def _run(self, text):
        if text == "later":
            assert self.later.wait(TIMEOUT)
        with self.turns.turn(waiting("model", lambda: False)):
            return self._take(text)

    def _take(self, text):
        assert self.go.wait(TIMEOUT)
        self.ran.append(text)
        return text

    def wait_for_line(self, count: int) -> None:
        """Until one run is under way and so many wait."""
        end = time.monotonic() + TIMEOUT
        while (self.blocks.fair_queue.num_running(), self.blocks.fair_queue.num_waiting(is_run=True)) != (1, count):
            assert time.monotonic() < end
            time.sleep(0.005)


@contextmanager
def small_app(settings: ServerSettings | None = None, let_on: int = 1) -> Iterator[SmallApp]:
    app = SmallApp(settings or ServerSettings(), let_on)
    try:
        yield app
    finally:
        app.go.set()
        app.later.set()
        app.blocks.close(verbose=False)


@contextmanager
def visitor(address: str = "", own: str = "127.0.0.1", **more) -> Iterator[httpx.Client]:
    """Asks from an address of its own on this machine."""
    with httpx.Client(
        transport=httpx.HTTPTransport(local_address=own), base_url=address, timeout=TIMEOUT, **more
    ) as client:
        yield client


def join(client: httpx.Client, function: int, session: str, data: list, **more) -> httpx.Response:
    body = {"fn_index": function, "session_hash": session, "data": data} | more
    return client.post("/gradio_api/queue/join", json=body)


def heard(client: httpx.Client, session: str) -> list[dict]:
    """Every message up to the end of the stream: that of the last event of a session."""
    with client.stream("GET", "/gradio_api/queue/data", params={"session_hash": session}) as stream:
        return [json.loads(line[6:]) for line in stream.iter_lines() if line.startswith("data: ")]


def ended(messages: list[dict]) -> list[dict]:
    """What each event came to."""
    return [message["output"] for message in messages if message["msg"] == "process_completed"]


def own_folder(tmp_path: Path, monkeypatch) -> Path:
    """Where Gradio keeps its files from now on."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"
