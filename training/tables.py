"""Tables: rows of Markdown, and shares with their intervals in percent."""

from __future__ import annotations

from collections.abc import Iterable


def table_row(cells: Iterable) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def percent(score: dict[str, float]) -> str:
    """score: a share and the ends of its interval, in this order, as `scoring.interval` gives them."""
    share, low, high = (100 * number for number in score.values())
    return f"{share:.1f} ({low:.1f}–{high:.1f})"
