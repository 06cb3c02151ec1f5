"""Solve command: from a limit or a share of the dense model to a setting, and how it does on other questions."""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Mapping, Sequence

from aim_core.workload import Workload
from aim_lab import chart
from aim_lab.commands import Lab
from aim_lab.documents import Document, read_documents
from aim_lab.estimate import workload_of
from aim_lab.export import as_text, plain_json
from aim_lab.line import Line
from aim_lab.measure import Recipe
from aim_lab.milliseconds import REPEATS, clock
from aim_lab.race import Measure
from aim_lab.settings import Setting
from aim_lab.shell import Limit
from aim_lab.solver import Check, Solution, best_within, cheapest_as_good, check
from aim_lab.sweep import Plan


def solve(options: argparse.Namespace) -> int:
    """0; what a user can mend is raised."""
    lab, documents = Lab.of(options), in_fair_order(read_documents(options.questions))
    others = read_documents(options.check) if options.check else []
    _apart(documents, others)
    by = options.by or ("accuracy" if all(own.wanted for own in [*documents, *others]) else "agreement")
    recipe = Recipe.of(lab.model, lab.engine, reference=max(options.frames), max_new_tokens=options.max_new_tokens)
    measure = measure_by(lab, recipe)
    workloads = {count: workload_of(lab.engine, documents[0], count) for count in options.frames}
    found = _solution(options, lab, workloads, documents, measure, by)
    shown = found.rows
    if shown:
        print(as_text(shown, [row for row in shown if row.setting == found.choice]))
    print(f"Choice for {found.goal}: {found.choice}\n{found.why}")
    if options.ms is not None:
        print(f"One prefill of it takes {_ms(lab, found.choice, documents[0]):.1f} ms here.")
    for sentence in found.left_out:
        print(f"Left out: {sentence}")
    checked = check(found, max(options.frames), others, measure) if others else None
    if checked:
        print(f"On {checked.rows[0].n} other questions:\n{as_text(checked.rows)}\n{told(checked)}")
    if options.json:
        options.json.write_text(
            plain_json(found.as_dict() | {"check": checked and checked.as_dict()}), encoding="utf-8"
        )
    if options.chart and shown:
        chart.save(chart.draw(shown, by), options.chart)
    return 0


def in_fair_order(documents: Sequence[Document]) -> list[Document]:
    """Video by video, by the hash of what they show, so that a file's own order, such as by subject, plays no part."""
    return sorted(documents, key=lambda own: own.clip.content())


def _ms(lab: Lab, setting: Setting, document: Document) -> float:
    """Median of prefills of a setting that was chosen."""
    frames = document.clip.frames(setting.num_frames)
    configs = [setting.build()]
    (times,) = lab.engine.time_prefills(frames, document.question, configs=configs, repeats=REPEATS, vision=False)
    return statistics.median(times.ms)


def _apart(documents: Sequence[Document], others: Sequence[Document]) -> None:
    both = {own.clip.content() for own in documents} & {own.clip.content() for own in others}
    if both:
        raise ValueError(f"{len(both)} videos are among those to choose by and those to check on: keep them apart")


def measure_by(lab: Lab, recipe: Recipe) -> Measure:
    """Settings on documents, as a sweep that goes on where it stood. Raises ValueError if it could not end."""

    def measure(settings: Sequence[Setting], documents: Sequence[Document]) -> list[Line]:
        plan = Plan(tuple(documents), tuple(settings), recipe)
        done = lab.sweep(plan)
        if done.failed:
            raise ValueError(f"{len(done.failed)} cells broke, the first by {done.failed[0].why}: run it again")
        if done.num_missing:
            raise ValueError("The time is over: the same command goes on where it stood.")
        return done.lines

    return measure


def _solution(
    options: argparse.Namespace,
    lab: Lab,
    workloads: Mapping[int, Workload],
    documents: Sequence[Document],
    measure: Measure,
    by: str,
) -> Solution:
    if options.of_dense is not None:
        return cheapest_as_good(options.of_dense, workloads, documents, measure, by, options.methods, print)
    if options.tflops is not None:
        limit, goal = Limit(options.tflops * 1e12), f"at most {options.tflops:g} TFLOPs"
    elif options.kv_mib is not None:
        limit, goal = Limit(options.kv_mib * 2**20, "kv"), f"at most {options.kv_mib:g} MiB of KV cache"
    else:
        own = clock(lab.engine, documents[0], workloads)
        limit = Limit(own.flops(options.ms))
        goal = f"at most {options.ms:g} ms"
        print(
            f"{own.fixed:.1f} ms and {own.per_gflop:.2f} ms for each GFLOP, to {own.miss:.0%}: "
            f"{options.ms:g} ms are {limit.most / 1e9:,.2f} GFLOPs."
        )
    return best_within(limit, goal, workloads, documents, measure, by, options.methods, options.most)


def told(checked: Check) -> str:
    """What the choice has more than the default and the dense model, in a sentence."""
    said = []
    for name, gap in (("the released schedule", checked.beside_default), ("the dense model", checked.beside_dense)):
        if gap is not None:
            said.append(f"{100 * gap.value:+.1f} points ({100 * gap.low:+.1f} to {100 * gap.high:+.1f}) beside {name}")
    return "The choice: " + ", ".join(said) + "."
