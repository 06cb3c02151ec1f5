"""Compare record: what the compare panel needs of each method's run, as plain data."""

from __future__ import annotations

import math
from difflib import SequenceMatcher

import numpy as np

from aim_core.budget import Budget
from aim_core.method_comparison import DENSE, MethodRun
from aim_core.methods.registry import METHODS
from aim_core.trace import Trace
from page.comparison_table import flops, kv_size
from page.components.explorer.packing import packed
from page.components.explorer.record import rows_of_all, views_record
from page.i18n import strings
from page.method_texts import method_title, method_variant, reason_text
from page.state.samples import is_right

PAPER = "https://arxiv.org/abs/{}"


def compare_record(runs: list[MethodRun], known: str | None, outside: bool, budget: Budget) -> dict:
    """Everything but pixels of the runs that are there so far, the dense one first.

    known: the right answer, if there is one. outside: whether the clip is not of the model's world. budget: what each
    run but the dense one costs. "asked" is for the page to fill: files, question and model.
    """
    dense = runs[0]
    return {
        "budget": strings().BUDGET_IS.format(share=f"{100 * budget.share:.0f} %", of=strings().MEASURES[budget.of]),
        "measure": budget.of,
        "known": known,
        "asked": None,
        "outside": outside,
        "numLayers": len(dense.visual_per_layer),
        "views": views_record(dense.trace) if dense.trace else [],
        "rows": [_row(run, dense, known) for run in runs],
    }


def _row(run: MethodRun, dense: MethodRun, known: str | None) -> dict:
    """One line of the table: numbers to sort by, and the same as texts."""
    entry = METHODS.get(run.name)
    about = {
        "name": run.name,
        "title": strings().COMPARE_DENSE if run.name == DENSE else method_title(run.name),
        "paper": PAPER.format(entry.paper) if entry and entry.paper else "",
        "variant": method_variant(run.name) if entry else "",
        "settings": ", ".join(f"{name} {_short(value)}" for name, value in run.settings.items()),
    }
    if run.refused or run.shares is None or run.trace is None:
        return about | {"refused": reason_text(run.refusal)}
    shares = run.shares
    numbers = {"kl": run.kl, "entering": shares.entering, "mean": shares.mean, "flops": shares.flops, "kv": shares.kv}
    finite = {name: value if math.isfinite(value) else None for name, value in numbers.items()}
    return about | {
        "refused": "",
        "note": reason_text(run.why),
        "words": _words(run, dense),
        "right": is_right(run.answer, known) if known else None,
        "agrees": run.first_token_agrees,
        "numbers": finite | {"peak": run.peak_bytes},
        "flops": flops(run.flops),
        "kv": kv_size(run.kv_bytes),
        "peak": "" if run.peak_bytes is None else kv_size(run.peak_bytes),
        "ms": run.median_ms,
        "spread": [min(run.prefill_ms), max(run.prefill_ms)] if run.prefill_ms else None,
        "counts": list(run.visual_per_layer),
        "tokens": tokens_record(run.trace),
    }


def _words(run: MethodRun, dense: MethodRun) -> list[tuple[str, str]]:
    """Words of the answer, each "same" where the dense one has it at its place too, else "only"."""
    own, others = ((one.answer or strings().SILENT).split() for one in (run, dense))
    blocks = SequenceMatcher(None, own, others, autojunk=False).get_matching_blocks()
    same = {at for block in blocks for at in range(block.a, block.a + block.size)}
    return [("same" if at in same else "only", word) for at, word in enumerate(own)]


def tokens_record(trace: Trace) -> dict:
    """Where each patch went: row, int32 (V, n), see `explorer_record`, and by row the last layer that it entered and
    the row that it was folded into after that, -1 for none."""
    row, num_dropped = rows_of_all(trace)
    last, into = (
        np.pad(by_row, (0, num_dropped), constant_values=-1)
        for by_row in (trace.last_layer_by_row(), trace.folded_into_by_row())
    )
    return {"row": packed(row, "<i4"), "last": packed(last, "<i2"), "into": packed(into, "<i4")}


def _short(value: float | int | str) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
