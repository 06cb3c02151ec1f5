"""Comparison exports: methods at one cost as CSV, as code that repeats them, and as a page that replays them."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from aim_core.budget import Budget
from aim_core.method_comparison import MethodRun
from page.exports.code import NEEDS, engine_of, media_of

COLUMNS = (
    "method",
    "refused",
    "settings",
    "answer",
    "same_answer",
    "kl_nats",
    "first_token_agrees",
    "entering_share",
    "mean_share",
    "flops_share",
    "kv_share",
    "flops",
    "kv_bytes",
    "budget_miss",
    "prefill_ms_median",
    "prefill_ms_least",
    "prefill_ms_most",
    "peak_bytes",
    "visual_per_layer",
)


def comparison_csv(runs: Sequence[MethodRun]) -> str:
    """One line a method; shares are of the dense prefill's, `budget_miss` is relative to the budget."""
    file = io.StringIO()
    table = csv.writer(file, lineterminator="\n")
    table.writerow(COLUMNS)
    for run in runs:
        settings = " ".join(f"{name}={value}" for name, value in run.settings.items())
        line: list[Any] = [run.name, run.refused, settings]
        if run.shares is not None:
            shares, ms = run.shares, run.prefill_ms
            line += [as_text(run.answer), run.same_answer, run.kl, run.first_token_agrees]
            line += [shares.entering, shares.mean, shares.flops, shares.kv, run.flops, run.kv_bytes, run.miss]
            line += [run.median_ms, min(ms), max(ms)] if ms else ["", "", ""]
            line += [run.peak_bytes, " ".join(map(str, run.visual_per_layer))]
        table.writerow(line + [""] * (len(COLUMNS) - len(line)))
    return file.getvalue()


def as_text(answer: str) -> str:
    """What no spreadsheet takes for a formula."""
    return f"'{answer}" if answer[:1] in ("=", "+", "-", "@") else answer


def comparison_code(
    files: Sequence[str], question: str, num_frames: int, budget: Budget, methods: Sequence[str], model: str
) -> str:
    """A script that compares the same methods again. All that a visitor typed comes in as a literal."""
    lines = [
        NEEDS,
        "from aim_core import Engine, compare_methods",
        "from aim_core.budget import Budget",
        "",
        f"engine = {engine_of(model)}",
        "runs = compare_methods(",
        "    engine,",
        f"    {media_of(files)!r},",
        f"    {question!r},",
        f"    methods={list(methods)!r},",
        f"    budget=Budget({budget.share!r}, {budget.of!r}),",
        f"    num_frames={num_frames},",
        ")",
        "for run in runs:",
        "    print(run.title, run.refused or run.answer, run.shares, run.median_ms)",
    ]
    return "\n".join(lines) + "\n"
