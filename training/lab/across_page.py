"""Across page: what merging across frames and pruning text came to, in sentences that the numbers decide."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from training.lab.across_chart import NAMES, PATH
from training.lab.equal_cost import ACROSS, TEXT, WITHIN
from training.tables import percent, table_row

Numbers = dict[str, Any]
PARTS = {
    "all": "all held-out videos",
    "moving": "the half that changes more",
    "calm": "the half that changes less",
    "still": "videos in which nothing moves",
}
SPLIT = ("moving", "calm", "still")
HEAD = ("merged", "of the FLOPs", "tokens a frame", "right, %", "beside AIM", *(f"… {PARTS[own]}" for own in SPLIT))
TEXT_HEAD = ("frames", "text", "of the FLOPs", "tokens a frame", "right, %", "beside AIM")


def section(report: Numbers) -> str:
    """What was asked, the chart, the verdicts, then all numbers."""
    verdicts = [*variant_verdicts(report["pooled"]), _where_nothing_moves(report["pooled"])]
    parts = [
        _about(report),
        f"![Points that each way to merge has more or less than AIM's own, by videos, frames and cost](../{PATH})",
        "*Points of right answers beside AIM, which merges inside frames, at the same FLOPs; bars are 95 % intervals, "
        "whole videos drawn; of so many, one in twenty misses its number by chance.*",
        "\n".join(f"- {line}" for line in verdicts),
        *(_table(report["rows"], count) for count in report["frames"]),
        "### Text pruned too",
        text_verdict({row["variant"]: row["gap"] for row in report["text_pooled"]}.get(TEXT)),
        _text_table(report["text"]),
    ]
    return "\n\n".join(parts)


def _about(report: Numbers) -> str:
    told = {name: f"{number} questions about {videos} videos" for name, (number, videos) in report["asked"].items()}
    return (
        "AIM merges inside each frame; its paper leaves open what merging across frames does. Here its own rule is "
        "applied to the tokens of all frames together (`across_frames`), place by place through time, so that tokens "
        "of even frames join those of odd ones: at any place, or at the same place alone; or half inside frames and "
        "then across, each keeping the square root of the share. All keep as many tokens and prune as AIM does; ToMe "
        "over all frames and DyCoke only merge, and cost the same FLOPs. **Merging inside frames is at home on this "
        "model**: its training saw frames merged that way, and none merged across.\n\n"
        f"Held-out videos of the wide world ({told['all']}), halved by how much a pixel changes from frame to frame "
        f"(middle: {report['change']:.1f} of 255), and others of the same world in which neither things nor camera "
        f"move ({told['still']}). Weights `{report['weights'][:12]}…`."
    )


def variant_verdicts(pooled: Sequence[Numbers]) -> list[str]:
    """A sentence for each way to merge, over all budgets and numbers of frames that it was asked at."""
    gap_of = {(row["variant"], row["part"]): row["gap"] for row in pooled}
    found = []
    for row in (own for own in pooled if own["part"] == "all"):
        frames = " and ".join(map(str, row["frames"]))
        told = ", ".join(f"{points(gap_of[row['variant'], part])} on {PARTS[part]}" for part in SPLIT)
        name = NAMES[row["variant"]]
        found.append(
            f"**{name[0].upper()}{name[1:]}** {standing(row['gap'])}: {points(row['gap'])} points on {PARTS['all']}, "
            f"mean over the budgets at {frames} frames; {told}."
        )
    return found


def standing(gap: Numbers) -> str:
    """What the interval of a gap to AIM says."""
    if is_better(gap):
        return "beats merging inside frames"
    if is_worse(gap):
        return "falls behind merging inside frames"
    return "is neither surely better nor worse than merging inside frames"


def _where_nothing_moves(pooled: Sequence[Numbers]) -> str:
    own = (row for row in pooled if row["part"] == "still" and row["variant"] in ACROSS)
    return where_nothing_moves({row["variant"]: row["gap"] for row in own})


def where_nothing_moves(gaps: dict[str, Numbers]) -> str:
    """Whether merging through time helps where it should; gaps: by variant, on still videos."""
    above, below = ("; ".join(NAMES[name] for name, gap in gaps.items() if test(gap)) for test in (is_better, is_worse))
    if above and below:
        return f"**Where nothing moves** these beat merging inside frames: {above}; and these fall behind: {below}."
    if above:
        return f"**Where nothing moves**, as one would expect, these beat merging inside frames: {above}."
    if below:
        return f"**Even where nothing moves** none beats merging inside frames, and these fall behind: {below}."
    return "**Even where nothing moves** no way to merge across frames is surely better or worse than merging inside."


def text_verdict(gap: Numbers | None) -> str:
    """What pruning text does at equal FLOPs; gap: to AIM, mean over all pairs, None where there is none."""
    about = (
        "A token more of each frame, paid for by text that leaves along the same layers by a count of its own "
        "(`aim_text`; the prompt's last token stays), beside AIM with all text. Text is about one per cent of these "
        "prompts, so few frames are shown: where it is more, it can pay for more. "
    )
    if gap is None:
        return about + "All text of these prompts is too little to pay for one."
    told = f"{points(gap)} points, mean over the pairs below, on {PARTS['all']}."
    if is_worse(gap):
        return f"{about}**Pruning text hurts** even so: {told}"
    if is_better(gap):
        return f"{about}**Pruning text helps**: what it pays for is worth more. {told}"
    return f"{about}**Pruning text** for it neither surely hurts nor surely helps: {told}"


def is_worse(gap: Numbers) -> bool:
    return gap["high"] < 0


def is_better(gap: Numbers) -> bool:
    return gap["low"] > 0


def points(gap: Numbers) -> str:
    return f"{100 * gap['value']:+.1f} ({100 * gap['low']:+.1f} to {100 * gap['high']:+.1f})"


def _table(rows: Sequence[Numbers], num_frames: int) -> str:
    own = [row for row in rows if row["num_frames"] == num_frames]
    gap_of = {(row["part"], row["budget"], row["variant"]): points(row["gap"]) for row in own}
    lines = [f"### {num_frames} frames", "", table_row(HEAD), table_row(["---"] * len(HEAD))]
    for row in (one for one in own if one["part"] == "all"):
        name, is_aim = row["variant"], row["variant"] == WITHIN
        gaps = ["" if is_aim else gap_of[part, row["budget"], name] for part in PARTS]
        lines.append(table_row([NAMES[name], *_costs(row), percent(row["right"]), *gaps]))
    return "\n".join(lines)


def _text_table(rows: Sequence[Numbers]) -> str:
    lines = [table_row(TEXT_HEAD), table_row(["---"] * len(TEXT_HEAD))]
    for row in rows:
        left = row["settings"].get("text_floor")
        text = "all stays" if left is None else f"{100 * (1 - left):.0f} % leave"
        gap = "" if row["variant"] == WITHIN else points(row["gap"])
        lines.append(table_row([row["num_frames"], text, *_costs(row), percent(row["right"]), gap]))
    return "\n".join(lines)


def _costs(row: Numbers) -> list[str]:
    return [f"{100 * row['share']:.1f} %", f"{row['kept']:.1f}"]
