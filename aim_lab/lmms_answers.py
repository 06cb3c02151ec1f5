"""Answers: a file with one line for each document answered, only ever added to, so that a killed run goes on."""

from __future__ import annotations

import fcntl
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

Key = tuple[str, str, int, str]


@dataclass(frozen=True)
class Answer:
    """What was answered to one document, and what it cost.

    fingerprint:   of the knobs, the weights, the code and the machine's kind, see `lmms_model`.
    asked:         of the question, its video and how long the answer may be.
    knobs:         the knobs, for readers.
    answer:        without the special tokens.
    input_tokens:  rows that entered layer 0; output_tokens: generated, the end mark included.
    settings:      what the budget made of the method's settings.
    shares:        cost of the prefill as shares of the dense one, by measure.
    language_flops: operations of the language model's prefill.
    note:          why the budget was not met, or why there is no answer; "" else.
    """

    fingerprint: str
    task: str
    doc_id: int
    asked: str
    knobs: dict[str, Any]
    answer: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    settings: dict[str, Any] = field(default_factory=dict)
    shares: dict[str, float] = field(default_factory=dict)
    language_flops: int = 0
    note: str = ""

    @property
    def key(self) -> Key:
        return self.fingerprint, self.task, self.doc_id, self.asked


class AnswerLog:
    """The answers in a file; what is added is handed to the system at once. Several processes may add to it."""

    def __init__(self, path: Path):
        """The file need not be there. A last line that was cut off as it was written is removed.

        Raises ValueError for a file that is no such log, or cannot be written.
        """
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            whole = self._whole_lines()
        except OSError as error:
            raise ValueError(f"answers cannot be kept in {path}: {error.strerror}. Choose another file.") from error
        self._answers = {own.key: own for own in map(self._read, whole.splitlines())}

    def _whole_lines(self) -> str:
        with self._path.open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            written = file.read()
            whole = written[: written.rfind(b"\n") + 1]
            if whole != written:
                file.truncate(len(whole))
        return whole.decode("utf-8", "replace")

    def _read(self, line: str) -> Answer:
        try:
            return Answer(**json.loads(line))
        except (ValueError, TypeError) as error:
            raise ValueError(f"{self._path} has a line that is no answer: choose another file") from error

    def get(self, key: Key) -> Answer | None:
        """What was answered before, if it was."""
        return self._answers.get(key)

    def add(self, answer: Answer) -> None:
        with self._path.open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write((json.dumps(asdict(answer), ensure_ascii=False) + "\n").encode())
        self._answers[answer.key] = answer
