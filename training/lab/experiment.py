"""Experiment: what each module of an experiment offers, and what it is given."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from aim_lab.commands import Lab
from aim_lab.measure import Model

ASSETS = Path("assets/lab")  # results and figures
RUNS = Path("runs/lab")  # answers, to which a later run adds


@dataclass(frozen=True)
class Options:
    """name: of the experiment. share: of the videos that it asks about when it is whole, for a shorter run."""

    name: str
    model: str = "assets/model"
    minutes: float = float("inf")
    processes: int = 1
    share: float = 1.0

    @cached_property
    def lab(self) -> Lab:
        """Its model, its log and how long it may take."""
        RUNS.mkdir(parents=True, exist_ok=True)
        return Lab(Model(self.model), RUNS / f"{self.name}.jsonl", self.processes, minutes=self.minutes)

    def part(self, num_videos: int) -> int:
        return max(1, round(self.share * num_videos))


class Experiment(Protocol):
    """A module of this folder. Its figures lie in ASSETS, beside the JSON of its results."""

    TITLE: str

    def measure(self, options: Options) -> dict[str, Any]:
        """The results, as JSON takes them. Raises ValueError if the time ends before there is anything to tell."""
        ...

    def section(self, report: dict[str, Any]) -> str:
        """The results as Markdown below their title; paths of figures begin with `../`, as seen from docs/."""
        ...
