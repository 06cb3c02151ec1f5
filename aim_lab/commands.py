"""Commands: what the command line does with its arguments, and what it prints."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tqdm import tqdm

from aim_core.engine import Engine
from aim_lab import chart
from aim_lab.documents import read_documents
from aim_lab.estimate import estimate, spelled
from aim_lab.export import as_json, as_text, written
from aim_lab.fidelity import fidelity
from aim_lab.line import Log
from aim_lab.measure import Model, Recipe
from aim_lab.pool import in_processes
from aim_lab.ray_cluster import on_ray
from aim_lab.settings import grid
from aim_lab.summary import FEWEST_VIDEOS, Row, front, summarise
from aim_lab.sweep import Done, Plan, Spread, Until, here
from aim_lab.sweep import sweep as run_sweep


@dataclass(frozen=True)
class Lab:
    """A model, who does the work, and the file that it goes to.

    ray: address of a cluster, "" for one of its own; None to work here.
    """

    model: Model
    path: Path
    processes: int = 1
    ray: str | None = None
    cpus: float = 1
    gpus: float = 0
    minutes: float = float("inf")

    @classmethod
    def of(cls, options: argparse.Namespace) -> Lab:
        model = Model(options.model, options.device, options.dtype, options.weights)
        own = (options.processes, options.ray, options.cpus, options.gpus, options.minutes)
        return cls(model, options.out, *own)

    @cached_property
    def engine(self) -> Engine:
        return self.model.load()

    @cached_property
    def stop(self) -> Callable[[], bool]:
        return Until(self.minutes)

    def spread(self) -> Spread:
        if self.ray is not None:
            return on_ray(self.model, self.ray or None, self.cpus, self.gpus)
        return here(self.engine) if self.processes == 1 else in_processes(self.model, self.processes)

    def sweep(self, plan: Plan, say: bool = True) -> Done:
        """Measure what is missing, with a bar of progress where somebody watches."""
        missing = sum(len(task.settings) for task in plan.tasks(Log(self.path)))
        with tqdm(total=missing, disable=None if say else True, unit="cell", file=sys.stderr) as bar:
            return run_sweep(plan, self.path, self.spread(), bar.update, self.stop)


def sweep(options: argparse.Namespace) -> int:
    """0, or 1 if something broke that a later run tries again."""
    lab, documents = Lab.of(options), read_documents(options.questions)
    settings, left_out = grid(options.grid or ["dense"], options.frames)
    for sentence in left_out:
        print(f"Left out: {sentence}", file=sys.stderr)
    recipe = Recipe.of(
        lab.model,
        lab.engine,
        reference=options.reference or max(options.frames),
        max_new_tokens=options.max_new_tokens,
        timed=options.timed,
    )
    plan = Plan(tuple(documents), tuple(settings), recipe)
    cost = estimate(lab.engine, plan, plan.tasks(Log(lab.path)))
    print(cost, flush=True)
    if cost.seconds is not None and lab.processes > 1 and lab.ray is None:
        print(f"About {spelled(cost.seconds / lab.processes)} in {lab.processes} processes.", flush=True)
    if options.dry_run:
        return 0
    done = lab.sweep(plan)
    report(done, options)
    return _ended(done)


def report(done: Done, options: argparse.Namespace) -> None:
    """The table, what stands in for right answers, and the files that were asked for."""
    rows = summarise(done.lines)
    if not rows:
        for sentence in dict.fromkeys(line.refused for line in done.lines):
            print(sentence, file=sys.stderr)
        raise ValueError("nothing was measured yet: there is nothing to report")
    by = options.by or value_of(rows)
    print(as_text(rows, front(rows, "flops", by)))
    sure = "Intervals: 95 %, by video" if rows[0].has_interval else f"No interval: under {FEWEST_VIDEOS} videos"
    print(f"* on the Pareto front of {by} against FLOPs. {sure}.")
    try:
        for own in fidelity(done.lines):
            rank = "no order" if own.rank is None else f"{own.rank:+.2f} ({own.low:+.2f} to {own.high:+.2f})"
            print(f"Rank correlation of {own.stand_in} with right answers over {own.num_settings} settings: {rank}")
    except ValueError:
        pass  # too few settings, or right answers are not known
    for path in options.export:
        print(f"Wrote {written(done.lines, path)}")
    if options.json:
        options.json.write_text(as_json(rows), encoding="utf-8")
    if options.chart:
        chart.save(chart.draw(rows, by), options.chart)


def value_of(rows: list[Row]) -> str:
    """Accuracy where it is known of all rows, else agreement."""
    return "accuracy" if all(row.accuracy for row in rows) else "agreement"


def _ended(done: Done) -> int:
    refused = {line.refused for line in done.lines if line.refused}
    for sentence in sorted(refused)[:5]:
        print(f"Refused: {sentence}", file=sys.stderr)
    for own in dict.fromkeys(f"{one.setting}: {one.why}" for one in done.failed):
        print(f"Broke, and will be tried again by the same command: {own}", file=sys.stderr)
    return int(bool(done.failed))
