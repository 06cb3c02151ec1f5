"""Measure what is asked for and write docs/lab_results.md, the page with the results of every experiment."""

from __future__ import annotations

import argparse
import json

import torch

from training.lab.experiment import ASSETS, Options
from training.lab.page import EXPERIMENTS, write_page


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m training.lab", description=__doc__)
    parser.add_argument("names", nargs="*", default=list(EXPERIMENTS), help=f"of {', '.join(EXPERIMENTS)}")
    parser.add_argument("--model", default="assets/model", help="folder of the model")
    parser.add_argument("--share", type=float, default=1.0, help="of the videos; a later run with more adds to them")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="of each; begin nothing new after so many")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--page-only", action="store_true", help="measure nothing: the page anew from the results")
    options = parser.parse_args()
    if unknown := [name for name in options.names if name not in EXPERIMENTS]:
        parser.error(f"no experiment {unknown[0]}: there are {', '.join(EXPERIMENTS)}")
    torch.set_num_threads(1)
    for name in [] if options.page_only else options.names:
        own = Options(name, options.model, options.minutes, options.processes, options.share)
        try:
            found = EXPERIMENTS[name].measure(own) | {"share": options.share}
        except ValueError as error:  # the time is over
            print(f"{name}: {error}")
            continue
        ASSETS.mkdir(exist_ok=True)
        (ASSETS / f"{name}.json").write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    write_page()


if __name__ == "__main__":
    main()
