"""Page: docs/lab_results.md, made of the results that lie in assets/lab."""

from __future__ import annotations

import json
from pathlib import Path

from training.lab import across_frames, frames_or_tokens, low_bit_weights, pagerank, solver
from training.lab.experiment import ASSETS, Experiment
from training.method_table.page import rewrite

PAGE = Path("docs/lab_results.md")
EXPERIMENTS: dict[str, Experiment] = {  # in the order of the page
    "solver": solver,
    "frames_or_tokens": frames_or_tokens,
    "across_frames": across_frames,
    "low_bit_weights": low_bit_weights,
    "pagerank": pagerank,
}


def write_page() -> None:
    PAGE.write_text(rewrite(PAGE.read_text(encoding="utf-8"), block()), encoding="utf-8")


def block() -> str:
    """A section for each experiment that has results."""
    return "\n\n".join(_section(name) for name in EXPERIMENTS if (ASSETS / f"{name}.json").exists())


def _section(name: str) -> str:
    report, own = json.loads((ASSETS / f"{name}.json").read_text(encoding="utf-8")), EXPERIMENTS[name]
    parts = [f"## {own.TITLE}", f"`python -m training.lab {name}`", own.section(report)]
    if report["share"] < 1:
        parts.append(f"*Asked about {report['share']:.0%} of the videos: the command goes on, to all of them.*")
    return "\n\n".join(parts)
