"""Lab record: what the lab's panel needs of a sweep, as plain data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aim_lab.code import DENSE
from aim_lab.estimate import Estimate
from aim_lab.line import Line
from aim_lab.settings import BUDGET
from aim_lab.summary import Interval, Row, summarise
from page.comparison_table import flops, kv_size
from page.components.lab.links import link_of
from page.i18n import strings
from page.media_errors import media_error
from page.method_texts import method_title
from page.state.model_facts import EMBEDDED_NAME
from page.state.sweeps import AskedSweep

MOST_SENTENCES = 5


@dataclass(frozen=True)
class Progress:
    """How far a sweep is.

    ended: "" while it goes on; "done", "stopped", "time" (the owner's minutes are over) or "kept", of one that lies
    here and that this page has not begun. left: seconds, None where that is not known yet. failed: cells that broke.
    """

    ended: str = ""
    left: float | None = None
    failed: int = 0


def lab_record(
    asked: AskedSweep,
    lines: Sequence[Line],
    progress: Progress | None = None,
    cost: Estimate | None = None,
    left_out: Sequence[str] = (),
    beyond: str = "",
    other: str = "",
) -> dict[str, Any]:
    """cost: before it starts; beyond: why it may not start. other: name of the model that answers now, where the sweep
    was asked of another one."""
    rows = summarise(lines)
    questions = {(own.clip.content(), own.question) for own in asked.plan.documents}
    cells = len(asked.plan.cells) * len(questions)
    return {
        "key": asked.key,
        "model": "" if asked.model == EMBEDDED_NAME else asked.model,
        "other": other,
        "cells": cells,
        "done": len(lines),
        "settings": len(asked.plan.cells),
        "questions": len(questions),
        "videos": len(asked.clips),
        "cost": cost and _cost(cost, left_out, beyond),
        "progress": progress and vars(progress),
        "goOn": False,
        "rows": _rows(asked, lines, rows),
        "known": bool(rows) and all(row.accuracy for row in rows),
        "sure": bool(rows) and rows[0].has_interval,
        "refusals": [media_error(text) for text in dict.fromkeys(own.refused for own in lines if own.refused)][
            :MOST_SENTENCES
        ],
    }


def _cost(cost: Estimate, left_out: Sequence[str], beyond: str) -> dict[str, Any]:
    left = {"flops": flops(cost.flops), "seconds": cost.seconds}
    return left | {"leftOut": list(left_out)[:MOST_SENTENCES], "beyond": beyond}


def _rows(asked: AskedSweep, lines: Sequence[Line], rows: Sequence[Row]) -> list[dict[str, Any]]:
    reference = next((row for row in rows if row.setting == asked.plan.cells[0]), None)
    first = {line.setting: line for line in reversed(lines) if not line.refused}
    return [_row(asked, row, reference, first[row.setting]) for row in rows]


def _row(asked: AskedSweep, row: Row, dense: Row | None, line: Line) -> dict[str, Any]:
    setting = row.setting
    return {
        "name": str(setting),
        "method": setting.method,
        "title": strings().COMPARE_DENSE if setting.method == DENSE else method_title(setting.method),
        "said": ", ".join([*map(_said, setting.pairs), strings().LAB_ROW_FRAMES.format(frames=setting.num_frames)]),
        "n": row.n,
        "refused": row.refused,
        "sure": row.has_interval,
        "right": _interval(row.accuracy),
        "ofDense": row.accuracy.value / dense.accuracy.value
        if row.accuracy and dense and dense.accuracy and dense.accuracy.value
        else None,
        "alike": _interval(row.agreement),
        "kl": row.kl,
        "flopsSaid": flops(row.flops),
        "share": row.flops / dense.flops if dense and dense.flops else None,
        "ms": row.ms,
        "kv": row.kv,
        "kvSaid": kv_size(round(row.kv * 2**20)),
        "link": link_of(asked, setting, line, _dense_flops(dense, setting.num_frames)),
    }


def _dense_flops(dense: Row | None, num_frames: int) -> float | None:
    """About those of the dense prefill at another number of frames."""
    return dense.flops * num_frames / dense.setting.num_frames if dense else None


def _interval(own: Interval | None) -> list[float] | None:
    return [own.value, own.low, own.high] if own else None


def _said(pair: tuple[str, Any]) -> str:
    """A budget as people say it, other settings as the method names them."""
    name, value = pair
    if name in (BUDGET, "keep_ratio"):
        return strings().LAB_SETTING[name].format(share=f"{100 * value:g} %")
    return f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}"
