"""Visitor: opens the page, uploads, asks, exports, as a browser does: joins the queue and listens to its events."""

from __future__ import annotations

import asyncio
import json
import re
import time
import uuid
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

_CONFIG = re.compile(r"window\.gradio_config = (\{.*?\});</script>", re.DOTALL)
SOUND = (True, 1, 1)  # what a page that does not show the controls of sound sends
EXTRAS = (*SOUND, [])  # and that has no further pictures
_TIMES = re.compile(r"(_ms|timed_prefills)$")
TIMEOUT = 300.0  # seconds that an answer may take


class LoadError(Exception):
    """An answer that is none."""


@dataclass(frozen=True)
class Job:
    """One question about a sample. settings: keep ratio, l1, l2, frames."""

    file: str
    question: str
    settings: tuple[float, int, int, int]


@dataclass
class Visit:
    """What came of a job. told: answers, counts and trace without times, the same for every visit of the job.

    run_s: from Run to both answers. cheap_s: of a link that was asked for while the run waited or ran.
    """

    told: str = ""
    run_s: float = 0.0
    cheap_s: float = 0.0
    exports: dict[str, str] = field(default_factory=dict)


class Visitor:
    """One page of one visitor, from an address of its own on this machine."""

    def __init__(self, client: httpx.AsyncClient):
        self.client, self.session = client, uuid.uuid4().hex[:11]
        self.events: dict[str, dict[str, Any]] = {}

    @classmethod
    @asynccontextmanager
    async def opened(cls, address: str, number: int):
        """The page, held open by its heartbeat for the length of the block."""
        own = f"127.0.{1 + number // 250}.{1 + number % 250}"
        transport = httpx.AsyncHTTPTransport(local_address=own)
        async with httpx.AsyncClient(transport=transport, base_url=address, timeout=TIMEOUT) as client:
            visitor = cls(client)
            page = (await client.get("/")).text
            config = json.loads(_CONFIG.search(page)[1])  # type: ignore[index]
            visitor.events = {event["api_name"]: event for event in config["dependencies"] if event["backend_fn"]}
            async with client.stream("GET", f"/gradio_api/heartbeat/{visitor.session}") as heartbeat:
                heartbeat.raise_for_status()
                await visitor.ask("restore", [""])
                yield visitor

    async def ask(self, name: str, data: list) -> dict[str, Any]:
        """What one event comes to."""
        event = await self.join(name, data)
        return (await self.heard([event]))[event][0]

    async def run(self, job: Job, content: bytes) -> Visit:
        """Upload, run, ask for a link meanwhile, then take the JSON and the saved run."""
        files = {"files": (job.file, content, "application/octet-stream")}
        path = (await self.client.post("/gradio_api/upload", files=files)).raise_for_status().json()[0]
        file = {"path": path, "orig_name": job.file, "meta": {"_type": "gradio.FileData"}}
        inputs = [file, None, None, job.question, *job.settings]
        begun = time.monotonic()
        run = await self.join("run", [*inputs, True, None, *EXTRAS])
        asked = time.monotonic()
        link = await self.join("link", [*inputs, *EXTRAS])
        ends = await self.heard([run, link])
        visit = Visit(run_s=ends[run][1] - begun, cheap_s=ends[link][1] - asked)
        for kind in ("json", "saved"):
            visit.exports[kind] = await self._exported(kind)
        about = json.loads(visit.exports["json"])
        visit.told = json.dumps(_without_times(about), sort_keys=True)
        return visit

    async def _exported(self, kind: str) -> str:
        """Text of the JSON file, or how long the saved run is."""
        (files,) = (await self.ask(f"export_{kind}", [None, 0, "rank", None]))["data"]
        reply = (await self.client.get(files[0]["url"])).raise_for_status()
        return reply.text if kind == "json" else str(len(reply.content))

    async def join(self, name: str, data: list) -> str:
        """Put an event into the line; its id."""
        event = self.events[name]
        body = {"data": data, "fn_index": event["id"], "session_hash": self.session, "event_data": None}
        reply = await self.client.post("/gradio_api/queue/join", json=body | {"trigger_id": event["id"]})
        if reply.status_code != 200:
            raise LoadError(f"{name}: {reply.status_code} {reply.text[:200]}")
        return reply.json()["event_id"]

    async def heard(self, events: list[str]) -> dict[str, tuple[dict[str, Any], float]]:
        """What each event came to, and when."""
        ended: dict[str, tuple[dict[str, Any], float]] = {}
        query = {"session_hash": self.session}
        async with self.client.stream("GET", "/gradio_api/queue/data", params=query) as stream:
            async for line in stream.aiter_lines():
                message = json.loads(line[6:]) if line.startswith("data: ") else {"msg": ""}
                if message["msg"] == "process_completed":
                    if not message["success"]:
                        raise LoadError(str(message["output"])[:300])
                    ended[message["event_id"]] = message["output"], time.monotonic()
                elif message["msg"] in ("unexpected_error", "server_stopped"):
                    raise LoadError(message["message"])
        if missing := set(events) - set(ended):
            raise LoadError(f"{len(missing)} events had no answer")
        return ended


def _without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_times(own) for key, own in value.items() if not _TIMES.search(key)}
    return [_without_times(own) for own in value] if isinstance(value, list) else value


async def until_alive(address: str, seconds: float = 120) -> None:
    """Wait for a server that has just been started."""
    end = time.monotonic() + seconds
    async with httpx.AsyncClient() as client:
        while time.monotonic() < end:
            try:
                if (await client.get(f"{address}/health")).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.3)
    raise LoadError(f"the app did not start in {seconds:.0f} s")
