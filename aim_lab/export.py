"""Export: the lines of a sweep and its rows as CSV, Parquet and JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from aim_lab.line import Line
from aim_lab.summary import VALUES, Interval, Row, front

HEAD = ("setting", "n", "right, %", "as dense, %", "KL", "GFLOPs", "prefill ms", "KV MiB")


def as_csv(lines: Iterable[Line], text: Callable[[str], str] = str) -> str:
    """A row for each line; settings and lists as JSON. text: what is made of each cell that is a text."""
    out = io.StringIO()
    names = ["key", *(own.name for own in fields(Line)), "right"]
    writer = csv.DictWriter(out, names, lineterminator="\n")
    writer.writeheader()
    for line in lines:
        writer.writerow({name: text(own) if isinstance(own, str) else own for name, own in line.row().items()})
    return out.getvalue()


def write_parquet(lines: Iterable[Line], path: Path) -> None:
    """The same as a Parquet file. Raises ValueError where pyarrow is not installed."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise ValueError("Parquet needs pyarrow: pip install 'aim-explorer[lab]', or write CSV") from error
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist([line.row() for line in lines]), path)


def as_json(rows: Sequence[Row]) -> str:
    """All rows, and by cost and value the names of those on the Pareto front."""
    values = [name for name in VALUES if all(getattr(row, name) is not None for row in rows)]
    fronts = {
        f"{value} by {cost}": [str(row.setting) for row in front(rows, cost, value)]
        for value in values
        for cost in ("flops", "ms", "kv")
    }
    return plain_json({"rows": [row.as_dict() for row in rows], "fronts": fronts})


def plain_json(told: dict[str, Any]) -> str:
    """Plain data as an indented text."""
    return json.dumps(told, indent=1, ensure_ascii=False) + "\n"


def as_text(rows: Sequence[Row], marked: Sequence[Row] = ()) -> str:
    """For a terminal: a table, cheapest first; a star before those that are marked."""
    ordered = sorted(rows, key=lambda row: row.flops)
    table = [HEAD, *(_cells(row, row in marked) for row in ordered)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table
    )


def _cells(row: Row, is_marked: bool) -> tuple[str, ...]:
    costs = (f"{row.flops / 1e9:,.2f}", f"{row.ms:,.1f}", f"{row.kv:,.2f}")
    right, alike = (told(own, row) if own else "–" for own in (row.accuracy, row.agreement))
    name = f"{'*' if is_marked else ' '} {row.setting}"
    return (name, str(row.n), right, alike, f"{row.kl:.4f}", *costs)


def told(own: Interval, row: Row) -> str:
    """In per cent, with its interval where there are videos enough for one."""
    return str(own) if row.has_interval else f"{100 * own.value:.1f}"


def written(lines: Sequence[Line], path: Path) -> Path:
    """Write lines as what the ending of a file says: .csv or .parquet. Raises ValueError for another."""
    suffix: dict[str, Any] = {".csv": lambda: path.write_text(as_csv(lines), encoding="utf-8")}
    suffix[".parquet"] = lambda: write_parquet(lines, path)
    if path.suffix.lower() not in suffix:
        raise ValueError(f"{path} should end in .csv or .parquet")
    suffix[path.suffix.lower()]()
    return path
