"""Solver: settings chosen on one set of questions, reported on another, beside the released schedule at equal cost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aim_lab import chart
from aim_lab.estimate import workload_of
from aim_lab.fidelity import fidelity
from aim_lab.measure import Recipe
from aim_lab.settings import Setting
from aim_lab.shell import Limit, shell
from aim_lab.solve_command import measure_by
from aim_lab.solver import best_within, check
from training.answering import MAX_NEW_TOKENS
from training.eval_sets import NUM_FRAMES
from training.lab.experiment import ASSETS, Options
from training.lab.items import documents
from training.tables import percent, table_row

TITLE = "The best setting for a budget"
FRAMES = (4, NUM_FRAMES, 16)
KEEP_RATIOS = (0.25, 0.0625)  # of the released schedule, whose cost is the budget; the first is the paper's
MOST = 32  # settings of each shell that are measured
CALIBRATION, GOAL = 128, 240  # videos to choose by, and to report on
HEAD = ("setting", "questions", "right, %", "as dense, %", "KL", "GFLOPs", "KV, MiB")
STAND_INS = {
    "agreement": "the share of answers that the dense model gives too",
    "first_token": "the share of first tokens",
    "kl": "mean KL of the first token",
}


def measure(options: Options) -> dict[str, Any]:
    """Both budgets, or the first of them where the time ends. Raises ValueError if it ends before."""
    budgets: dict[str, Any] = {}
    for keep_ratio in KEEP_RATIOS:
        try:
            budgets[str(keep_ratio)] = _measured(options, keep_ratio)
        except ValueError:
            if not budgets:
                raise
            break
    return {"budgets": budgets}


def _measured(options: Options, keep_ratio: float) -> dict[str, Any]:
    """One budget: what the released schedule costs at a keep ratio. Raises ValueError when the time is over."""
    lab = options.lab
    calibration, others = documents("calibration", options.part(CALIBRATION)), documents("held_out", options.part(GOAL))
    recipe = Recipe.of(lab.model, lab.engine, reference=NUM_FRAMES, max_new_tokens=MAX_NEW_TOKENS)
    measure = measure_by(lab, recipe)
    workloads = {count: workload_of(lab.engine, calibration[0], count) for count in FRAMES}
    own, shape = workloads[NUM_FRAMES], workloads[NUM_FRAMES].shape
    default = Setting.of("aim", NUM_FRAMES, keep_ratio=keep_ratio, l1=shape.l1, l2=shape.l2)
    limit = Limit(own.flops(own.visual_per_layer(default.build())))
    goal = f"as many FLOPs as the released schedule at keep ratio {keep_ratio:g}"
    found = best_within(limit, goal, workloads, calibration, measure, "accuracy", most=MOST, default=default)
    on_others = check(found, NUM_FRAMES, others, measure)
    chart.save(chart.draw_tried(found.rows, found.choice, found.default), _chart(keep_ratio))
    return found.as_dict() | {
        "keep_ratio": keep_ratio,
        "gflops": limit.most / 1e9,
        "share": limit.most / limit.dense(own),
        "shell": len(shell(workloads, limit).settings),
        "weights": recipe.weights,
        "check": on_others.as_dict(),
        "fidelity": [vars(one) for one in fidelity(found.races[0].lines)],
    }


def _chart(keep_ratio: float) -> Path:
    return ASSETS / f"solver_{round(10000 * keep_ratio):04d}.png"


def section(report: dict[str, Any]) -> str:
    """What a reader needs to know first, then each budget."""
    about = (
        "Chosen on videos of the wide world drawn from one seed and reported on those of another, at the cost of the "
        "released schedule (scaled to the depth of 12: l1 6, l2 9) at two keep ratios, among 4, 8 and 16 frames."
    )
    missing = [f"{own:g}" for own in KEEP_RATIOS if str(own) not in report["budgets"]]
    left = [f"*Not measured to its end yet: keep ratio {', '.join(missing)}.*"] if missing else []
    return "\n\n".join([about, *map(_budget, report["budgets"].values()), *left])


def _budget(own: dict[str, Any]) -> str:
    """One budget: the choice, how it was made, and both schedules on the questions that it was not made on."""
    dense, *others = own["check"]["rows"]
    chart, ratio = _chart(own["keep_ratio"]), own["keep_ratio"]
    lines = [
        f"### {own['gflops']:.2f} GFLOPs: the released schedule at keep ratio {ratio:g}",
        "",
        f"{100 * own['share']:.1f} % of the dense prefill; weights `{own['weights'][:12]}…`. {own['why']}",
        "",
        f"![Right answers of the settings that cost the same, against their keep ratio](../{chart})",
        "",
        "*One circle a setting; filled is the choice, ringed the released schedule. Those dropped early were asked "
        "fewer questions, so heights compare only roughly; pairs were compared on the same questions.*",
        "",
        f"On {dense['n']} questions about {dense['num_videos']} other videos:",
        "",
        table_row(HEAD),
        table_row(["---"] * len(HEAD)),
        *(table_row(_cells(row)) for row in (dense, *others)),
        "",
        f"**{_verdict(own)}**",
        "",
        _fidelity(own["fidelity"]),
    ]
    return "\n".join(lines)


def _cells(row: dict[str, Any]) -> list[Any]:
    costs = [f"{row['flops'] / 1e9:.2f}", f"{row['kv']:.2f}"]
    return [row["name"], row["n"], percent(row["accuracy"]), percent(row["agreement"]), f"{row['kl']:.3f}", *costs]


def _verdict(own: dict[str, Any]) -> str:
    """What the choice has more than the released schedule on held-out questions, and how sure that is."""
    gap = own["check"]["beside_default"]
    if gap is None:
        return "The released schedule is not within 1 % of this budget."
    if own["choice"] == own["default"]:
        return "The choice is the released schedule itself."
    points = f"{100 * gap['value']:+.1f} points ({100 * gap['low']:+.1f} to {100 * gap['high']:+.1f}, 95 %, by video)"
    if gap["low"] > 0:
        return f"At equal FLOPs the choice beats the released schedule: {points}."
    if gap["high"] < 0:
        return f"At equal FLOPs the released schedule is better than the choice: {points}."
    return f"The choice is not surely better than the released schedule, nor worse: {points}."


def _fidelity(found: list[dict[str, Any]]) -> str:
    one = found[0]
    told = [f"{STAND_INS[own['stand_in']]} {_rank(own)}" for own in found]
    return (
        f"**How well the dense model stands in for right answers**: rank correlation over {one['num_settings']} "
        f"settings on the {one['num_questions']} questions that all were asked: {'; '.join(told)}. "
        f"Choosing by the first would cost {100 * one['lost']:.1f} points of right answers there."
    )


def _rank(own: dict[str, Any]) -> str:
    return "(no order)" if own["rank"] is None else f"{own['rank']:+.2f} ({own['low']:+.2f} to {own['high']:+.2f})"
