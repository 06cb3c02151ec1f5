"""Tables: rows of plain values to Markdown."""

from __future__ import annotations

from collections.abc import Sequence


def markdown(title: str, head: Sequence[str], rows: Sequence[Sequence[str]], notes: str = "") -> str:
    """A titled table, the first column to the left and figures to the right, and a line of notes below."""
    lines = [f"**{title}**", "", _line(head), _line(["---"] + ["---:"] * (len(head) - 1)), *map(_line, rows)]
    return "\n".join([*lines, *(["", notes] if notes else [])])


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def percent(share: float) -> str:
    return f"{share * 100:.1f} %"


def times(ratio: float) -> str:
    return f"{ratio:.2f}×"
