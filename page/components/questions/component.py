"""Questions panel: a table in which visitors write what is asked of which video, and the right answer if known."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from page.checks import refusal
from page.components.base import Panel
from page.i18n import strings

MOST_ROWS, MOST_LETTERS = 1000, 4000  # of the table, of one of its cells


class AskedRow(NamedTuple):
    """video: the name of an upload or of a sample."""

    video: str
    question: str
    answer: str


class QuestionsPanel(Panel):
    """value: `questions_record`; handlers get a list of `AskedRow`. The script triggers "edited" at each change."""

    def __init__(self, **kwargs):
        super().__init__("questions", "QUESTIONS", events=("edited",), **kwargs)

    def preprocess(self, payload: Any) -> Any:
        """A list of `AskedRow`; raises a refusal for what is no such table."""
        rows = payload.get("rows") if isinstance(payload, dict) else payload or []
        if not isinstance(rows, list) or len(rows) > MOST_ROWS or not all(map(_is_row, rows)):
            raise refusal(strings().BAD_ROWS.format(most=f"{MOST_ROWS:,}"), "question")
        return [AskedRow(*(cell.strip() for cell in row)) for row in rows]


def questions_record(rows: Iterable[AskedRow], videos: Iterable[str]) -> dict[str, Any]:
    """videos: names that may be chosen beside those of the rows."""
    listed = [list(row) for row in rows]
    return {"rows": listed, "videos": list(dict.fromkeys([*videos, *(row[0] for row in listed)]))}


def _is_row(row: Any) -> bool:
    cells = len(AskedRow._fields)
    return (
        isinstance(row, list)
        and len(row) == cells
        and all(isinstance(cell, str) and len(cell) <= MOST_LETTERS for cell in row)
    )
