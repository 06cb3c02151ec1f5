"""PageRank section: the results as Markdown, with sentences that the numbers decide."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from aim_core.config import LinearSchedule
from aim_core.ops.flops import pagerank_flops, prefill_flops
from training.lab import pagerank_position_words as position
from training.lab.pagerank_chart import CONVERGENCE, TIME
from training.lab.pagerank_video import (
    ANOTHER,
    DTYPES,
    LAST,
    PAGERANK,
    RECEIVED,
    REWORDED,
    SETTINGS,
    TELEPORT,
)
from training.tables import table_row

SAME = 0.95  # agreement beyond chance from which on sets count as the same
NEAR = 0.8  # and as nearly the same
MORE = 1.25  # a share is more than another from so many times it on
QWEN2_7B = {"hidden": 3584, "kv": 512, "intermediate": 18944}


def section(report: dict[str, Any]) -> str:
    """Four parts, each with what it found in bold."""
    early, *released = report["position"]
    where = " and ".join(f"layer {cut['layer']} ({cut['k']} stay)" for cut in released)
    about = (
        f"On the attention of the embedded model over {report['num_videos']} held-out videos of the wide world, "
        f"weights `{report['weights'][:12]}…`: 8 frames merged to a quarter, {early['num_visual']} visual tokens. A "
        f"layer keeps its own number of them: {where} under the released schedule scaled to this depth, and layer "
        f"{early['layer']} ({early['k']} stay) where an eighth is kept from layer {early['layer'] + 1} on. Every "
        "layer is scored on the attention of a prefill in which nothing is pruned. *Agreement* of two kept sets is "
        "what they share beyond chance: 1 for the same tokens, 0 for as many as sets drawn at random share. Brackets "
        "are 95 % intervals that draw whole videos."
    )
    return "\n\n".join([about, _time(report), _convergence(report), _stability(report), position.part(report)])


def _time(report: dict[str, Any]) -> str:
    rows = [100 + count for count in LinearSchedule(14, 22).tokens_entering(1568, 28)]
    scored, dense = rows[14:22], prefill_flops(rows, **QWEN2_7B)
    steps, all_of_it = pagerank_flops(scored, 28), pagerank_flops(scored, 28, q=QWEN2_7B["hidden"])
    head = ["shape", "tokens in", "layers that score", "of their operations", "whole prefill", "of its operations"]
    lines = [
        "### What it costs",
        "",
        "The paper says 4.18 G for pruning. 16 operations for each head and pair of tokens (temperature 1, softmax 5, "
        f"five steps 2 each) over its 8 layers give {steps / 1e9:.2f} G. That leaves out the product of query and key, "
        f"which an attention kernel keeps to itself: with it {all_of_it / 1e9:.1f} G, {_percent(all_of_it / dense, 2)} "
        f"of the prefill's {dense / 1e12:.2f} T.",
        "",
        f"**{time_verdict(report['time'])}**",
        "",
        f"![PageRank's share of a layer's time against the tokens in the layer](../{TIME.as_posix()})",
        "",
        "*Dots: one layer at one length. Dashed: its share of the counted operations.*",
        "",
        table_row(head),
        table_row(["---"] * len(head)),
        *(table_row(_time_cells(one["shape"], run)) for one in report["time"] for run in one["runs"]),
        "",
        f"Ratios of medians over {report['time'][0]['runs'][0]['repeats']} prefills of each length in turns, of one "
        "thread's processor time in float32; the machine had other work beside it, which shares its caches: trust them "
        "to about a fifth. Nothing is merged; the embedded model has its released schedule, of the large shape (random "
        "weights) all layers but the last score. Whole models of that shape are in [benchmarks](benchmarks.md).",
    ]
    return "\n".join(lines)


def _time_cells(shape: str, run: dict[str, Any]) -> list[str]:
    scored = [at for at, share in enumerate(run["flops"]) if share]
    spans = [" to ".join(_percent(run[name][at]) for at in (scored[0], scored[-1])) for name in ("time", "flops")]
    return [shape, f"{run['rows'][0]:,}", *spans, _percent(run["whole_time"]), _percent(run["whole_flops"])]


def time_verdict(times: list[dict[str, Any]]) -> str:
    """In the first layer that scores, from the shortest to the longest prompt."""
    told = []
    for one in times:
        short, long = one["runs"][0], one["runs"][-1]
        layer = next(at for at, share in enumerate(long["flops"]) if share)
        told.append(
            f"{one['shape']} from {_percent(short['time'][layer])} at {short['rows'][layer]:,} tokens to "
            f"{_percent(long['time'][layer])} at {long['rows'][layer]:,}, "
            f"{_beside(long['time'][layer], long['flops'][layer])}"
        )
    return f"PageRank's share of the time of the first layer that scores: {'; '.join(told)}."


def _beside(time: float, flops: float) -> str:
    if time > MORE * flops:
        return f"more than the {_percent(flops)} of its operations"
    if MORE * time < flops:
        return f"less than the {_percent(flops)} of its operations"
    return f"about as its operations say ({_percent(flops)})"


def _convergence(report: dict[str, Any]) -> str:
    own = report["convergence"]
    at = own["iterations"].index
    kept, first = own["mean"]["kept"], own["mean"]["first"]
    lines = [
        "### Whether five iterations are enough",
        "",
        "Released PageRank has no teleport. A causal row reaches itself and earlier rows only, so the exact end of its "
        "steps, whatever the attention says, is all mass on the prompt's first token. There lies "
        f"{_share(first[at(1)])} of it after 1 step, {_share(first[at(5)])} after 5 and {_share(first[at(100)])} after "
        f"100 (mean over layers): in {_percent(own['traps'], 0)} of the layers some token pays itself more than 99.9 % "
        "and hardly lets go of what it has. So the number of steps is no precision, it is a setting.",
        "",
        f"**{convergence_verdict(own)}**",
        "",
        f"With a teleport share of {TELEPORT} there is an end that ranks all tokens, solved exactly in float64: after "
        f"5 steps the kept third agrees with it to {_value(own['end'])}, at an L1 distance of "
        f"{_value(own['distance'])}. The released ranking agrees with that end to {_value(own['released'])}: "
        f"{teleport_verdict(own)}.",
        "",
        f"![Mass on the first token, and agreement of the kept third, by iterations](../{CONVERGENCE.as_posix()})",
        "",
        table_row(["iterations", *own["iterations"]]),
        table_row(["---"] * (1 + len(own["iterations"]))),
        table_row(["agreement with 5", *(f"{one['value']:.2f}" for one in kept)]),
        table_row(["mass on the first token", *(f"{one['value']:.2f}" for one in first)]),
    ]
    return "\n".join(lines)


def convergence_verdict(own: dict[str, Any]) -> str:
    """Whether a next step, or many, keep other tokens."""
    kept = dict(zip(own["iterations"], own["mean"]["kept"], strict=True))
    told = f"its agreement with the kept third of 5 is {_value(kept[6])} after 6 and {_value(kept[100])} after 100"
    if kept[100]["low"] >= SAME:
        return f"The kept set has settled after 5 iterations: {told}."
    if kept[6]["low"] >= SAME:
        return f"One more iteration changes little, many change the kept set: {told}."
    return f"The kept set has not settled after 5 iterations: {told}."


def teleport_verdict(own: dict[str, Any]) -> str:
    if own["released"]["low"] >= NEAR:
        return "a teleport would keep nearly the same tokens"
    return "a teleport is another ranking, not a quicker way to the same"


def _stability(report: dict[str, Any]) -> str:
    cuts = report["stability"]
    own = [cut["scorers"][PAGERANK] for cut in cuts]
    head = ["kept set of PageRank beside", *(f"layer {cut['layer']}, {cut['k']} stay" for cut in cuts)]
    rows = [(name, [one[name] for one in own]) for name in (*DTYPES, REWORDED, ANOTHER, *SETTINGS, RECEIVED, LAST)]
    others = [
        (f"*{scorer}*: {name}", [cut["scorers"][scorer][name] for cut in cuts])
        for scorer in (RECEIVED, LAST)
        for name in (*DTYPES, REWORDED, ANOTHER)
    ]
    lines = [
        "### What moves the kept set",
        "",
        f"**{question_verdict(cuts)}**",
        "",
        f"**{settings_verdict(own)}**",
        "",
        table_row(head),
        table_row(["---"] * len(head)),
        *(table_row([name, *map(_value, values)]) for name, values in (*rows, *others)),
        "",
        "Released: temperature 0.1, 5 iterations, no teleport. *bfloat16* and *float16* round query, key and their "
        "products, as eager attention has them in such a model. The last rows compare the other scorers with "
        "themselves. A random ranking has 0 everywhere.",
    ]
    return "\n".join(lines)


def question_verdict(cuts: list[dict[str, Any]]) -> str:
    """How far the question decides."""
    mean = {name: _mean(cut["scorers"][name][ANOTHER]["value"] for cut in cuts) for name in (PAGERANK, RECEIVED, LAST)}
    told = (
        f"asked another question about the same video, PageRank agrees with itself to {mean[PAGERANK]:.2f}, attention "
        f"received to {mean[RECEIVED]:.2f}, the last token's attention to {mean[LAST]:.2f} (means of three layers)"
    )
    if mean[PAGERANK] < NEAR:
        return f"What PageRank keeps depends on the question: {told}."
    return (
        f"What PageRank keeps hardly depends on the question: {told}. The video's rows stand before the question and "
        "never see it; only the few rows behind them can vote by it."
    )


def settings_verdict(own: list[dict[str, Any]]) -> str:
    """What rounding does, and which setting does most."""
    mean = {name: _mean(one[name]["value"] for one in own) for name in (*DTYPES, *SETTINGS)}
    rounded, least = min(mean[name] for name in DTYPES), min(SETTINGS, key=lambda name: mean[name])
    rounding = "Rounding changes next to nothing" if rounded >= SAME else "Rounding alone changes the kept set"
    return (
        f"{rounding} (agreement {rounded:.2f} or more); of the settings, {least} moves it most ({mean[least]:.2f}), "
        f"and temperature 0.2 instead of 0.1 leaves {mean['temperature 0.2']:.2f}."
    )


def _value(one: dict[str, float]) -> str:
    return f"{one['value']:.2f} ({one['low']:.2f} to {one['high']:.2f})"


def _share(one: dict[str, float]) -> str:
    return _percent(one["value"], 0)


def _percent(share: float, digits: int = 1) -> str:
    return f"{100 * share:.{digits}f} %"


def _mean(values: Iterable[float]) -> float:
    own = list(values)
    return sum(own) / len(own)
