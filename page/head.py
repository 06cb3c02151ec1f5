"""Middleware that puts what scripts need at the head of the page: its language, known before Gradio's scripts run, and
the addresses of all modules, so that they come at once; and that lets no other script of the page run."""

from __future__ import annotations

import secrets

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from page import scripts
from page.server.headers import page_policy

_HEAD, _SCRIPT = b"<head>", b"<script"


class Head:
    """Middleware that edits the pages at these paths and nothing else. entries: modules that they will start."""

    def __init__(self, app: ASGIApp, entries: tuple[str, ...], paths: tuple[str, ...] = ("/",)):
        self.app, self.paths = app, paths
        preloads = [
            f'<link rel="modulepreload" href="{scripts.folder()}/{name}">'
            for name in scripts.needed(scripts.LANGUAGE, *entries)
        ]
        language = f'<script type="module" src="{scripts.folder()}/{scripts.LANGUAGE}"></script>'
        self.added = "".join([language, *preloads]).encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] not in self.paths:
            return await self.app(scope, receive, send)
        start: Message = {}
        chunks: list[bytes] = []

        async def edited(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
                return
            chunks.append(message.get("body", b""))
            if message.get("more_body"):
                return
            nonce = secrets.token_urlsafe(16)
            page = b"".join(chunks).replace(_HEAD, _HEAD + self.added, 1)
            page = page.replace(_SCRIPT, b'%s nonce="%s"' % (_SCRIPT, nonce.encode()))
            headers = MutableHeaders(raw=start["headers"])
            headers["content-length"] = str(len(page))
            headers["content-security-policy"] = page_policy(nonce)
            await send(start)
            await send({"type": "http.response.body", "body": page})

        await self.app(scope, receive, edited)
