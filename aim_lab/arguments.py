"""Arguments: what the command line of the lab takes."""

from __future__ import annotations

import argparse
from pathlib import Path

from aim_core.low_bits import FULL, WEIGHTS
from aim_lab.commands import sweep
from aim_lab.solve_command import solve
from aim_lab.summary import VALUES

GRID = (
    'a method and its settings, such as "aim keep_ratio=0.25,0.5 l1=5,6 l2=9", "fastv budget=0.25" (a share of the '
    'dense FLOPs) or "aim as_dense=8" (the FLOPs of the dense model at 8 frames); may be repeated'
)


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """`run` of what it returns is the function to call with it."""
    parser = argparse.ArgumentParser(prog="python -m aim_lab", description="The lab: sweeps and the best setting.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _sweep(commands.add_parser("sweep", help="measure a grid of settings on videos and questions"))
    _solve(commands.add_parser("solve", help="find the best setting for a budget"))
    return parser.parse_args(argv)


def _sweep(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=sweep)
    _shared(parser)
    parser.add_argument("--grid", action="append", default=[], metavar="TEXT", help=GRID)
    parser.add_argument("--frames", type=int, nargs="+", default=[8], help="sampled from each video (default: 8)")
    parser.add_argument("--reference", type=int, help="frames of the dense run to compare with (most of --frames)")
    parser.add_argument("--timed", type=int, default=0, help="prefills of each timed in turns; 0 for the run's own")
    parser.add_argument("--dry-run", action="store_true", help="say what it would cost, and stop")
    parser.add_argument("--export", type=Path, nargs="+", default=[], metavar="FILE", help="lines as .csv or .parquet")
    parser.add_argument("--json", type=Path, metavar="FILE", help="a record of each setting, and the Pareto fronts")
    parser.add_argument("--chart", type=Path, metavar="FILE", help="a picture of the Pareto front")
    parser.add_argument("--by", choices=VALUES, help="what the front and the chart go by (accuracy if it is known)")


def _solve(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=solve)
    _shared(parser)
    goal = parser.add_mutually_exclusive_group(required=True)
    goal.add_argument("--tflops", type=float, help="at most so many TFLOPs of prefill")
    goal.add_argument("--ms", type=float, help="at most so many milliseconds of prefill")
    goal.add_argument("--kv-mib", type=float, help="at most so many MiB of KV cache")
    goal.add_argument("--of-dense", type=float, metavar="SHARE", help="at least this share of the dense model, as 0.99")
    parser.add_argument("--frames", type=int, nargs="+", default=[8], help="to choose among (default: 8)")
    parser.add_argument("--methods", nargs="+", default=["aim"], help="methods to choose among (default: aim)")
    parser.add_argument("--most", type=int, default=48, help="settings of the shell that are measured (default: 48)")
    parser.add_argument("--by", choices=VALUES, help="accuracy, or agreement where right answers are not known")
    parser.add_argument("--check", type=Path, metavar="QUESTIONS", help="others, to measure the choice on")
    parser.add_argument("--json", type=Path, metavar="FILE", help="all that was tried, the curve and the choice")
    parser.add_argument("--chart", type=Path, metavar="FILE", help="a picture of the curve")


def _shared(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("questions", type=Path, help="a folder with a CSV or JSONL file, or the file")
    parser.add_argument("--model", default="assets/model", help="a Hub id or a folder (default: %(default)s)")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--dtype", default="auto")
    parser.add_argument("--weights", choices=WEIGHTS, default=FULL, help="of the language model (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=Path("runs/sweep.jsonl"), help="file (default: %(default)s)")
    parser.add_argument("--max-new-tokens", type=int, default=32)
    parser.add_argument("--processes", type=int, default=1, help="each with a copy of the model")
    parser.add_argument(
        "--ray",
        nargs="?",
        const="",
        metavar="ADDRESS",
        help="spread over a Ray cluster",
    )
    parser.add_argument("--cpus", type=float, default=1, help="of each Ray worker")
    parser.add_argument("--gpus", type=float, default=0, help="of each Ray worker")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="begin nothing new after so many")
