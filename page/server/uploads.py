"""Uploads: how much one request, one address and the disk may take, and what is said where it is full."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from page.checks import is_disk_full
from page.server.body import patient
from page.server.record import Record
from page.server.refused import UPLOAD, Refused
from page.server.share import HourlyShare

_SPARE = 64 << 20  # bytes of the disk that uploads leave free


class UploadLedger:
    """What was taken lately. folder: where uploads lie. most: bytes of a request, of an address in an hour, in all."""

    def __init__(self, folder: Path, most: tuple[int, int, int]):
        self.folder, (self.request, _, self.disk) = folder, most
        self.share = HourlyShare(most[1])
        self._coming = 0

    @contextmanager
    def take(self, address: str, size: int, lying: int) -> Iterator[None]:
        """An upload of `size` bytes is under way for the length of the block, where `lying` bytes lie already. Raises
        Refused."""
        mb = 1 << 20
        if size > self.request:
            raise Refused(413, "large", "upload", most=self.request // mb)
        if size > self.share.left(address):
            raise Refused(429, "share", "uploads", most=self.share.most // mb)
        if not self._has_room(size, lying):
            raise Refused(507, "disk", "disk")
        self.share.add(address, size)
        self._coming += size
        try:
            yield
        finally:
            self._coming -= size

    def _has_room(self, size: int, lying: int) -> bool:
        wanted = size + self._coming
        parent = next(one for one in (self.folder, *self.folder.parents) if one.exists())
        return lying + wanted <= self.disk and shutil.disk_usage(parent).free >= wanted + _SPARE


class Uploads:
    """Middleware of the one address that takes files. Raises Refused."""

    def __init__(self, app: ASGIApp, ledger: UploadLedger, record: Record):
        self.app, self.ledger, self.record = app, ledger, record

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != UPLOAD:
            return await self.app(scope, receive, send)
        size = Headers(scope=scope).get("content-length", "")
        if not size.isdecimal():
            raise Refused(411, "length", "length")
        begun, how = time.monotonic(), "refused"
        lying = await asyncio.to_thread(folder_bytes, self.ledger.folder)
        try:
            with self.ledger.take((scope.get("client") or ("", 0))[0], int(size), lying):
                how = await self._passed(scope, receive, send)
        except ClientDisconnect:
            how = "left"
        except OSError as error:
            if not is_disk_full(error):
                raise
            raise Refused(507, "disk", "disk") from error
        finally:
            if how != "answered":
                sweep_parts(self.ledger.folder)
        self.record.ended("-", "upload", 0.0, time.monotonic() - begun, how, {"bytes": size})

    async def _passed(self, scope: Scope, receive: Receive, send: Send) -> str:
        """How Gradio takes it. What went wrong is raised, and not sent as Starlette sends it."""
        status = 0

        async def told(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            if status < 500:
                await send(message)

        async def part() -> Message:
            return await patient(receive)

        await self.app(scope, part, told)
        if status >= 500:
            raise Refused(500, "wrong", "wrong")
        return "answered" if status == 200 else "refused"


def file_sizes(folder: Path) -> Iterator[int]:
    """Bytes of each file in it."""
    for root, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                yield os.lstat(os.path.join(root, name)).st_size


def folder_bytes(folder: Path) -> int:
    """Of all files in it."""
    return sum(file_sizes(folder))


def sweep_parts(folder: Path) -> None:
    """Remove what lies in the folder itself and nobody writes: an upload under way is open, a whole one in a folder."""
    parts = [path for path in folder.glob("*") if path.is_file()]
    is_open = _open_files()
    for path in parts:
        if is_open is not None and str(path.resolve()) not in is_open:
            path.unlink(missing_ok=True)


def _open_files() -> set[str] | None:
    """Of this process; None where the system does not say."""
    try:
        links = list(os.scandir("/proc/self/fd"))
    except OSError:
        return None
    found = set()
    for link in links:
        with suppress(OSError):
            found.add(os.readlink(link.path))
    return found
