"""Pool: a few decoding processes at once. A file that takes long gives its place to those that wait."""

from __future__ import annotations

import time

import numpy as np

from aim_core.media.frames import Frames
from aim_core.media.process import Child, Request
from aim_core.turns import NOBODY, Asker, Place, Turns

PLACES = 2  # for files that are new, and as many for those that take long
QUICK_SECONDS = 2.0  # of a processor
_BY_CLOCK = 3.0  # times as many seconds by the clock, as other work may share the machine
_LOOK_UP = 0.1  # seconds between looks at what a child has used


class DecoderPool:
    """`places` quick decoders and as many slow ones; who finds none free waits in a line. Nobody has all of either."""

    def __init__(self, places: int = PLACES, quick_seconds: float = QUICK_SECONDS):
        self._quick, self._seconds = Turns(places, each=max(1, places - 1)), quick_seconds
        self._slow = Turns(places, each=max(1, places - 1))

    def decode(self, request: Request, asker: Asker = NOBODY) -> Frames | np.ndarray | str:
        """Decode in a process of its own; its frames or its sound, or a sentence that says why there are none.

        A file that takes more than some seconds goes on among the slow ones. If these have no place for it, it stays as
        long as nobody waits, and then is begun again once they have. Raises Stopped, and kills the process, once
        `asker.stop` says so.
        """
        with self._quick.turn(asker) as place, Child(request) as child:
            slow = self._quickly(child, asker)
            if slow is not None:
                try:
                    place.leave()
                    return self._patiently(child, asker)
                finally:
                    slow.leave()
            if child.has_ended:
                return child.result()
        with self._slow.turn(asker), Child(request) as child:
            return self._patiently(child, asker)

    def holders(self) -> set[str]:
        """`ident` of every asker whose file is being read now."""
        return self._quick.holders() | self._slow.holders()

    def _quickly(self, child: Child, asker: Asker) -> Place | None:
        """Wait until the child has ended, or has had its time; then its place among the slow ones, if there is one."""
        begun = time.monotonic()
        while not child.wait(_LOOK_UP, asker.stop):
            is_late = time.monotonic() - begun > self._seconds * _BY_CLOCK
            if is_late or child.cpu_seconds() > self._seconds:
                slow = self._slow.at_once(asker)
                if slow is not None or self._quick.is_awaited:
                    return slow
        return None

    def _patiently(self, child: Child, asker: Asker) -> Frames | np.ndarray | str:
        child.be_nice()
        child.wait(float("inf"), asker.stop)
        return child.result()
