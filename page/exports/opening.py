"""Opening example: a run recorded with the embedded model, which the page shows before anyone has asked."""

from __future__ import annotations

from functools import cache

from page.exports.saved_run.file import load_run
from page.state.samples import SAMPLES
from page.state.store import StoredRun

OPENING = SAMPLES / "opening.npz"
SAMPLE, QUESTION = "coming_and_going.mp4", "which appears first, the orange star or the red square?"
NUM_FRAMES = 8


@cache
def opening_run() -> StoredRun:
    """The recorded run; `make samples` writes it anew when the embedded model has changed."""
    return load_run(OPENING)
