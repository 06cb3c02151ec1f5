"""Middleware that puts a script at the head of the page, so that its language is known before Gradio's scripts run."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from page import assets

_HEAD = b"<head>"


class LanguageFirst:
    """Middleware that edits the page itself and nothing else."""

    def __init__(self, app: ASGIApp):
        self.app = app
        self.script = f"<script>{assets.text('language_script.js')}</script>".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != "/":
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
            page = b"".join(chunks).replace(_HEAD, _HEAD + self.script, 1)
            MutableHeaders(raw=start["headers"])["content-length"] = str(len(page))
            await send(start)
            await send({"type": "http.response.body", "body": page})

        await self.app(scope, receive, edited)
