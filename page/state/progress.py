"""Progress of a run, by layer and then by word, for the bar that is shown while it goes on."""

from __future__ import annotations

import time
from collections.abc import Callable

_EVERY = 0.2  # seconds between two updates; each is a message to the page
_MOST = 120  # last characters of an answer under way that are shown


class RunProgress:
    """Tells `show(share, sentence)` how far a run of a model of `num_layers` layers is, and what it has said so far.

    start, end: shares of the whole bar between which the prefill moves it; it rests at `end` while words are made.
    texts: "layer", a sentence with {layer}, counted from 0 as everywhere, and {last}; "said", one with {said}.
    """

    def __init__(
        self, show: Callable[[float, str], object], num_layers: int, start: float, end: float, texts: dict[str, str]
    ):
        self.show, self.num_layers, self.start, self.end, self.texts = show, num_layers, start, end, texts
        self.shown_at, self.has_begun = 0.0, False

    def layer(self, layer: int) -> None:
        """A layer is about to run, see `Engine.run`: those of the prefill move the bar."""
        if not self.has_begun and self._is_due():
            share = self.start + (self.end - self.start) * layer / self.num_layers
            self.show(share, self.texts["layer"].format(layer=layer, last=self.num_layers - 1))

    def text(self, said: str) -> None:
        """The answer has come so far."""
        self.has_begun = True
        if said and self._is_due():
            self.show(self.end, self.texts["said"].format(said=said if len(said) <= _MOST else f"… {said[-_MOST:]}"))

    def _is_due(self) -> bool:
        if (now := time.monotonic()) - self.shown_at < _EVERY:
            return False
        self.shown_at = now
        return True
