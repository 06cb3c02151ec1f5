"""Samples: the clips and pictures that come with the page, known by name: drawn ones, natural ones for real models."""

from __future__ import annotations

import filecmp
import json
import re
from collections.abc import Sequence
from pathlib import Path

from page.state.startup import Loaded

_NUMBERS = ("zero", "one", "two", "three", "four", "five", "six")
SAMPLES = Path(__file__).parents[2] / "assets" / "samples"  # of the world that the embedded model knows
NATURAL = SAMPLES.with_name("natural")
FOLDERS = (SAMPLES, NATURAL)


def listed(folder: Path = SAMPLES) -> list[dict[str, str]]:
    """Every sample question of a folder: {"file", "title", "question", "answer"}; without an answer where there are
    several right ones."""
    return json.loads((folder / "samples.json").read_text(encoding="utf-8"))


def samples_for(loaded: Loaded) -> Path:
    """The folder of the samples for a model: drawn ones for those of that world, natural ones for others."""
    return SAMPLES if loaded.is_embedded or loaded.world else NATURAL


def known_answer(files: str | Sequence[str], question: str) -> str | None:
    """The only right answer to a question that comes with a sample; None where there is none, or it does not come with
    one, or other pictures stand beside it."""
    if not isinstance(files, str) and len(files) > 1:
        return None
    path = files if isinstance(files, str) else files[0]
    name, asked = sample_name(path), " ".join(question.lower().split())
    rows = (row for folder in FOLDERS for row in listed(folder))
    return next((row.get("answer") for row in rows if (row["file"], row["question"]) == (name, asked)), None)


def is_right(answer: str, known: str) -> bool | None:
    """Whether an answer is the known one, "four" for "4" too; None for one in more words, which may say anything."""
    said, wanted = _words(answer), _words(known)
    return said == wanted if len(said) <= len(wanted) else None


def _words(text: str) -> list[str]:
    words = re.findall(r"\w+", text.lower())
    return [str(_NUMBERS.index(word)) if word in _NUMBERS else word for word in words]


def sample_path(name: str) -> Path | None:
    """Where the sample of this name lies; None if there is none. Never a path made of what was given."""
    files = (folder / row["file"] for folder in FOLDERS for row in listed(folder))
    return next((file for file in files if file.name == name), None)


def sample_kind(name: str) -> str:
    """ "image" or "video"."""
    return "image" if name.endswith(".png") else "video"


def samples_of(files: Sequence[str]) -> tuple[str, ...]:
    """Their names, if all of them are samples; else nothing."""
    names = [sample_name(path) for path in files]
    return tuple(name for name in names if name) if all(names) else ()


def sample_name(path: str | None, name: str = "") -> str | None:
    """The sample that this file is a copy of, by name and content; None for any other file.

    name: what it was called, where the file has another name.
    """
    own = sample_path(name or Path(path).name) if path else None
    if path is None or own is None:
        return None
    try:
        return own.name if filecmp.cmp(path, own, shallow=False) else None
    except OSError:
        return None
