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
    ident:   of this one call, by which `Turns.holders` names it.
    """

    name: str = ""
    stop: Callable[[], bool] = _never
    on_wait: Callable[[int], object] = lambda before: None
    on_turn: Callable[[], object] = lambda: None
    ident: str = ""


NOBODY = Asker()


@dataclass(eq=False)
class _Waiting:
    name: str
    ident: str
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
    """`places` turns at once, at most `each` of them of one name; safe to use from many threads."""

    def __init__(self, places: int, each: int | None = None):
        self._free, self._each = places, places if each is None else each
        self._changed = threading.Condition()
        self._line: list[_Waiting] = []
        self._inside: Counter[str] = Counter()
        self._held: Counter[str] = Counter()  # turns by what their callers are named
        self._last: LRUCache[str, int] = LRUCache(_REMEMBERED)  # when each name had its last turn
        self._clock = 0

    @contextmanager
    def turn(self, asker: Asker = NOBODY) -> Iterator[Place]:
        """Wait for a turn and have it for the length of the block. Raises Stopped if `asker.stop` says so before."""
        self._wait(asker)
        place = Place(lambda: self._leave(asker.name, asker.ident))
        try:
            asker.on_turn()
            yield place
        finally:
            place.leave()

    def at_once(self, asker: Asker = NOBODY) -> Place | None:
        """A turn if there is one free now that nobody waits for, to be ended with `leave`."""
        with self._changed:
            if not self._may_enter(asker.name) or self._next() is not None:
                return None
            self._enter(asker.name, asker.ident)
        return Place(lambda: self._leave(asker.name, asker.ident))

    def holders(self) -> set[str]:
        """`ident` of every caller that has a turn now."""
        with self._changed:
            return {*self._held}

    @property
    def is_awaited(self) -> bool:
        """Whether somebody is in the line."""
        with self._changed:
            return bool(self._line)

    def _wait(self, asker: Asker) -> None:
        with self._changed:
            own = _Waiting(asker.name, asker.ident, self._tick())
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
        self._leave(own.name, own.ident)

    def _order(self) -> list[_Waiting]:
        """The line as it will be called: by how many of the same name come before, then whose name waited longest."""
        ahead, keys = Counter(self._inside), {}
        for one in self._line:
            keys[one] = ahead[one.name], self._last.get(one.name, 0), one.arrived
            ahead[one.name] += 1
        return sorted(self._line, key=keys.__getitem__)

    def _call(self) -> None:
        while (first := self._next()) is not None:
            self._line.remove(first)
            self._enter(first.name, first.ident)
            first.called = True
        self._changed.notify_all()

    def _next(self) -> _Waiting | None:
        return next((one for one in self._order() if self._may_enter(one.name)), None)

    def _may_enter(self, name: str) -> bool:
        return self._free > 0 and self._inside[name] < self._each

    def _enter(self, name: str, ident: str) -> None:
        self._free -= 1
        self._inside[name] += 1
        self._held[ident] += 1
        self._last[name] = self._tick()

    def _leave(self, name: str, ident: str) -> None:
        with self._changed:
            self._free += 1
            for counts, own in ((self._inside, name), (self._held, ident)):
                counts[own] -= 1
                if not counts[own]:
                    del counts[own]
            self._call()

    def _tick(self) -> int:
        self._clock += 1
        return self._clock
