"""Log: one line for each answer, only ever added to, so that a measurement that was ended goes on where it stood."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aim_lab.code import code_hash
from aim_lab.log import LineLog

_EVERY_RUN = (
    "aim_core.adapters.llava_onevision",
    "training.answering",
    "training.batched_inference",
    "training.method_table.measure",
    "training.method_table.one_video",
    "training.questions",
)

Key = tuple[str, str, str, int, float, str, str, str]


@dataclass(frozen=True)
class Line:
    """What one method answered to one question at one budget.

    weights:  hash of the model's weights; code: of what the method runs, see `code_of`.
    set, seed: of the questions, see `order`; the seed also of what methods draw by chance.
    budget:   share of the dense FLOPs; method: its name in the registry, or DENSE, at budget 1.
    video:    hash of its frames; question: its text; type: its type.
    answer, right: what was said, and whether that is right; "" and False if the method was refused.
    settings: what the budget made of the method's settings.
    shares:   what was really spent, of the dense cost by the four measures of `Shares`; {} if refused.
    refused:  why it was not run, in a sentence; limit: the nearest share that it can meet, if it is a matter of that.
    """

    weights: str
    code: str
    set: str
    seed: int
    budget: float
    method: str
    video: str
    question: str
    type: str
    answer: str = ""
    right: bool = False
    settings: dict[str, Any] = field(default_factory=dict)
    shares: dict[str, float] = field(default_factory=dict)
    refused: str = ""
    limit: float | None = None

    @property
    def key(self) -> Key:
        """What it is an answer to; a log has one line of each."""
        return self.weights, self.code, self.set, self.seed, self.budget, self.method, self.video, self.question


class Log(LineLog[Line]):
    """The lines of a file; what is added is on the disk at once. Several processes may add to it."""

    def __init__(self, path: Path):
        super().__init__(path, _read)


def _read(told: dict[str, Any]) -> Line | None:
    """None for a line of an earlier version of this log, which did not say by which code it was measured."""
    return Line(**told) if "code" in told else None


def code_of(method: str) -> str:
    """What an answer of this method hangs on beside the weights, see `code_hash`."""
    return code_hash(method, _EVERY_RUN)
