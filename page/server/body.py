"""Bodies: what is sent as JSON is read within bounds and looked at before Gradio sees it."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from page.server.refused import UPLOAD, Refused

LARGEST = 1 << 20  # bytes; marks on every patch of many frames take a tenth of it
PATIENCE = 30.0  # seconds for the next part of a body
_SESSION = re.compile(r"[A-Za-z0-9_-]{1,64}")
_KEYS = {"data", "fn_index", "session_hash", "event_data", "trigger_id", "event_id"}  # what the page and clients send
_JOIN, _CALL = "/gradio_api/queue/join", re.compile(r"/gradio_api/call/([^/]+)/?")
_FILE = "gradio.FileData"


class Bodies:
    """Middleware that raises Refused for what no page and no program would send.

    functions: numbers of the app's events that a request may name. names: of those that /call/NAME reaches.
    """

    def __init__(self, app: ASGIApp, functions: Callable[[], set[int]], names: Callable[[], set[str]]):
        self.app, self.functions, self.names = app, functions, names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST" or scope["path"] == UPLOAD:
            return await self.app(scope, receive, send)
        sent = self._checked(scope["path"], _parsed(await read(scope, receive)))
        body = json.dumps(sent).encode()
        kept = [pair for pair in scope["headers"] if pair[0] not in (b"content-length", b"content-type")]
        headers = [*kept, (b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await self.app({**scope, "headers": headers}, _once(body, receive), send)

    def _checked(self, path: str, sent: dict[str, Any]) -> dict[str, Any]:
        """What was sent, without what Gradio would take and nobody sends. Raises Refused."""
        session = sent.get("session_hash")
        if session is not None and not (isinstance(session, str) and _SESSION.fullmatch(session)):
            _refuse("session")
        sent = {key: value for key, value in sent.items() if key in _KEYS}
        for name in ("fn_index", "trigger_id"):
            if sent.get(name) is not None and type(sent[name]) is not int:
                _refuse("function")
        if path == _JOIN and (session is None or sent.get("fn_index") not in self.functions()):
            _refuse("session" if session is None else "function")
        if (called := _CALL.fullmatch(path)) and called[1] not in self.names():
            _refuse("function")
        if (path == _JOIN or called) and not isinstance(sent.get("data"), list):
            _refuse("data")
        if any(_is_elsewhere(value) for value in _within(sent.get("data"))):
            _refuse("elsewhere")
        return sent


def _parsed(body: bytes) -> dict[str, Any]:
    """A JSON object of real texts and numbers. Raises Refused."""
    try:
        sent = json.loads(body, parse_constant=_no_number)
        json.dumps(sent, ensure_ascii=False).encode()  # half a character, which JSON can hold, is none
    except (ValueError, RecursionError):
        _refuse("json")
    return sent if isinstance(sent, dict) else _refuse("json")


async def read(scope: Scope, receive: Receive) -> bytes:
    """The whole body. Raises Refused for one that is too large or comes too slowly."""
    declared = Headers(scope=scope).get("content-length", "0")
    if declared.isdecimal() and int(declared) > LARGEST:
        _refuse("large")
    body = bytearray()
    while True:
        message = await patient(receive)
        body += message.get("body", b"")
        if len(body) > LARGEST:
            _refuse("large")
        if message["type"] == "http.disconnect" or not message.get("more_body"):
            return bytes(body)


async def patient(receive: Receive) -> Message:
    """The next part of a body. Raises Refused for one that does not come."""
    try:
        return await asyncio.wait_for(receive(), PATIENCE)
    except TimeoutError as error:
        raise Refused(408, "slow", "slow") from error


def _once(body: bytes, receive: Receive) -> Receive:
    """Gives the body, then what the connection says."""
    left = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return left.pop() if left else await receive()

    return again


def _within(value: Any) -> Iterator[Any]:
    """Every dict in a JSON value."""
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            yield one
        left += one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()


def _is_elsewhere(value: dict[str, Any]) -> bool:
    """Whether this is a file that the server would have to fetch from an address."""
    path = value.get("path")
    return isinstance(path, str) and path.lstrip().lower().startswith(("http:", "https:", "ftp:"))


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number")


def _refuse(name: str) -> NoReturn:
    raise Refused(422, name, name, most=LARGEST >> 20)
