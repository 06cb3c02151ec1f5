"""PageRank under the microscope: its time, its convergence, what moves its kept sets, and what position decides."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from aim_core.config import AimConfig, LinearSchedule
from aim_core.methods.aim import MergeSimilar, PageRank
from aim_core.methods.base import Method, Schedule
from aim_core.ops.flops import prefill_flops
from aim_core.weights import weights_hash
from aim_lab.code import DENSE, code_hash
from aim_lab.log import LineLog
from aim_lab.sweep import Until
from benchmarks.layer_share import in_turns, shares
from benchmarks.shapes import HALF_BILLION, Shape, random_model, random_prompt
from training.eval_sets import NUM_FRAMES, Item
from training.findings.settings import NUM_TEXT
from training.lab import pagerank_chart as chart
from training.lab import pagerank_report as report_of
from training.lab.experiment import RUNS, Options
from training.lab.items import PER_VIDEO, questions_of
from training.lab.pagerank_video import cuts, load, look
from training.lab.pagerank_words import section

__all__ = ["TITLE", "measure", "section"]

TITLE = "PageRank under the microscope"
GOAL = 160  # videos
CODE = ("training.lab.pagerank_video", "training.lab.items")  # modules: what is looked at, and which questions
LENGTHS = (500, 1500, 3000, 6000)  # visual tokens, about
SIDE = 10  # tokens of a frame's row where time is measured
REPEATS = 3
LAYERS = 4  # of a large shape's: a layer's time depends on its rows alone


@dataclass(frozen=True)
class Line:
    """What was found on a video. weights, code: hashes of what it hangs on; video: its number in the held-out set."""

    weights: str
    code: str
    video: int
    found: dict[str, Any]

    @property
    def key(self) -> tuple[str, str, int]:
        return self.weights, self.code, self.video


def measure(options: Options) -> dict[str, Any]:
    """All four parts. Raises ValueError if the time ends before a second video."""
    videos = [items[:PER_VIDEO] for items in questions_of("held_out", options.part(GOAL))]
    found = looked(options, videos)
    if len(found) < 2:
        raise ValueError("the time ended before two videos were looked at: give it more minutes")
    report = together(found, options.model) | {"weights": weights_hash(Path(options.model))}
    report["time"] = times(options.model)
    chart.draw(report)
    return report


def together(found: Sequence[report_of.Found], model: str) -> dict[str, Any]:
    """The report on these videos, without the time that PageRank takes."""
    adapter = load(model)
    num_visual = found[0]["answers"]["nothing pruned"]["counts"][0]
    places = cuts(num_visual, adapter.num_layers)
    return {
        "num_videos": len(found),
        "convergence": report_of.convergence(found),
        "stability": report_of.stability(found, places),
        "position": report_of.position(found, places, num_visual, NUM_FRAMES),
        "answers": report_of.answers(
            found, lambda counts: prefill_flops([n + NUM_TEXT for n in counts], **adapter.sizes)
        ),
    }


def looked(options: Options, videos: Sequence[Sequence[Item]]) -> list[dict[str, Any]]:
    """What `look` says of these videos, as far as the log has it once the time is over."""
    weights, code = weights_hash(Path(options.model)), code_hash(DENSE, CODE)
    log, stop = LineLog(RUNS / f"{options.name}.jsonl", lambda row: Line(**row)), Until(options.minutes)
    missing = [items for items in videos if (weights, code, items[0].video) not in log]
    with _each(options.processes) as each, tqdm(total=len(missing), disable=None, unit="video") as bar:
        for items, found in zip(missing, each(partial(look, options.model), missing), strict=True):
            log.add(Line(weights, code, items[0].video, found))
            bar.update()
            if stop():
                break
    lines = [log.get((weights, code, items[0].video)) for items in videos]
    return [line.found for line in lines if line is not None]


@contextmanager
def _each(processes: int) -> Iterator[Callable[..., Any]]:
    """What maps a function, in this process or in several others."""
    if processes == 1:
        yield map
        return
    with get_context("spawn").Pool(processes, torch.set_num_threads, (1,)) as pool:
        yield pool.imap


def times(
    model: str, lengths: Sequence[int] = LENGTHS, repeats: int = REPEATS, large: Shape = HALF_BILLION
) -> list[dict[str, Any]]:
    """PageRank's share in prefills of each length on a CPU, nothing merged: of the embedded model by its own schedule,
    and of LAYERS layers of a large shape with random weights, where all but the last score."""
    own = load(model)
    shapes: list[tuple[str, Any, Schedule]] = [
        ("the embedded model", own, AimConfig.for_depth(own.num_layers).schedule),
        (f"{LAYERS} layers of {large.name}", random_model(large, LAYERS), LinearSchedule(0, LAYERS)),
    ]
    return [{"shape": name, "runs": _runs(adapter, schedule, lengths, repeats)} for name, adapter, schedule in shapes]


def _runs(adapter: Any, schedule: Schedule, lengths: Sequence[int], repeats: int) -> list[dict[str, Any]]:
    frames = {max(1, round(length / SIDE**2)): length for length in lengths}
    prompts = {length: random_prompt(adapter, count, SIDE, NUM_TEXT + 14) for count, length in frames.items()}
    method = Method("prune", MergeSimilar(1.0), schedule, PageRank())
    found = in_turns(adapter, prompts, method, repeats)
    return [{"repeats": repeats} | shares(adapter, runs) for runs in found.values()]
