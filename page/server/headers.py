"""Headers: what a browser may do with what it gets, and pages compressed."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.datastructures import MutableHeaders
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

FRAMED_BY = "'self' https://huggingface.co https://*.hf.space"  # where a Space is shown
_FILE = "default-src 'none'; img-src 'self' data:; media-src 'self'; style-src 'unsafe-inline'; sandbox"
_ALL = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # the page's own address, whose ?lang= chooses the language, goes to this server
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


def page_policy(nonce: str) -> str:
    """The content security policy of a page.

    Gradio makes functions of texts (js= of an event, a panel's js_on_load), which needs 'unsafe-eval', and styles
    within the page; a script in the page runs only with the nonce, and nothing comes from another server.
    """
    return "; ".join(
        [
            "default-src 'self'",
            f"script-src 'self' 'nonce-{nonce}' 'unsafe-eval'",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "media-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self' data: blob:",
            "worker-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            f"frame-ancestors {FRAMED_BY}",
        ]
    )


class SafeHeaders:
    """Middleware that says on every response what a browser may do with it; a file of a visitor is shown but never
    run."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(_ALL)
                if scope["path"].startswith("/gradio_api/file="):
                    headers["Content-Security-Policy"] = _FILE
            await send(message)

        await self.app(scope, receive, told)


class Compressed:
    """Middleware that compresses the pages and what describes them, which Gradio, that looks at file names, leaves as
    they are. Event streams and files of visitors pass untouched."""

    def __init__(self, app: ASGIApp, pages: Sequence[str]):
        self.app, self.paths = app, {*pages, "/config", "/gradio_api/info", "/metrics"}
        self.gzip = GZipMiddleware(app, compresslevel=6)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_text = scope["type"] == "http" and scope["path"] in self.paths
        await (self.gzip if is_text else self.app)(scope, receive, send)
