"""Hostile: what a stranger's files and requests cost another visitor, who is timed alone and beside each attack."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import httpx

from tools.fuzz.bombs import BOMBS
from tools.load.visitor import EXTRAS, Job, LoadError, Visit, Visitor

PAGES = 4  # that the stranger has open, all from one address
ADDRESS = 240  # of the stranger; visitors have smaller ones
BOMB_NAMES = ("WebP, 6000 x 6000, 11 frames", "APNG, 6000 x 6000, 50 frames", "GIF, 6000 x 6000, 80 frames")
UPLOAD_BYTES = 20 << 20
_BEGIN_S, _NICE = 4.0, 10  # until a stranger has begun; how far it stands back


class LeftError(Exception):
    """The page was closed."""


Attack = Callable[[Visitor, Job, bytes], Awaitable[object]]


async def runs_again(visitor: Visitor, job: Job, sample: bytes) -> None:
    """Run after run of an ordinary film."""
    await visitor.run(job, sample)


async def sends_bombs(visitor: Visitor, job: Job, sample: bytes) -> None:
    """Files that are small and dear to decode, with settings of the most frames."""
    with tempfile.TemporaryDirectory() as folder:
        for name in BOMB_NAMES:
            bomb = replace(job, file="bomb.gif", settings=(*job.settings[:3], 32))
            with suppress(LoadError):
                await visitor.run(bomb, BOMBS[name](Path(folder)))


async def leaves(visitor: Visitor, job: Job, sample: bytes) -> None:
    """Run, and away before the answer: the page is closed."""
    with suppress(TimeoutError):
        await asyncio.wait_for(visitor.run(job, sample), 0.3)
    raise LeftError


async def uploads(visitor: Visitor, job: Job, sample: bytes) -> None:
    """Large files that nobody asks about."""
    await visitor.client.post("/gradio_api/upload", files={"files": ("large.mp4", bytes(UPLOAD_BYTES), "video/mp4")})


async def asks_for_links(visitor: Visitor, job: Job, sample: bytes) -> None:
    """Cheap events, a hundred at once."""
    asked = (visitor.join("link", [None, None, None, "?" * 400, *job.settings, *EXTRAS]) for _ in range(100))
    events = await asyncio.gather(*asked, return_exceptions=True)
    await visitor.heard([event for event in events if isinstance(event, str)])


ATTACKS: dict[str, Attack] = {
    "runs one film after the other on four pages": runs_again,
    "sends files that are dear to decode, on four pages": sends_bombs,
    "presses Run and leaves, on four pages": leaves,
    "uploads 20 MB again and again, on four pages": uploads,
    "asks for a hundred links at once, on four pages": asks_for_links,
}


@contextmanager
def under_attack(address: str, name: str, job: Job, sample: bytes) -> Iterator[None]:
    """A stranger who goes on with what ATTACKS calls so for the length of the block, nobody where it has no such.

    In a process of its own, behind all others on this machine: a stranger's own work is done elsewhere.
    """
    if name not in ATTACKS:
        yield
        return
    stranger = get_context("spawn").Process(target=_stranger, args=(address, name, job, sample), daemon=True)
    stranger.start()
    time.sleep(_BEGIN_S)
    try:
        yield
    finally:
        stranger.kill()
        stranger.join()


def _stranger(address: str, name: str, job: Job, sample: bytes) -> None:
    async def on_all_pages() -> None:
        await asyncio.gather(*(_attack(address, ATTACKS[name], job, sample) for _ in range(PAGES)))

    os.nice(_NICE)
    asyncio.run(on_all_pages())


async def _attack(address: str, attack: Attack, job: Job, sample: bytes) -> None:
    while True:  # a page that was refused or closed is opened again
        with suppress(LeftError, LoadError, httpx.HTTPError):
            async with Visitor.opened(address, ADDRESS) as visitor:
                while True:
                    await attack(visitor, job, sample)
        await asyncio.sleep(0.05)


async def visits(address: str, number: int, job: Job, contents: list[bytes]) -> list[Visit]:
    """The runs of another visitor, each of a file of its own."""
    async with Visitor.opened(address, number) as visitor:
        return [await visitor.run(job, content) for content in contents]
