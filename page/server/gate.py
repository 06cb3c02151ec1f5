"""Gate: the first to see a request; for which host, from which site, and how many at once from one address."""

from __future__ import annotations

import ipaddress
import logging
from collections import Counter
from contextlib import suppress
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from page.server.refused import Refused
from page.server.settings import Addresses, ServerSettings, is_private

_FORWARDED = (b"forwarded", b"x-real-ip", b"x-gradio-server")  # beside all that begin with x-forwarded-
_SAFE = ("GET", "HEAD")
_BY_ANY_NAME = ("/health", "/metrics")  # who looks after a server may know no more than its address
_log = logging.getLogger(__name__)


class Gate:
    """Middleware. What a request says of itself is believed only where it came through a trusted proxy: then its client
    is the visitor, else it is who is connected. Raises Refused.

    Origins are checked here, so that Gradio sees none, which would let any page read.
    """

    def __init__(self, app: ASGIApp, settings: ServerSettings):
        self.app, self.settings = app, settings
        self._under_way: Counter[str] = Counter()
        self._has_warned = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        peer, proxies = (scope.get("client") or ("", 0))[0], self.settings.proxies
        headers, client = scope["headers"], peer
        own = [pair for pair in headers if not _is_forwarded(pair[0])]
        is_forwarded = len(own) < len(headers)
        if peer in proxies:
            client = visitor_of(", ".join(Headers(scope=scope).getlist("x-forwarded-for")), proxies) or peer
        else:
            headers = own
            self._warn(is_forwarded)
        told = {"peer": peer, "is_forwarded": is_forwarded, "client": (share_of(client), 0), "headers": headers}
        await self._known({**scope, **told}, receive, send)

    async def _known(self, scope: Scope, receive: Receive, send: Send) -> None:
        host = self._host(Headers(scope=scope), scope["path"] in _BY_ANY_NAME)
        if (origin := Headers(scope=scope).get("origin")) is not None:
            is_known = origin in self.settings.origins or _same(origin, host, scope["is_forwarded"])
            if scope["method"] not in _SAFE and not is_known:
                raise Refused(403, "origin", "origin")
            scope = {**scope, "headers": [pair for pair in scope["headers"] if pair[0] != b"origin"]}
        address = scope["client"][0]
        if self._under_way[address] >= self.settings.streams:
            raise Refused(429, "busy", "busy")
        self._under_way[address] += 1
        try:
            await self.app(scope, receive, send)
        finally:
            self._under_way[address] -= 1
            self._under_way += Counter()  # drops what is 0

    def _host(self, headers: Headers, is_free: bool) -> str:
        """Host and port that the visitor asked for, both of the request's own words for it being allowed."""
        asked = [headers.get("host", ""), *headers.get("x-forwarded-host", "").split(",")[:1]]
        for name in filter(None, map(str.strip, asked)):
            if not is_free and self.settings.hosts and _parts("//" + name)[0] not in self.settings.hosts:
                raise Refused(421, "host", "host")
        return asked[-1].strip() or asked[0]

    def _warn(self, is_forwarded: bool) -> None:
        if is_forwarded and not self._has_warned:
            self._has_warned = True
            _log.warning("a proxy that AIM_PROXIES does not name sends X-Forwarded headers; its visitors count as one")


def visitor_of(forwarded: str, proxies: Addresses) -> str:
    """The visitor in X-Forwarded-For, "" where that is none: the last that no proxy of ours is, since each proxy adds
    whom it saw and what stands before may be invented. Where all are trusted, private addresses are ours."""
    hops = [found for hop in forwarded.split(",") if (found := _address(hop.strip()))]
    seen = [hop for hop in hops if not (is_private(hop) if proxies.has_all else hop in proxies)]
    return (seen or hops or [""])[-1 if seen else 0]


def share_of(address: str) -> str:
    """Whose share an address has: in IPv6 a visitor has a network of 64 bits to choose from."""
    found = ipaddress.ip_address(address) if _address(address) else None
    return str(ipaddress.ip_network((found, 64), strict=False)) if isinstance(found, ipaddress.IPv6Address) else address


def _address(hop: str) -> str:
    """The address in "1.2.3.4", "1.2.3.4:80", "[::1]:80" or "::1"; "" in anything else."""
    for text in (hop, hop.rsplit(":", 1)[0].strip("[]")):
        with suppress(ValueError):
            return str(ipaddress.ip_address(text))
    return ""


def _is_forwarded(name: bytes) -> bool:
    return name.startswith(b"x-forwarded-") or name in _FORWARDED


def _same(origin: str, host: str, is_forwarded: bool) -> bool:
    """Whether an origin is the host itself; behind a proxy only one of them may name a port."""
    (name, port), (own, own_port) = _parts(origin), _parts("//" + host)
    return bool(name) and name == own and (port == own_port or (is_forwarded and None in (port, own_port)))


def _parts(address: str) -> tuple[str, int | None]:
    try:
        found = urlsplit(address)
        return found.hostname or "", found.port
    except ValueError:
        return "", None
