"""Comparison table: tokens, FLOPs and times of dense and of AIM, side by side in Markdown."""

from __future__ import annotations

from aim_core.ops.flops import FORMULA
from aim_core.result import Result
from page.i18n import strings
from page.state.store import settings_of
from page.times import ratio, spent


def flops(count: float) -> str:
    """1.23 TFLOPs, 45.6 GFLOPs, 7.89 MFLOPs."""
    for unit, size in (("T", 1e12), ("G", 1e9), ("M", 1e6)):
        if count >= size:
            return f"{count / size:.3g} {unit}FLOPs"
    return f"{count:.0f} FLOPs"


def kv_size(count: int) -> str:
    """Bytes as 1.23 GiB, 45.6 MiB, 7.89 KiB."""
    for unit, size in (("GiB", 2**30), ("MiB", 2**20)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count / 2**10:.3g} KiB"


def comparison(dense: Result, aim: Result, timed_prefills: int) -> str:
    """A table of tokens, FLOPs and milliseconds, with how each was got.

    timed_prefills: how many prefills each time is the median of; 0 where the two were not timed side by side.
    """
    full, less = dense.cost, aim.cost
    means = _mean(full.visual_per_layer), _mean(less.visual_per_layer)
    names = strings().COMPARISON_ROWS
    rows = [
        (
            names["first"],
            f"{full.visual_per_layer[0]:,}",
            f"{less.visual_per_layer[0]:,}",
            times(full.visual_per_layer[0], less.visual_per_layer[0]),
        ),
        (names["mean"], f"{means[0]:,.0f}", f"{means[1]:,.0f}", times(*means)),
        (
            names["language"],
            flops(full.language_flops),
            flops(less.language_flops),
            times(full.language_flops, less.language_flops),
        ),
        (
            names["vision"],
            flops(full.vision_flops),
            flops(less.vision_flops),
            times(full.vision_flops, less.vision_flops),
        ),
        (
            names["both"],
            f"{flops(full.total_flops)}; {full.vision_share:.0%}",
            f"{flops(less.total_flops)}; {less.vision_share:.0%}",
            times(full.total_flops, less.total_flops),
        ),
    ]
    if full.audio_per_layer and less.audio_per_layer:
        rows[2:2] = _heard(full.audio_per_layer, less.audio_per_layer)
    if timed_prefills:
        rows = [*_timed(dense, aim), *rows]
    lines = [strings().COMPARISON_HEAD, "|---|---:|---:|---:|"]
    lines += [f"| {name} | {first} | {second} | {ratio} |" for name, first, second, ratio in rows]
    note = f"{strings().COMPARISON_HOW.format(formula=FORMULA)} {_how(timed_prefills)}"
    return "\n".join([*lines, "", f"*{note}*"])


def summary(runs: dict[str, Result]) -> dict:
    """The same for programs: numbers and answers, by the names of the runs.

    Times in milliseconds, one for each turn in which dense and AIM were timed; empty where they were not.
    first_word_ms: from the frames to the first word. prefill_ms: the part after the vision encoder, merging included.
    """
    return {name: _record(result) for name, result in runs.items()}


def times(more: float, less: float) -> str:
    return f"{more / less:.1f}×" if less else "–"


def _heard(full: tuple[int, ...], less: tuple[int, ...]) -> list[tuple[str, str, str, str]]:
    """Rows of audio tokens, dense and with AIM."""
    names, means = strings().COMPARISON_ROWS, (_mean(full), _mean(less))
    first = (names["audio_first"], f"{full[0]:,}", f"{less[0]:,}", times(full[0], less[0]))
    return [first, (names["audio_mean"], f"{means[0]:,.0f}", f"{means[1]:,.0f}", times(*means))]


def _timed(dense: Result, aim: Result) -> list[tuple[str, str, str, str]]:
    """Rows of times: to the first word, where that was timed, and of the prefill alone."""
    names = strings().COMPARISON_ROWS
    rows = [
        (names["first_word"], [run.timing.first_words_ms for run in (dense, aim)]),
        (names["time"], [run.timing.runs_ms or (run.timing.prefill_ms,) for run in (dense, aim)]),
    ]
    return [(name, spent(full), spent(less), ratio(full, less)) for name, (full, less) in rows if full and less]


def _how(timed_prefills: int) -> str:
    """How the times were measured, in one sentence."""
    return strings().TIMED.format(turns=timed_prefills) if timed_prefills else strings().NOT_TIMED


def _mean(counts: tuple[int, ...]) -> float:
    return sum(counts) / len(counts)


def _record(result: Result) -> dict:
    heard = {"audio_tokens_per_layer": list(result.cost.audio_per_layer)} if result.cost.audio_per_layer else {}
    return {
        "answer": result.answer,
        "keep_ratio": settings_of(result).keep_ratio,
        "visual_tokens_per_layer": list(result.cost.visual_per_layer),
        "text_tokens": result.cost.num_text,
        "language_flops": result.cost.language_flops,
        "vision_flops": result.cost.vision_flops,
        "first_word_ms": [round(ms, 3) for ms in result.timing.first_words_ms],
        "prefill_ms": [round(ms, 3) for ms in result.timing.runs_ms],
    } | heard
