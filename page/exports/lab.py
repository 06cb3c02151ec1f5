"""Lab exports: the lines of a sweep as CSV and Parquet, its record, its chart, and the command that does the same."""

from __future__ import annotations

import csv
import io
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

from aim_core.low_bits import FULL
from aim_lab.export import as_csv, as_json, write_parquet
from aim_lab.line import Line
from aim_lab.summary import summarise
from page.checks import refusal
from page.exports.comparison import as_text
from page.i18n import strings
from page.lab_plan import LabForm
from page.state.startup import without_bits
from page.state.sweeps import AskedSweep

KINDS = ("csv", "parquet", "json", "chart")


def write_lab(kind: str, asked: AskedSweep, lines: Sequence[Line], folder: Path) -> list[Path]:
    """Files of one of KINDS. Raises a refusal where this server cannot write it."""
    return _WRITERS[kind](asked, lines, folder)


def command_of(asked: AskedSweep) -> str:
    """The words that do the same in a shell. All that a visitor typed comes in as one quoted word each."""
    form, recipe = asked.form, asked.plan.recipe
    name, weights = without_bits(asked.model)
    words = ["python", "-m", "aim_lab", "sweep", "questions.csv", "--model", name]
    words += [] if weights == FULL else ["--weights", weights]
    for text in LabForm(**form).grids:
        words += ["--grid", text]
    words += ["--frames", *map(str, form["frames"]), "--max-new-tokens", str(recipe.max_new_tokens)]
    words += ["--out", "sweep.jsonl", "--export", "sweep.csv", "--json", "sweep.json", "--chart", "sweep.png"]
    return f"# {strings().LAB_COMMAND}\n{shlex.join(words)}\n"


def _questions(asked: AskedSweep) -> str:
    file = io.StringIO()
    table = csv.writer(file, lineterminator="\n")
    table.writerow(("video", "question", "answer"))
    table.writerows((own.clip.name, own.question, own.wanted) for own in asked.plan.documents)
    return file.getvalue()


def _csv(asked: AskedSweep, lines: Sequence[Line], folder: Path) -> list[Path]:
    texts = {"aim_sweep.csv": as_csv(lines, text=as_text), "questions.csv": _questions(asked)}
    return [_written(folder / name, text) for name, text in texts.items()]


def _parquet(asked: AskedSweep, lines: Sequence[Line], folder: Path) -> list[Path]:
    path = folder / "aim_sweep.parquet"
    try:
        write_parquet(lines, path)
    except ValueError as error:
        raise refusal(strings().NO_PARQUET, "file") from error
    return [path]


def _json(asked: AskedSweep, lines: Sequence[Line], folder: Path) -> list[Path]:
    return [_written(folder / "aim_sweep.json", as_json(summarise(lines)))]


def _chart(asked: AskedSweep, lines: Sequence[Line], folder: Path) -> list[Path]:
    from aim_lab.chart import draw, save  # drawing is slow to import: not when the page starts

    rows = summarise(lines)
    known = all(row.accuracy for row in rows)
    path = folder / "aim_sweep.png"
    save(draw(rows, "accuracy" if known else "agreement"), path)
    return [path]


def _written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


_WRITERS: dict[str, Callable[[AskedSweep, Sequence[Line], Path], list[Path]]] = {
    "csv": _csv,
    "parquet": _parquet,
    "json": _json,
    "chart": _chart,
}
