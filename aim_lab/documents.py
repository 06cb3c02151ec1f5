"""Documents: videos and questions about them, from a CSV or JSONL file, and whether an answer is right."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from aim_core.media.decode import load_frames
from aim_core.media.frames import Frames

TABLES = (".csv", ".jsonl")
COLUMNS = ("video", "question")  # and, if it is known, "answer"
OR = "|"  # between answers any of which is right
_LETTER = re.compile(r"\(?([A-Z])\b", re.IGNORECASE)


class Clip(Protocol):
    """A video that frames can be taken from. A small frozen value that can be sent to another process."""

    @property
    def name(self) -> str:
        """What people call it."""

    def content(self) -> str:
        """A hash of what it shows."""

    def frames(self, num_frames: int) -> Frames | np.ndarray:
        """So many frames at even distances; as an array (F, H, W, 3) uint8 RGB. Raises MediaError."""


@dataclass(frozen=True)
class FileClip:
    """A video or a picture on the disk."""

    path: Path
    name: str

    def content(self) -> str:
        return _file_hash(self.path, self.path.stat().st_mtime_ns)

    def frames(self, num_frames: int) -> Frames:
        return load_frames(self.path, num_frames)


@dataclass(frozen=True)
class Document:
    """A question about a video. wanted: the right answer, or several with OR between them; "" if it is not known."""

    clip: Clip
    question: str
    wanted: str = ""


def read_documents(path: str | Path) -> list[Document]:
    """The rows of a CSV or JSONL file with `video`, `question` and, where it is known, `answer`; videos as they come.

    path: the file, or a folder that holds one such file; its videos are named from the folder that it is in.
    Raises ValueError, with a sentence, for a file or a row that cannot be used.
    """
    table = _table(Path(path))
    found = [_document(table, row) for row in read_rows(table)]
    order = {own.clip: place for place, own in reversed(list(enumerate(found)))}
    return sorted(found, key=lambda own: order[own.clip])


def is_right(said: str, wanted: str) -> bool:
    """Whether an answer is one of those wanted: capitals, spaces and marks at its ends do not count.

    Where a single letter is wanted, as of a choice, the letter that the answer begins with counts: "B" for "(B) left".
    """
    return any(_plain(one) in (_plain(said), _letter(said, one)) for one in wanted.split(OR))


def _plain(text: str) -> str:
    return " ".join(text.lower().split()).strip(" .,!?;:\"'()")


def _letter(said: str, wanted: str) -> str | None:
    """The letter that an answer begins with, where one is asked for."""
    found = _LETTER.match(said.strip()) if re.fullmatch(r"[A-Z]", wanted.strip()) else None
    return found and found[1].lower()


def _table(path: Path) -> Path:
    if path.is_dir():
        tables = sorted(own for own in path.iterdir() if own.suffix.lower() in TABLES)
        if len(tables) != 1:
            told = "none" if not tables else ", ".join(own.name for own in tables)
            raise ValueError(f"{path} should hold one CSV or JSONL file of questions, it holds {told}: name the file")
        return tables[0]
    if not path.is_file() or path.suffix.lower() not in TABLES:
        raise ValueError(f"{path} is no folder and no CSV or JSONL file: give one with video and question in each row")
    return path


@dataclass(frozen=True)
class QuestionRow:
    """What a row says of a question. number: of its line in the file; video: as it is named there."""

    number: int
    video: str
    question: str
    answer: str


def read_rows(table: Path) -> list[QuestionRow]:
    """The rows of a CSV or JSONL file, whether or not its videos are there.

    Raises ValueError, with a sentence that names the file without its folder, for one that cannot be used.
    """
    if rows := [_row(table.name, number, row) for number, row in _raw_rows(table)]:
        return rows
    raise ValueError(f"{table.name} has no row: give each question one, with {' and '.join(COLUMNS)}")


def _row(name: str, number: int, row: dict[str, Any]) -> QuestionRow:
    values = {column: str(row.get(column) or "").strip() for column in (*COLUMNS, "answer")}
    if missing := [column for column in COLUMNS if not values[column]]:
        raise ValueError(f"line {number} of {name} has no {missing[0]}: each row needs {' and '.join(COLUMNS)}")
    return QuestionRow(number, **values)


def _raw_rows(table: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each with the number of its line."""
    try:
        text = table.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{table.name} is not text in UTF-8: save it as that") from error
    lines = text.splitlines()
    if table.suffix.lower() == ".csv":
        reader = csv.DictReader(lines, skipinitialspace=True)
        for row in reader:
            yield reader.line_num, row
        return
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                row = json.loads(line)
            except ValueError as error:
                raise ValueError(f"line {number} of {table.name} is not JSON: {error}") from error
            if not isinstance(row, dict):
                raise ValueError(f"line {number} of {table.name} is no JSON object with video and question")
            yield number, row


def _document(table: Path, row: QuestionRow) -> Document:
    path = table.parent / row.video
    if not path.is_file():
        raise ValueError(f"line {row.number} of {table.name} names {row.video}, which is not in {table.parent}")
    return Document(FileClip(path, row.video), row.question, row.answer)


@cache
def _file_hash(path: Path, changed: int) -> str:
    """changed: when; a file that was written anew is read anew."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:32]
