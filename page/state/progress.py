"""Progress of a run, by layer and then by word, for the bar that is shown while it goes on."""

from __future__ import annotations

import time
from collections.abc import Callable

_EVERY = 0.2  # seconds between two updates; each is a message to the page


class LayerProgress:
    """Tells `show(share, sentence)` how far a run of a model of `num_layers` layers is.

    start, end: shares of the whole bar between which the prefill moves it; it rests at `end` while words are made.
    texts: "layer", a sentence with {layer}, counted from 0 as everywhere, and {last}; "word", one with {word}.
    """

    def __init__(
        self, show: Callable[[float, str], object], num_layers: int, start: float, end: float, texts: dict[str, str]
    ):
        self.show, self.num_layers, self.start, self.end, self.texts = show, num_layers, start, end, texts
        self.passes, self.shown_at = 0, 0.0

    def __call__(self, layer: int) -> None:
        """A layer is about to run, see `Engine.run`: the first pass is the prefill, each other one makes a word."""
        self.passes += layer == 0
        if (now := time.monotonic()) - self.shown_at < _EVERY:
            return
        self.shown_at = now
        if self.passes > 1:
            self.show(self.end, self.texts["word"].format(word=self.passes))
        else:
            share = self.start + (self.end - self.start) * layer / self.num_layers
            self.show(share, self.texts["layer"].format(layer=layer, last=self.num_layers - 1))
