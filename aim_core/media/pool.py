"""Pool: a few decoding processes at once. A file that takes long gives its place to the next one after two seconds."""

from __future__ import annotations

from aim_core.media.frames import Frames
from aim_core.media.process import Child, Request
from aim_core.turns import NOBODY, Asker, Turns

PLACES = 2  # for files that are new, and as many for those that take long
QUICK_SECONDS = 2.0


class DecoderPool:
    """`places` quick decoders and as many slow ones; who finds none free waits in a line."""

    def __init__(self, places: int = PLACES, quick_seconds: float = QUICK_SECONDS):
        self._quick, self._slow, self._seconds = Turns(places), Turns(places), quick_seconds

    def decode(self, request: Request, asker: Asker = NOBODY) -> Frames | str:
        """Decode in a process of its own; its frames, or a sentence that says why there are none.

        A file that is not done after some seconds goes on among the slow ones, or is begun again there if all their
        places are taken. Raises Stopped, and kills the process, once `asker.stop` says so.
        """
        with self._quick.turn(asker) as place, Child(request) as child:
            if child.wait(self._seconds, asker.stop):
                return child.result()
            if slow := self._slow.at_once(asker):
                try:
                    place.leave()
                    return self._patiently(child, asker)
                finally:
                    slow.leave()
        with self._slow.turn(asker), Child(request) as child:
            return self._patiently(child, asker)

    def _patiently(self, child: Child, asker: Asker) -> Frames | str:
        child.be_nice()
        child.wait(float("inf"), asker.stop)
        return child.result()
