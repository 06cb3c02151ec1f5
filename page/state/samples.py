"""Samples: the clips and pictures that come with the page, known by name."""

from __future__ import annotations

import filecmp
import json
import re
from pathlib import Path

_NUMBERS = ("zero", "one", "two", "three", "four", "five", "six")
SAMPLES = Path(__file__).parents[2] / "assets" / "samples"


def listed() -> list[dict[str, str]]:
    """Every sample question: {"file", "title", "question", "answer"}."""
    return json.loads((SAMPLES / "samples.json").read_text(encoding="utf-8"))


def known_answer(path: str, question: str) -> str | None:
    """The right answer to a question that comes with a sample; None for any other file or question."""
    name, asked = sample_name(path), " ".join(question.lower().split())
    return next((row["answer"] for row in listed() if (row["file"], row["question"]) == (name, asked)), None)


def is_right(answer: str, known: str) -> bool | None:
    """Whether an answer is the known one, "four" for "4" too; None for one in more words, which may say anything."""
    said, wanted = _words(answer), _words(known)
    return said == wanted if len(said) <= len(wanted) else None


def _words(text: str) -> list[str]:
    words = re.findall(r"\w+", text.lower())
    return [str(_NUMBERS.index(word)) if word in _NUMBERS else word for word in words]


def sample_path(name: str) -> Path | None:
    """Where the sample of this name lies; None if there is none. Never a path made of what was given."""
    return next((SAMPLES / sample["file"] for sample in listed() if sample["file"] == name), None)


def sample_kind(name: str) -> str:
    """ "image" or "video"."""
    return "image" if name.endswith(".png") else "video"


def sample_name(path: str | None) -> str | None:
    """The sample that this file is a copy of, by name and content; None for any other file."""
    own = sample_path(Path(path).name) if path else None
    if path is None or own is None:
        return None
    try:
        return own.name if filecmp.cmp(path, own, shallow=False) else None
    except OSError:
        return None
