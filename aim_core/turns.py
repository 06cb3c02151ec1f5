"""Turns: a few callers at once and the others in a line, in which each visitor's first comes before anyone's second."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from cachetools import LRUCache

from aim_core.errors import Stopped

_LOOK_UP = 0.05  # seconds between looks at `stop` in the line
_REMEMBERED = 1000  # callers whose last turn is remembered


def _never() -> bool:
    return False


@dataclass(frozen=True)
class Asker:
    """Who asks for a turn.

    name:    callers of one name share their turns fairly with those of other names: of a visitor, the address.
    stop:    asked in the line and during the turn; once it is true, the caller leaves.
    on_wait: told in the line, and again when that changes, how many come before this one.
    on_turn: called when the turn begins.
    """

    name: str = ""
    stop: Callable[[], bool] = _never
    on_wait: Callable[[int], object] = lambda before: None
    on_turn: Callable[[], object] = lambda: None


NOBODY = Asker()


@dataclass(eq=False)
class _Waiting:
    name: str
    arrived: int
    called: bool = False


@dataclass(eq=False)
class Place:
    """A turn under way, which may be left before its block ends."""

    _leave: Callable[[], None]
    _left: bool = False

    def leave(self) -> None:
        """Give the turn to the next in the line; does nothing the second time."""
        if not self._left:
            self._left = True
            self._leave()


class Turns:
    """`places` turns at once; safe to use from many threads."""

    def __init__(self, places: int):
        self._free = places
        self._changed = threading.Condition()
        self._line: list[_Waiting] = []
        self._inside: Counter[str] = Counter()
        self._last: LRUCache[str, int] = LRUCache(_REMEMBERED)  # when each name had its last turn
        self._clock = 0

    @contextmanager
    def turn(self, asker: Asker = NOBODY) -> Iterator[Place]:
        """Wait for a turn and have it for the length of the block. Raises Stopped if `asker.stop` says so before."""
        self._wait(asker)
        place = Place(lambda: self._leave(asker.name))
        try:
            asker.on_turn()
            yield place
        finally:
            place.leave()

    def at_once(self, asker: Asker = NOBODY) -> Place | None:
        """A turn if there is one free now and nobody waits, to be ended with `leave`."""
        with self._changed:
            if not self._free or self._line:
                return None
            self._enter(asker.name)
        return Place(lambda: self._leave(asker.name))

    def _wait(self, asker: Asker) -> None:
        with self._changed:
            own = _Waiting(asker.name, self._tick())
            self._line.append(own)
            self._call()
        told = -1
        try:
            while not own.called:
                if asker.stop():
                    raise Stopped
                with self._changed:
                    before = 0 if own.called else self._order().index(own)
                if before != told and not own.called:
                    asker.on_wait(told := before)
                with self._changed:
                    self._changed.wait_for(lambda: own.called, _LOOK_UP)
        except BaseException:
            self._give_up(own)
            raise

    def _give_up(self, own: _Waiting) -> None:
        with self._changed:
            if not own.called:
                self._line.remove(own)
                return
        self._leave(own.name)

    def _order(self) -> list[_Waiting]:
        """The line as it will be called: by how many of the same name come before, then whose name waited longest."""
        ahead, keys = Counter(self._inside), {}
        for one in self._line:
            keys[one] = ahead[one.name], self._last.get(one.name, 0), one.arrived
            ahead[one.name] += 1
        return sorted(self._line, key=keys.__getitem__)

    def _call(self) -> None:
        while self._free and self._line:
            first = self._order()[0]
            self._line.remove(first)
            self._enter(first.name)
            first.called = True
        self._changed.notify_all()

    def _enter(self, name: str) -> None:
        self._free -= 1
        self._inside[name] += 1
        self._last[name] = self._tick()

    def _leave(self, name: str) -> None:
        with self._changed:
            self._free += 1
            self._inside[name] -= 1
            self._inside += Counter()  # names that are not inside are not kept
            self._call()

    def _tick(self) -> int:
        self._clock += 1
        return self._clock
