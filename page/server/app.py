"""App: Gradio's, with everything of this folder in front of it."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from gradio.routes import App, ORJSONResponse
from gradio.utils import get_upload_folder
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from page.server import process
from page.server.blocks import PageBlocks
from page.server.body import Bodies
from page.server.doors import Doors
from page.server.folder import sweep_old
from page.server.gate import Gate
from page.server.headers import Compressed, SafeHeaders
from page.server.queue import FairQueue
from page.server.record import Record
from page.server.refused import Refused
from page.server.uploads import UploadLedger, Uploads, file_sizes, folder_bytes

_EVERY = 30.0  # seconds between two rounds of tidying
_HEARD = re.compile(r"/gradio_api/call/(?!v2/[^/]+$)(?:v2/)?[^/]+/([^/]+)")
_log = logging.getLogger(__name__)


class ServedApp(App):
    """Gradio's app for these blocks. pages: paths of its pages. middleware, routes: of the page itself."""

    def __init__(
        self, blocks: PageBlocks, pages: Sequence[str], middleware: Sequence[Middleware], routes: Sequence[Route]
    ):
        os.environ["FORWARDED_ALLOW_IPS"] = ""  # of uvicorn, which would believe this machine; `Gate` decides
        self.page_blocks, settings, record = blocks, blocks.settings, blocks.record
        self.folder = Path(get_upload_folder())
        self.ledger = UploadLedger(self.folder, settings.upload_bytes)
        own = [Route("/health", self._health), Route("/metrics", self._metrics)]
        super().__init__(
            openapi_url=None, default_response_class=ORJSONResponse, middleware=[*middleware], routes=[*routes, *own]
        )
        behind: ASGIApp = self._heard
        for layer in (
            lambda app: Uploads(app, self.ledger, record),
            lambda app: Bodies(app, blocks),
            lambda app: Compressed(app, pages),
            lambda app: Doors(app, pages, settings.has_openapi),
            lambda app: Gate(app, settings),
        ):
            behind = layer(behind)
        behind = Answering(behind, record)
        if settings.origins:
            behind = CORSMiddleware(behind, allow_origins=settings.origins, allow_methods=["*"], allow_headers=["*"])
        self._guarded = SafeHeaders(behind)
        record.gauges |= gauges_of(blocks.fair_queue, self)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (super().__call__ if scope["type"] == "lifespan" else self._guarded)(scope, receive, send)

    async def _heard(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Gradio; who opens a stream of answers is known to listen. For an unknown session it would fail."""
        queue, called = self.page_blocks.fair_queue, _HEARD.fullmatch(scope["path"])
        if scope["path"] != "/gradio_api/queue/data" and not called:
            return await super().__call__(scope, receive, send)
        query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
        session = queue.session_of(called[1]) if called else query.get("session_hash", [""])[0]
        if session not in queue.pending_messages_per_session:
            said = Refused(404, "session", "stream").sentence(scope)
            gone = {"msg": "unexpected_error", "message": said, "session_not_found": True, "success": False}
            return await Response(f"data: {json.dumps(gone)}\n\n", media_type="text/event-stream")(scope, receive, send)
        with queue.listening(session):
            await super().__call__(scope, receive, send)

    @asynccontextmanager
    async def tidied(self, _: Any) -> AsyncIterator[None]:
        """Tidy again and again for the length of the block."""
        task = asyncio.create_task(self._tidy())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _tidy(self) -> None:
        queue = self.page_blocks.fair_queue
        while True:
            await asyncio.sleep(_EVERY)
            try:
                await queue.tidy()
                queue.sessions.forget_closed(self.page_blocks.settings.keep_seconds)
                for tidy in (self.ledger.share.forget, *self.page_blocks.tidied):
                    tidy()
                await asyncio.to_thread(self.sweep)
            except Exception:
                _log.exception("tidying failed")

    def sweep(self) -> int:
        """Remove files that are too old, but for those that the page itself shows; returns how many."""
        blocks = [*self.page_blocks.blocks.values()]
        keep = {str(path) for block in blocks for path in getattr(block, "keep_in_cache", ())}
        return sweep_old(self.folder, self.page_blocks.settings.keep_seconds, keep)

    async def _health(self, request: Request) -> Response:
        stopped = self.page_blocks.fair_queue.stopped
        return JSONResponse({"status": "ending" if stopped else "ok"}, 503 if stopped else 200)

    async def _metrics(self, request: Request) -> Response:
        """For those that AIM_METRICS names, by who is connected; never for what says that it came through a proxy."""
        scope, settings = request.scope, self.page_blocks.settings
        if scope["peer"] not in settings.scrapers or scope["is_forwarded"]:
            return Refused(404, "address", "address").response(request.scope)
        return PlainTextResponse(self.page_blocks.record.text(), media_type="text/plain; version=0.0.4")


class Answering:
    """Middleware that answers what is Refused behind it."""

    def __init__(self, app: ASGIApp, record: Record):
        self.app, self.record = app, record

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.app(scope, receive, send)
        except Refused as refused:
            self.record.refused("request", refused.why)
            await refused.response(scope)(scope, receive, send)


def gauges_of(queue: FairQueue, app: ServedApp) -> dict[str, Any]:
    """What is scraped of the server beside counts."""
    return {
        "runs_waiting": lambda: queue.num_waiting(is_run=True),
        "other_events_waiting": lambda: queue.num_waiting(is_run=False),
        "sweeps": queue.num_sweeps,
        "events_running": queue.num_running,
        "sessions": lambda: len(app.state_holder.session_data),
        "files": lambda: sum(1 for _ in file_sizes(app.folder)),
        "files_bytes": lambda: folder_bytes(app.folder),
        "resident_bytes": process.resident_bytes,
        "open_files": process.open_files,
        "children": process.children,
    }
