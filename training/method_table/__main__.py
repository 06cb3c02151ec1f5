"""Measure all methods at one cost on held-out questions, going on where it stood; write numbers, charts and pages."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import torch
from tqdm import tqdm

from aim_core.engine import Engine
from aim_core.methods.registry import METHODS
from aim_core.weights import weights_hash
from aim_lab.code import DENSE
from training.method_table.chart import draw
from training.method_table.log import Line, Log, code_of
from training.method_table.measure import Past, cells, measure, measure_in_processes
from training.method_table.order import SEEDS, SETS, videos
from training.method_table.page import CHARTS, page_block, rewrite
from training.method_table.readme import readme_block
from training.method_table.summary import summarise
from training.method_table.words import GOAL

PAGE, README = Path("docs/methods_compared.md"), Path("README.md")
REPORT = Path("assets/methods_compared.json")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m training.method_table", description=__doc__)
    parser.add_argument("--model", type=Path, default=Path("assets/model"), help="folder of the model")
    parser.add_argument("--set", choices=list(SETS), default="held_out", help="questions about which videos")
    parser.add_argument("--questions", type=int, default=GOAL, help="questions of each seed, in whole videos")
    parser.add_argument("--seeds", type=int, nargs="+", help="of the videos; two of each set's own if left out")
    parser.add_argument(
        "--methods", nargs="+", choices=list(METHODS), help="these and AIM alone; the rows of others stay as they are"
    )
    parser.add_argument("--processes", type=int, default=1, help="each of them takes one core")
    parser.add_argument(
        "--minutes", type=float, default=float("inf"), help="stop after so many; 0 writes the page only"
    )
    parser.add_argument(
        "--log", type=Path, default=Path("runs/methods.jsonl"), help="answers; a later run adds to them"
    )
    parser.add_argument(
        "--page-only", action="store_true", help="measure nothing: charts and pages anew from the numbers"
    )
    options = parser.parse_args()
    if options.processes < 1:
        parser.error(f"--processes must be at least 1, got {options.processes}")
    reports = json.loads(REPORT.read_text(encoding="utf-8")) if REPORT.exists() else {}
    if not options.page_only:
        try:
            new = measured(options)
            reports = _beside(reports, with_other_rows(new, reports.get(new["set"])) if options.methods else new)
        except ValueError as error:
            parser.exit(1, f"{error}\n")
        REPORT.write_text(json.dumps(reports, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    for name, report in reports.items():
        draw(report).savefig(CHARTS[name], dpi=100)
    for path, block in ((PAGE, page_block), (README, readme_block)):
        path.write_text(rewrite(path.read_text(encoding="utf-8"), block(reports)), encoding="utf-8")


def measured(options: argparse.Namespace) -> dict:
    """The report of all that the log holds of these weights, once what is missing has been added to it.

    Raises ValueError while there is no question that all were asked.
    """
    stop, weights = Past(time.time() + 60 * options.minutes), weights_hash(options.model)
    seeds = options.seeds or SEEDS[options.set]
    found = list(chain.from_iterable(videos(options.set, seed, options.questions) for seed in seeds))
    asked, wanted = tqdm(found, disable=None, unit="video"), cells(_in_order(options.methods))
    if options.processes > 1:
        measure_in_processes(options.model, weights, asked, options.log, stop, options.processes, wanted)
    else:
        torch.set_num_threads(1)
        measure(Engine.from_pretrained(options.model).adapter, weights, asked, Log(options.log), stop, wanted)
    lines = [line for line in Log(options.log) if line.set == options.set and _counts(line, weights)]
    return summarise(lines, wanted)


def _in_order(methods: Sequence[str] | None) -> list[str]:
    """Of the registry: all, or some and AIM, which each method is compared with."""
    return [name for name in METHODS if not methods or name in ("aim", *methods)]


def with_other_rows(new: dict, old: dict | None) -> dict:
    """A report of some methods, and the rows of the others as they were measured earlier.

    Raises ValueError unless both are of the same questions, and the model and AIM answered as many of them as before:
    what the others said may no longer be what they say now.
    """
    same = ("weights", "set", "seeds", "num_questions", "num_videos", "types", "dense")
    kept, rows = ({(row["method"], row["budget"]): row for row in own["rows"]} for own in (old or {"rows": []}, new))
    aim = [cell for cell in rows if cell[0] == "aim"]
    right = [[own.get(cell, {}).get("accuracy") for cell in aim] for own in (kept, rows)]
    if old is None or any(old[name] != new[name] for name in same) or right[0] != right[1]:
        raise ValueError(
            "the rows that are there are of other questions, or their model answered otherwise: leave out --methods"
        )
    together = kept | rows
    return new | {"rows": [together[cell] for cell in cells() if cell in together]}


def _counts(line: Line, weights: str) -> bool:
    """Whether it was measured on these weights, by the code that there is now."""
    known = line.method == DENSE or line.method in METHODS
    return line.weights == weights and known and line.code == code_of(line.method)


def _beside(reports: dict[str, dict], new: dict) -> dict[str, dict]:
    """All sets that were measured on the same weights, in their order."""
    same = {name: own for name, own in reports.items() if own["weights"] == new["weights"]} | {new["set"]: new}
    return {name: same[name] for name in SETS if name in same}


if __name__ == "__main__":
    main()
