"""Answers: a file with one line for each document answered, only ever added to, so that a killed run goes on."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aim_lab.log import LineLog

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


class AnswerLog(LineLog[Answer]):
    """The answers in a file; several processes may add to it."""

    def __init__(self, path: Path):
        """Raises ValueError for a file that is no such log, or cannot be written."""
        try:
            super().__init__(path, lambda line: Answer(**line))
        except OSError as error:
            raise ValueError(f"answers cannot be kept in {path}: {error.strerror}. Choose another file.") from error
