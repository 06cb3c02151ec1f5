"""Doors: the addresses of Gradio's that the page and its clients use; every other one is shut."""

from __future__ import annotations

import re
from collections.abc import Sequence

from starlette.types import ASGIApp, Receive, Scope, Send

from page.server.refused import Refused

_READ = r"config/?|theme\.css|manifest\.json|robots\.txt|favicon\.ico|health|metrics|(assets|static|svelte)/.+"
_READ_API = (
    r"info/?|file=.+|heartbeat/[^/]+|queue/(data|status)|call/(v2/)?[^/]+/[^/]+|startup-events|upload_progress|app_id/?|"
    r"theme\.css|scripts/.+|models"
)
_SENT = r"queue/join|call/(v2/)?[^/]+/?|cancel|reset/?|upload"
_PAST_THE_QUEUE = re.compile(r"/gradio_api/(run|api)/.*")


class Doors:
    """Middleware that raises Refused for what is not listed. pages: paths of pages."""

    def __init__(self, app: ASGIApp, pages: Sequence[str], has_openapi: bool = False):
        self.app = app
        api = rf"gradio_api/({_READ_API}{'|openapi.json' if has_openapi else ''})"
        read = re.compile("|".join([*(re.escape(page.rstrip("/")) + "/?" for page in pages), rf"/({_READ}|{api})"]))
        sent = re.compile(rf"/gradio_api/({_SENT})")
        self.open = {"GET": read, "HEAD": read, "POST": sent, "OPTIONS": sent}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path = scope["path"]
            if _PAST_THE_QUEUE.fullmatch(path):
                raise Refused(404, "past the queue", "queue")
            if not (known := self.open.get(scope["method"])) or not known.fullmatch(path):
                raise Refused(404, "address", "address")
        elif scope["type"] == "websocket":
            return await send({"type": "websocket.close"})
        await self.app(scope, receive, send)
