"""Log: one line for each answer, only ever added to, so that a measurement that was ended goes on where it stood."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

DENSE = "dense"  # the model itself, at budget 1

Key = tuple[str, str, str, int, float, str, str, str]


@dataclass(frozen=True)
class Line:
    """What one method answered to one question at one budget.

    weights:  hash of the model's weights; code: of what the method runs, see `code.code_hash`.
    set, seed: of the questions, see `order`; the seed also of what methods draw by chance.
    budget:   share of the dense FLOPs; method: its name in the registry, or DENSE.
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


class Log:
    """The lines of a file; what is added is on the disk at once. Several processes may add to it."""

    def __init__(self, path: Path):
        """The file need not be there. A last line that was cut off as it was written is removed."""
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            written = file.read()
            whole = written[: written.rfind(b"\n") + 1]
            if whole != written:
                file.truncate(len(whole))
        lines = [_read(own) for own in whole.decode().splitlines()]
        self._lines = {line.key: line for line in lines if line is not None}

    def __contains__(self, key: Key) -> bool:
        return key in self._lines

    def __iter__(self) -> Iterator[Line]:
        return iter(self._lines.values())

    def __len__(self) -> int:
        return len(self._lines)

    def add(self, line: Line) -> None:
        """Raises ValueError if it is there already."""
        if line.key in self:
            raise ValueError(f"the log has this line already: {line.key}")
        with self._path.open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write((json.dumps(asdict(line), ensure_ascii=False) + "\n").encode())
        self._lines[line.key] = line


def _read(text: str) -> Line | None:
    """None for a line of an earlier version of this log, which did not say by which code it was measured."""
    told = json.loads(text)
    return Line(**told) if "code" in told else None
