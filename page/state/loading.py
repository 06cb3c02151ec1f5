"""Loading: how far a model is, and why one was not loaded."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Literal

from aim_core.checkpoint import ReadSoFar
from aim_core.footprint import Footprint
from page.state.choices import Choice

Stage = Literal["look", "fetch", "try", "load"]


@dataclass(frozen=True)
class Loading:
    """How far a model is. begun: when its stage began, by `time.monotonic`."""

    choice: Choice
    stage: Stage = "look"
    read: ReadSoFar | None = None
    begun: float = field(default_factory=time.monotonic)

    @property
    def seconds_left(self) -> float | None:
        """At the pace so far; None as long as there is none."""
        if self.read is None or not self.read.num_bytes:
            return None
        return (time.monotonic() - self.begun) * (self.read.all_bytes / self.read.num_bytes - 1)


@dataclass(frozen=True)
class Unloaded:
    """Why a model was not loaded.

    why:     "memory", where it does not fit, with `needed`, `free` and what would fit; "killed"; "failed", with a
             sentence; "stopped".
    frames:  that memory was counted for. fewer: at most so many would fit, 0 for none. smaller: the name of a model
             that would, if one lies here. bits: the weights of `low_bits.WEIGHTS` with which it would, "" for none.
    """

    choice: Choice
    why: Literal["memory", "killed", "failed", "stopped"]
    sentence: str = ""
    needed: Footprint | None = None
    free: int = 0
    frames: int = 0
    fewer: int = 0
    smaller: str = ""
    bits: str = ""


class DoesNotFitError(Exception):
    """Holds an Unloaded."""

    def __init__(self, unloaded: Unloaded):
        super().__init__(unloaded.why)
        self.unloaded = unloaded
