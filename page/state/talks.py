"""Talks: the caches that a page's newest runs have left, for further questions; within bytes and an age."""

from __future__ import annotations

from collections.abc import Callable

from aim_core.conversation import Conversation
from page.state.store import ByteCache, StoredRun, held_bytes

MOST_BYTES, KEPT_SECONDS = 250 << 20, 1800.0
NAMES = ("dense", "aim")


class Talks:
    """Conversations of all visitors together: of each page one for each of NAMES. Safe to use from many threads."""

    def __init__(self, most_bytes: int = MOST_BYTES, seconds: float = KEPT_SECONDS):
        self._kept = ByteCache[Conversation](most_bytes, seconds, size=_size)

    def keep(self, session: str | None, name: str, talk: Conversation) -> None:
        """Keep one in place of the page's older one of this name. One that alone is too large is not kept."""
        self._kept.set(f"{session}/{name}", talk)

    def of(self, session: str | None, stored: StoredRun) -> dict[str, Conversation] | None:
        """Conversations that go on from the page's run, by NAMES, each to be asked and kept again; None where one of
        them had to make room, is too old, or began with another run."""
        found = {name: self._kept.get(f"{session}/{name}") for name in NAMES}
        runs = stored.runs
        talks = {name: talk.fork() for name, talk in found.items() if talk and _is_of(talk, runs[name].trace)}
        if len(talks) < len(NAMES):
            return None
        if len({len(talk.replies) for talk in talks.values()}) > 1:  # a moved slider ran AIM anew and dense not
            return {name: talk.restarted() for name, talk in talks.items()}
        return talks

    def expire(self) -> None:
        """Let go what is too old."""
        self._kept.expire()

    def keep_open(self, is_open: Callable[[str], bool]) -> None:
        """Let go what belongs to pages that are closed; is_open: by the name of a session."""
        self._kept.keep_only(lambda key: is_open(key.rpartition("/")[0]))

    def clear(self) -> None:
        """Let go of all, as when another model takes the place of theirs."""
        self._kept.keep_only(lambda key: False)

    @property
    def num_bytes(self) -> int:
        return self._kept.num_bytes


def _size(talk: Conversation) -> int:
    """Bytes of its cache and of what its runs tell; what another one holds too counts with both."""
    return talk.num_bytes + held_bytes(talk.result, talk.replies)


def _is_of(talk: Conversation, trace: object) -> bool:
    return talk.result.trace is trace
