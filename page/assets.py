"""Assets: the text of the page's HTML and CSS files."""

from __future__ import annotations

from pathlib import Path

PAGE = Path(__file__).parent


def text(*names: str) -> str:
    """The files page/<name>, one after the other."""
    return "\n".join((PAGE / name).read_text(encoding="utf-8") for name in names)
