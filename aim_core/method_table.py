"""Method table: runs of `compare_methods` as plain rows, as text for a terminal, as CSV and as JSON."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from aim_core.budget import MEASURES, Budget
from aim_core.method_comparison import MethodRun

_HEAD = ("method", "settings", "entering", "mean", "FLOPs", "KV", "answer", "KL", "first token", "prefill ms")


def as_row(run: MethodRun) -> dict[str, Any]:
    """A run as plain data, everything but its trace; what a refused one has not is None."""
    row: dict[str, Any] = {"name": run.name, "title": run.title, "refused": run.refused, "limit": run.limit}
    row |= {"settings": dict(run.settings), "miss": run.miss, "note": run.note}
    row |= asdict(run.shares) if run.shares else dict.fromkeys(MEASURES)
    told = {
        "answer": run.answer,
        "same_answer": run.same_answer,
        "kl": run.kl if math.isfinite(run.kl) else None,
        "first_token_agrees": run.first_token_agrees,
        "language_flops": run.flops,
        "kv_bytes": run.kv_bytes,
        "prefill_ms": list(run.prefill_ms),
        "peak_bytes": run.peak_bytes,
        "visual_per_layer": list(run.visual_per_layer),
    }
    return row | (dict.fromkeys(told) if run.refused else told)


def as_json(runs: Iterable[MethodRun], question: str, budget: Budget) -> str:
    """Question, budget and all rows."""
    whole = {"question": question, "budget": asdict(budget), "runs": [as_row(run) for run in runs]}
    return json.dumps(whole, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def as_csv(runs: Iterable[MethodRun]) -> str:
    """One line a method; lists by spaces, settings as name=value."""
    rows = [as_row(run) for run in runs]
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: _cell(value) for key, value in row.items()} for row in rows)
    return out.getvalue()


def as_text(runs: Sequence[MethodRun]) -> str:
    """For a terminal: a table of what ran, then in sentences what came no nearer to the budget, or was refused."""
    table = [_HEAD, *(_line(run) for run in runs if not run.refused)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]
    lines += [f"{run.title}: {run.note}" for run in runs if run.note]
    return "\n".join(lines + [run.refused for run in runs if run.refused])


def _line(run: MethodRun) -> tuple[str, ...]:
    assert run.shares is not None
    shares = (f"{share:.1%}" for share in (run.shares.entering, run.shares.mean, run.shares.flops, run.shares.kv))
    first = "same" if run.first_token_agrees else "other"
    return (run.title, _cell(run.settings), *shares, _short(run.answer), f"{run.kl:.4f}", first, _times(run))


def _times(run: MethodRun) -> str:
    """Median, then the fastest and the slowest; a dash where nothing was timed."""
    if run.median_ms is None:
        return "–"
    return f"{run.median_ms:.0f} ({min(run.prefill_ms):.0f}–{max(run.prefill_ms):.0f})"


def _short(answer: str, most: int = 40) -> str:
    line = " ".join(answer.split())
    return line if len(line) <= most else line[: most - 1] + "…"


def _cell(value: Any) -> Any:
    """A list or settings as one text."""
    if isinstance(value, dict):
        return " ".join(f"{name}={number}" for name, number in value.items())
    return " ".join(map(str, value)) if isinstance(value, list) else value
