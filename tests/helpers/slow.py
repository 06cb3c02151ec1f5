"""Slow: AIM with a merging that takes a known time, so that a clock can be checked."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

from aim_core.config import AimConfig
from aim_core.methods.aim import MergeSimilar, as_method
from aim_core.methods.base import Method

CONFIG = AimConfig(0.25, l1=2, l2=9)


@dataclass(frozen=True)
class Slow:
    """Merging that takes some seconds more, the first time as many as it is told, and writes down its name."""

    name: str = ""
    seconds: float = 0.0
    first_seconds: float = 0.0
    calls: list[str] = field(default_factory=list, repr=False)

    def __call__(self, tokens, metric=None):
        time.sleep(self.seconds if self.name in self.calls else max(self.seconds, self.first_seconds))
        self.calls.append(self.name)
        return MergeSimilar(0.25)(tokens, metric)

    def reduces(self) -> bool:
        return True


def slow(**how) -> Method:
    return replace(as_method(CONFIG), merger=Slow(**how))
