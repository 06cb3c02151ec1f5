"""Low-bit weights: bfloat16, 8 and 4 bits beside full precision, dense and with AIM: answers, kept tokens, time."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from aim_core.comparison import compare
from aim_core.config import AimConfig
from aim_core.engine import Engine
from aim_core.low_bits import num_bytes
from aim_core.result import Result
from aim_core.trace import Trace
from aim_lab.code import DENSE, code_hash
from aim_lab.documents import Document, is_right
from aim_lab.intervals import difference_over_questions, mean_over_questions
from aim_lab.log import LineLog
from aim_lab.measure import EVERY_RUN, Model
from training.answering import MAX_NEW_TOKENS, aim_config
from training.eval_sets import NUM_FRAMES
from training.lab.experiment import Options
from training.lab.items import documents
from training.tables import percent, table_row

TITLE = "Weights in 16, 8 and 4 bits, with and without AIM"
FORMATS = {  # name → dtype and weights, the first in full precision
    "float32": ("float32", "full"),
    "bfloat16": ("bfloat16", "full"),
    "8-bit weights in float32": ("float32", "int8"),
    "4-bit weights in bfloat16": ("bfloat16", "int4"),
}
METHODS = {DENSE: "dense", "aim": "AIM"}
CODE = (*EVERY_RUN, "training.answering", "training.eval_sets")  # the latter have AIM's settings, frames and words
VIDEOS = 60
TURNS = 5  # prefills of each that are timed, on the first question
HEAD = ("weights", "run", "right, %", "right less float32, points", "same answer, %", "KL", "kept alike, %", "prefill")


@dataclass(frozen=True)
class Seen:
    """One question under one format and method, beside the same method in full precision.

    code:  of what runs, see `code_hash`; weights: the model's hash; kept: share of the patches that AIM keeps in a
           layer in full precision which it keeps here too, the mean of the layers that it prunes; None for dense.
    kl:    of full precision's and its distribution of the first token, in nats.
    """

    code: str
    weights: str
    video: str
    question: str
    form: str
    method: str
    is_right: bool
    is_same: bool
    kl: float
    kept: float | None

    @property
    def key(self) -> tuple[str, ...]:
        return self.code, self.weights, self.video, self.question, self.form, self.method


def measure(options: Options) -> dict[str, Any]:
    """Raises ValueError if the time ends before the first question is done."""
    models = {name: Model(options.model, "cpu", *own) for name, own in FORMATS.items()}
    engines = {name: model.load() for name, model in models.items()}
    log = LineLog(options.lab.path, lambda line: Seen(**line))
    asked, done = documents("held_out", options.part(VIDEOS)), []
    for document in asked:
        if options.lab.stop():
            break
        done += _of_question(engines, document, models["float32"].weights_hash(), log)
    if not done:
        raise ValueError("the time was over before the first question was done")
    return {
        "rows": _rows(done),
        "bytes": {name: sum(map(num_bytes, own.adapter.model.parameters())) for name, own in engines.items()},
        "prefill_ms": _times(engines, asked[0]),
    }


def _of_question(engines: dict[str, Engine], document: Document, weights: str, log: LineLog[Seen]) -> Iterator[Seen]:
    """From the log what is there, and the rest measured."""
    for method in METHODS:
        about = (code_hash(method, CODE), weights, document.clip.content(), document.question)
        keys = {form: (*about, form, method) for form in engines}
        if not all(key in log for key in keys.values()):
            runs = {form: _run(engine, document, method) for form, engine in engines.items()}
            full = next(iter(runs.values()))
            for form, run in runs.items():
                if keys[form] not in log:
                    log.add(Seen(*keys[form], **_beside(run, full, document.wanted)))
        yield from (log[key] for key in keys.values())


def _run(engine: Engine, document: Document, method: str) -> Result:
    config = AimConfig.dense() if method == DENSE else aim_config(engine.num_layers)
    frames = document.clip.frames(NUM_FRAMES)
    return engine.run(frames, document.question, config=config, max_new_tokens=MAX_NEW_TOKENS)


def _beside(run: Result, full: Result, wanted: str) -> dict[str, Any]:
    return {
        "is_right": is_right(run.answer, wanted),
        "is_same": run.answer == full.answer,
        "kl": round(compare(full.first_token_logprobs, run.first_token_logprobs).kl, 6),
        "kept": kept_alike(full.trace, run.trace),
    }


def kept_alike(full: Trace, other: Trace) -> float | None:
    """Share of the patches behind the tokens that one run lets into a layer which the other lets in too, the mean of
    the layers that some enter and some do not; None where there is no such layer."""
    shares = []
    for layer in range(full.num_layers):
        ours = full.alive(layer)
        if 0 < ours.sum() < full.num_patches:
            shares.append(float((ours & other.alive(layer)).sum() / ours.sum()))
    return statistics.fmean(shares) if shares else None


def _rows(done: Sequence[Seen]) -> list[dict[str, Any]]:
    """One of each format and method, with intervals that draw whole videos."""
    found = []
    for method in METHODS:
        of_method = [one for one in done if one.method == method]
        full = np.array([one.is_right for one in of_method if one.form == "float32"])
        for form in FORMATS:
            own = [one for one in of_method if one.form == form]
            right, same = (np.array([getattr(one, name) for one in own]) for name in ("is_right", "is_same"))
            kept = [one.kept for one in own if one.kept is not None]
            found.append(
                {
                    "form": form,
                    "method": method,
                    "n": len(own),
                    "num_videos": len({one.video for one in own}),
                    "right": _interval(mean_over_questions(right, own)),
                    "gap": _interval(difference_over_questions(right, full, own)),
                    "same": _interval(mean_over_questions(same, own)),
                    "kl": statistics.fmean(one.kl for one in own),
                    "kept": statistics.fmean(kept) if kept else None,
                }
            )
    return found


def _interval(found: tuple[float, float, float]) -> dict[str, float]:
    return dict(zip(("value", "low", "high"), map(float, found), strict=True))


def _times(engines: dict[str, Engine], document: Document) -> dict[str, dict[str, list[float]]]:
    """Milliseconds of TURNS prefills by format and method, each once in every turn, after one that does not count."""
    frames = document.clip.frames(NUM_FRAMES)
    found: dict[str, dict[str, list[float]]] = {form: {method: [] for method in METHODS} for form in engines}
    for turn in range(TURNS + 1):
        for form, engine in engines.items():
            configs = [AimConfig.dense(), aim_config(engine.num_layers)]
            asked = {"configs": configs, "repeats": 1, "warm": 0, "vision": False}
            for method, times in zip(METHODS, engine.time_prefills(frames, document.question, **asked), strict=True):
                if turn:
                    found[form][method].append(round(times.ms[0], 3))
    return found


def section(report: dict[str, Any]) -> str:
    """What is compared, the table, and what it says."""
    rows, sizes = report["rows"], report["bytes"]
    weights = "; ".join(f"{name} {size / 1e6:.2f} MB" for name, size in sizes.items())
    lines = [
        f"{rows[0]['n']} questions about {rows[0]['num_videos']} videos. Each format is compared with float32 under "
        "the same method: the share of the same answers, KL of the first token's distribution in nats, and for AIM the "
        "share of the patches kept by float32 in a pruned layer that are kept here too. In 8 and 4 bits are the "
        "matrices of the language model's layers ([how](low_bits.md)); tower, projector, embeddings and head stay. "
        f"Weights in memory: {weights}.",
        "",
        table_row(HEAD),
        table_row(["---"] * len(HEAD)),
        *(table_row(_cells(row, report["prefill_ms"])) for row in rows),
        "",
        "*Prefill: median milliseconds, and as a multiple of float32 under the same method, the median of those taken "
        "side by side; one thread of a busy machine. This model is narrow: "
        "at [a released model's widths](low_bits.md#speed) the bits count otherwise.*",
        "",
        *(f"**{_verdict(method, rows)}**\n" for method in METHODS),
    ]
    return "\n".join(lines).rstrip()


def _cells(row: dict[str, Any], times: dict[str, dict[str, list[float]]]) -> list[Any]:
    own, full = times[row["form"]][row["method"]], times["float32"][row["method"]]
    ratio = statistics.median(one / other for one, other in zip(own, full, strict=True))
    return [
        row["form"],
        METHODS[row["method"]],
        percent(row["right"]),
        "–" if row["form"] == "float32" else _points(row["gap"]),
        percent(row["same"]),
        f"{row['kl']:.4f}",
        "–" if row["kept"] is None else f"{100 * row['kept']:.1f}",
        f"{statistics.median(own):,.0f} ms ({ratio:.2f}×)",
    ]


def _points(gap: dict[str, float]) -> str:
    return f"{100 * gap['value']:+.1f} ({100 * gap['low']:+.1f} to {100 * gap['high']:+.1f})"


def _verdict(method: str, rows: Sequence[dict[str, Any]]) -> str:
    """Which formats are surely worse, or better, than float32, and that no others are."""
    own = [row for row in rows if row["method"] == method and row["form"] != "float32"]
    sure = [row for row in own if row["gap"]["low"] > 0 or row["gap"]["high"] < 0]
    name = METHODS[method]
    if not sure:
        return f"{name}: no format is surely better or worse than float32."
    told = [f"{row['form']} {'better' if row['gap']['low'] > 0 else 'worse'} by {_points(row['gap'])}" for row in sure]
    return f"{name}: surely other than float32 are {'; '.join(told)}."
