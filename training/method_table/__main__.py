"""Measure all methods at one cost on held-out questions, going on where it stood; write numbers, chart and page."""

from __future__ import annotations

import argparse
import json
import time
from itertools import chain
from pathlib import Path

import torch

from aim_core.engine import Engine
from aim_core.weights import weights_hash
from training.method_table.chart import draw
from training.method_table.log import Log
from training.method_table.measure import measure
from training.method_table.order import SEEDS, questions
from training.method_table.page import rewrite
from training.method_table.summary import summarise

PAGE = Path("docs/methods_compared.md")
REPORT = Path("assets/methods_compared.json")
CHART = Path("assets/methods_compared.png")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m training.method_table", description=__doc__)
    parser.add_argument("--model", type=Path, default=Path("assets/model"), help="folder of the model")
    parser.add_argument("--questions", type=int, default=1000, help="questions of each seed")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS), help="of held-out videos")
    parser.add_argument(
        "--minutes", type=float, default=float("inf"), help="stop after so many; 0 writes the page only"
    )
    parser.add_argument(
        "--log", type=Path, default=Path("runs/methods.jsonl"), help="answers; a later run adds to them"
    )
    parser.add_argument(
        "--page-only", action="store_true", help="measure nothing: chart and page anew from the numbers"
    )
    options = parser.parse_args()
    if not options.page_only:
        report = measured(options)
        REPORT.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    report = json.loads(REPORT.read_text(encoding="utf-8"))
    draw(report).savefig(CHART, dpi=100)
    PAGE.write_text(rewrite(PAGE.read_text(encoding="utf-8"), report), encoding="utf-8")


def measured(options: argparse.Namespace) -> dict:
    """The report of all that the log holds of these weights, once what is missing has been added to it."""
    end, log, weights = time.monotonic() + 60 * options.minutes, Log(options.log), weights_hash(options.model)
    torch.set_num_threads(1)
    asked = chain.from_iterable(questions(seed, options.questions) for seed in options.seeds)
    measure(Engine.from_pretrained(options.model), weights, asked, log, lambda: time.monotonic() > end)
    return summarise([line for line in log if line.weights == weights])


if __name__ == "__main__":
    main()
