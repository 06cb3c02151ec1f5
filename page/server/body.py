"""Bodies: what is sent as JSON is read within bounds and looked at before Gradio sees it."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from typing import Any, NoReturn, Protocol

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from page.server.refused import UPLOAD, Refused

LARGEST = 1 << 20  # bytes; marks on every patch of many frames take a tenth of it
PATIENCE = 30.0  # seconds for the next part of a body
_SESSION = re.compile(r"[A-Za-z0-9_-]{1,64}")
_KEYS = {"data", "fn_index", "session_hash", "event_data", "trigger_id", "event_id"}  # what the page and clients send
_JOIN, _CALL = "/gradio_api/queue/join", re.compile(r"/gradio_api/call/(v2/)?([^/]+)/?")


class Functions(Protocol):
    """What a request may name, see `ServedApp`."""

    def numbers(self) -> set[int]:
        """Of the app's events."""

    def names(self) -> set[str]:
        """Of those that /call/NAME reaches, with a list of inputs."""

    def parameters(self, name: str) -> dict[str, bool] | None:
        """Of one that /call/v2/NAME reaches, each with whether it may be left out; None where there is none."""

    def has_place(self, session: str | None, address: str) -> bool:
        """Whether the answers for a session, None for one of its own, can be kept for an address."""


class Bodies:
    """Middleware that raises Refused for what no page and no program would send."""

    def __init__(self, app: ASGIApp, functions: Functions):
        self.app, self.functions = app, functions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST" or scope["path"] == UPLOAD:
            return await self.app(scope, receive, send)
        sent = _parsed(await read(scope, receive))
        if any(_is_elsewhere(value) for value in _within(sent)):
            _refuse("elsewhere")
        called = _CALL.fullmatch(scope["path"])
        if called and called[1]:
            self._check_named(called[2], sent)
        else:
            sent = self._checked(scope["path"], called[2] if called else None, sent)
        if called or scope["path"] == _JOIN:
            session = None if called and called[1] else sent.get("session_hash")
            if not self.functions.has_place(session, (scope.get("client") or ("", 0))[0]):
                raise Refused(429, "unheard", "unheard")
        body = json.dumps(sent).encode()
        kept = [pair for pair in scope["headers"] if pair[0] not in (b"content-length", b"content-type")]
        headers = [*kept, (b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await self.app({**scope, "headers": headers}, _once(body, receive), send)

    def _check_named(self, name: str, sent: dict[str, Any]) -> None:
        """Inputs by name."""
        known = self.functions.parameters(name)
        if known is None:
            _refuse("function")
        if not {*sent} <= {*known} or not {one for one, is_optional in known.items() if not is_optional} <= {*sent}:
            _refuse("named")

    def _checked(self, path: str, called: str | None, sent: dict[str, Any]) -> dict[str, Any]:
        """What was sent, without what Gradio would take and nobody sends. called: NAME of a call."""
        session = sent.get("session_hash")
        if session is not None and not (isinstance(session, str) and _SESSION.fullmatch(session)):
            _refuse("session")
        sent = {key: value for key, value in sent.items() if key in _KEYS}
        for name in ("fn_index", "trigger_id"):
            if sent.get(name) is not None and type(sent[name]) is not int:
                _refuse("function")
        if path == _JOIN and (session is None or sent.get("fn_index") not in self.functions.numbers()):
            _refuse("session" if session is None else "function")
        if called is not None and called not in self.functions.names():
            _refuse("function")
        if (path == _JOIN or called) and not isinstance(sent.get("data"), list):
            _refuse("data")
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
