"""The command line: `python -m aim_core compare VIDEO QUESTION` answers under every method at one cost."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from aim_core.budget import MEASURES, Budget
from aim_core.engine import Engine
from aim_core.loading import ModelLoadError
from aim_core.low_bits import FULL, WEIGHTS
from aim_core.media.errors import MediaError
from aim_core.method_comparison import compare_methods
from aim_core.method_table import as_csv, as_json, as_text
from aim_core.methods.registry import METHODS


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m aim_core", description=__doc__)
    compare = parser.add_subparsers(required=True, metavar="compare").add_parser("compare", help="methods at one cost")
    compare.add_argument("media", metavar="VIDEO", help="a video or an image")
    compare.add_argument("question", metavar="QUESTION")
    compare.add_argument("--model", default="assets/model", help="a Hub id or a folder (default: %(default)s)")
    compare.add_argument("--budget", type=float, default=0.25, help="share of the dense cost (default: %(default)s)")
    compare.add_argument("--of", choices=MEASURES, default="flops", help="which cost (default: %(default)s)")
    compare.add_argument("--methods", nargs="+", choices=METHODS, metavar="NAME", help=f"among {', '.join(METHODS)}")
    compare.add_argument("--frames", type=int, default=8, help="sampled from a video (default: %(default)s)")
    compare.add_argument("--max-new-tokens", type=int, default=64)
    compare.add_argument("--timed", type=int, default=3, help="prefills of each that are timed in turns; 0 for none")
    compare.add_argument("--device", default="auto")
    compare.add_argument("--dtype", default="auto")
    compare.add_argument(
        "--weights", choices=WEIGHTS, default=FULL, help="of the language model (default: %(default)s)"
    )
    compare.add_argument("--json", type=Path, metavar="FILE", help="everything but the traces")
    compare.add_argument("--csv", type=Path, metavar="FILE", help="the same as a table")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """0, or 1 after a sentence about what a user can mend."""
    options = arguments(argv)
    try:
        budget = Budget(options.budget, options.of)
        runs = compare_methods(
            Engine.from_pretrained(options.model, options.device, options.dtype, options.weights),
            options.media,
            options.question,
            methods=options.methods,
            budget=budget,
            num_frames=options.frames,
            max_new_tokens=options.max_new_tokens,
            num_timed=options.timed,
            on_done=lambda run: print(f"{run.title}: {'timed' if run.prefill_ms else 'done'}", file=sys.stderr),
        )
    except (MediaError, ModelLoadError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    print(as_text(runs))
    if options.json:
        options.json.write_text(as_json(runs, options.question, budget), encoding="utf-8")
    if options.csv:
        options.csv.write_text(as_csv(runs), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
