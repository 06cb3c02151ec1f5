"""Choose settings on one set of questions and report them on another, beside the released schedule at equal FLOPs."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import torch

from aim_lab import chart
from aim_lab.commands import Lab
from aim_lab.estimate import workload_of
from aim_lab.fidelity import fidelity
from aim_lab.measure import Model, Recipe
from aim_lab.settings import Setting
from aim_lab.shell import Limit, shell
from aim_lab.solve_command import measure_by
from aim_lab.solver import best_within, check
from training.answering import MAX_NEW_TOKENS
from training.eval_sets import NUM_FRAMES
from training.lab.items import documents
from training.lab.page import GOAL, block, chart_of
from training.method_table.page import rewrite

PAGE, REPORT = Path("docs/lab.md"), Path("assets/lab.json")
FRAMES = (4, NUM_FRAMES, 16)
KEEP_RATIOS = (0.25, 0.0625)  # of the released schedule, whose cost is the budget; the first is the paper's


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m training.lab", description=__doc__)
    parser.add_argument("--model", default="assets/model", help="folder of the model")
    parser.add_argument("--log", type=Path, default=Path("runs/lab.jsonl"), help="answers; a later run adds to them")
    parser.add_argument("--videos", type=int, default=128, help="to choose by")
    parser.add_argument("--others", type=int, default=GOAL, help="to report on")
    parser.add_argument("--most", type=int, default=32, help="settings of each shell that are measured")
    parser.add_argument("--keep-ratios", type=float, nargs="+", default=KEEP_RATIOS, help="whose costs are the budgets")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="begin nothing new after so many")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--page-only", action="store_true", help="measure nothing: the page anew from the numbers")
    options = parser.parse_args()
    told = json.loads(REPORT.read_text(encoding="utf-8")) if REPORT.exists() else {"budgets": {}}
    if not options.page_only:
        torch.set_num_threads(1)
        lab = Lab(Model(options.model), options.log, options.processes, minutes=options.minutes)
        for keep_ratio in options.keep_ratios:
            try:
                told["budgets"][str(keep_ratio)] = measured(lab, keep_ratio, options)
            except ValueError as error:  # the time is over
                print(error)
                break
            REPORT.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    PAGE.write_text(rewrite(PAGE.read_text(encoding="utf-8"), block(told)), encoding="utf-8")


def measured(lab: Lab, keep_ratio: float, options: argparse.Namespace) -> dict[str, Any]:
    """One budget: what the released schedule costs at a keep ratio. Raises ValueError when the time is over."""
    calibration, others = documents("calibration", options.videos), documents("held_out", options.others)
    recipe = Recipe.of(lab.model, lab.engine, reference=NUM_FRAMES, max_new_tokens=MAX_NEW_TOKENS)
    measure = measure_by(lab, recipe)
    workloads = {count: workload_of(lab.engine, calibration[0], count) for count in FRAMES}
    own, shape = workloads[NUM_FRAMES], workloads[NUM_FRAMES].shape
    default = Setting.of("aim", NUM_FRAMES, keep_ratio=keep_ratio, l1=shape.l1, l2=shape.l2)
    limit = Limit(own.flops(own.visual_per_layer(default.build())))
    goal = f"as many FLOPs as the released schedule at keep ratio {keep_ratio:g}"
    found = best_within(limit, goal, workloads, calibration, measure, "accuracy", most=options.most, default=default)
    on_others = check(found, NUM_FRAMES, others, measure)
    chart.save(chart.draw_tried(found.rows, found.choice, found.default), chart_of(keep_ratio))
    return found.as_dict() | {
        "keep_ratio": keep_ratio,
        "gflops": limit.most / 1e9,
        "share": limit.most / limit.dense(own),
        "shell": len(shell(workloads, limit).settings),
        "weights": recipe.weights,
        "check": on_others.as_dict(),
        "fidelity": [vars(one) for one in fidelity(found.races[0].lines)],
    }


if __name__ == "__main__":
    main()
