"""Frames words: the section on frames or tokens, from its results."""

from __future__ import annotations

from typing import Any

from aim_core.methods.registry import METHODS
from aim_core.ops.flops import vision_flops
from aim_lab.code import DENSE
from aim_lab.summary import FEWEST_VIDEOS
from training.lab.experiment import ASSETS
from training.lab.films import STEADY
from training.long_videos import EVENTS
from training.tables import percent, table_row

CHART = ASSETS / "frames_or_tokens.png"
SORTS = (STEADY, *map(str, EVENTS))
HEAD = ("frames", "tokens each", "method", "questions", "right, %", "beside the plain way")
COSTS = ("GFLOPs", "with the tower")
SIGLIP = {"patches": 729, "hidden": 1152, "intermediate": 4304, "num_layers": 27, "patch_dim": 588}  # so400m, at 384


def section(report: dict[str, Any]) -> str:
    """What was asked, what the paper says, each budget, then the tower's cost and whether the model itself holds."""
    parts = [_about(), _published(), f"![Right answers against frames, at equal cost](../{CHART})", _chart()]
    parts += [part for own in report["budgets"] for part in _budget(own)]
    return "\n\n".join([*parts, *_totals(report), *_same(report)])


def _about() -> str:
    return (
        "Still films of the shape world in which half of the things are there for a moment only, an *event*: as long "
        f"as 32, 64, 128 or {EVENTS[-1]} frames surely show it, and half as many every other time. Each film is asked "
        "once about an event (colour, shape, corner, existence, order) and once about what is there all the time, for "
        "which one frame is enough. **The budget is what the language model computes**: as much as for all tokens of "
        "4, 8 or 16 frames. More frames cost the same with fewer tokens of each: the keep ratio is solved in closed "
        "form, to 1 %. AIM takes the released schedule (l1 6, l2 9), or, where one token of each frame more or less "
        "would miss the budget, the nearest schedule that meets it. Nothing moves in these films: between frames only "
        "events differ, so few tokens of each tell more here than they would of a film in which all changes."
    )


def _published() -> str:
    few, many = (count * vision_flops(1, **SIGLIP) / 1e12 for count in (32, 192))
    return (
        "*Published, not measured here (arXiv 2412.03248, LLaVA-OneVision-7B): 32 frames with all tokens, 99.63 "
        "TFLOPs, 64.7 on MLVU; AIM with 192 frames, 99.27 TFLOPs, 69.3: +4.6 points (VideoMME 58.2 and 59.2, EgoSchema "
        "60.1 and 60.8). These TFLOPs are the language model's. By closed form its vision tower takes "
        f"{few:.0f} TFLOPs for 32 frames and {many:.0f} for 192, so that all of it is {99.63 + few:.0f} against "
        f"{99.27 + many:.0f}.*"
    )


def _chart() -> str:
    return (
        "*Rings are the plain way: all tokens of as many frames as the budget allows. Right: the same points, with "
        "what the tower computes for their frames. What was asked about fewer films stands as far from the ring as it "
        "is on those films.*"
    )


def _budget(own: dict[str, Any]) -> list[str]:
    """One budget: its table and what it says."""
    plain, rows = own["rows"][0], own["rows"]
    title = f"### As much as all tokens of {own['frames']} frames: {plain['flops'] / 1e9:.1f} GFLOPs"
    about = f"{plain['n']} questions about {plain['num_films']} films."
    if not _is_sure(plain):
        about += f" With fewer than {FEWEST_VIDEOS} intervals would be too narrow, so there are none."
    head = (*HEAD, *SORTS, *COSTS)
    table = [table_row(head), table_row(["---"] * len(head)), *(table_row(_cells(row)) for row in rows)]
    left_out = [f"Left out: {name}: {why}." for name, why in own["refused"].items()]
    return [title, about, "\n".join(table), *left_out, *_verdict(own)]


def _cells(row: dict[str, Any]) -> list[Any]:
    right = percent(row["right"]) if _is_sure(row) else f"{100 * row['right']['value']:.1f}"
    beside = _points(row["beside"][DENSE]) if DENSE in row["beside"] else "the plain way"
    sorts = [f"{row['sorts'][sort][0]}/{row['sorts'][sort][1]}" if sort in row["sorts"] else "" for sort in SORTS]
    costs = [f"{row['flops'] / 1e9:.1f}", f"{(row['flops'] + row['vision_flops']) / 1e9:.0f}"]
    return [row["num_frames"], _tokens(row), _name(row), row["n"], right, beside, *sorts, *costs]


def _name(row: dict[str, Any]) -> str:
    if row["method"] == DENSE:
        return DENSE
    schedule = [f"{name} {row['settings'][name]}" for name in ("l1", "l2") if name in row["settings"]]
    return ", ".join([METHODS[row["method"]].title, *schedule])


def _tokens(row: dict[str, Any]) -> str:
    """Without the newline row that stands behind all frames."""
    return f"{row['tokens'] - 1 / row['num_frames']:.1f}".removesuffix(".0")


def _is_sure(told: dict[str, Any]) -> bool:
    """Whether a row or a difference is of so many films that its interval means something."""
    return told["num_films"] >= FEWEST_VIDEOS


def _points(gap: dict[str, Any]) -> str:
    points = f"{100 * gap['value']:+.1f}"
    if not _is_sure(gap):
        return f"{points} of {gap['num_films']} films"
    return f"{points} ({100 * gap['low']:+.1f} to {100 * gap['high']:+.1f})"


def _verdict(own: dict[str, Any]) -> list[str]:
    """Which number of frames serves AIM best at this cost, how sure that is, and whether it takes AIM."""
    of_aim = [row for row in own["rows"] if row["method"] == "aim"]
    if not of_aim:
        return []
    best = max(of_aim, key=lambda row: row["right"]["value"])
    gap = best["beside"][DENSE]
    points = _points(gap) if _is_sure(gap) else f"{100 * gap['value']:+.1f}"
    said = [f"**{_who_wins(best, own['frames'], points)}**"]
    if len(of_aim) > 1:
        said.append(f"That is the best of {len(of_aim)} numbers of frames on these very questions, which flatters it.")
    last = of_aim[-1]
    if last["right"]["value"] < best["right"]["value"]:
        value = 100 * last["right"]["value"]
        said.append(f"With still more it falls: {last['num_frames']} frames of {_tokens(last)} tokens, {value:.1f} %.")
    for name in ("merge_only", "random"):
        if name in best["beside"]:
            said.append(f"Beside {METHODS[name].title} with as many frames: {_points(best['beside'][name])}.")
    return [" ".join(said)]


def _who_wins(best: dict[str, Any], frames: int, points: str) -> str:
    told = f"{best['num_frames']} frames of {_tokens(best)} tokens under AIM, {points} points beside {frames} frames"
    gap = best["beside"][DENSE]
    if not _is_sure(gap):
        return f"At this cost the most are right with {told}: too few films yet to be sure."
    if gap["low"] > 0:
        return f"At this cost more frames with fewer tokens each are better: {told}."
    if gap["high"] < 0:
        return f"At this cost few frames with all their tokens are better: even {told}."
    return f"At this cost more frames are not surely better, nor worse: {told}."


def _totals(report: dict[str, Any]) -> list[str]:
    """What is left of the gain once the frames' way through the vision tower is counted."""
    plain = [
        f"{row['num_frames']} frames {(row['flops'] + row['vision_flops']) / 1e9:.0f} GFLOPs and "
        f"{100 * row['right']['value']:.1f} % of {row['n']} questions"
        for row in report["plain"]
    ]
    return [
        "### With the vision tower counted",
        "Merging and pruning begin behind the tower, which sees all frames: equal FLOPs of the language model are not "
        f"equal FLOPs. All tokens of few frames, with the tower and how many are right: {', '.join(plain)}. AIM's best "
        "of each budget, beside that of them which comes nearest in all:",
        "\n".join(map(_total, report["totals"])),
    ]


def _total(own: dict[str, Any]) -> str:
    gap = own["beside"]
    points = _points(gap)
    told = (
        f"- {own['best']} frames under AIM at the language cost of {own['frames']}: {own['total'] / 1e9:.0f} GFLOPs in "
        f"all. All tokens of {own['plain']} frames: {own['plain_total'] / 1e9:.0f}. "
    )
    if not _is_sure(gap):
        return told + f"{100 * gap['value']:+.1f} points for AIM, of {gap['num_films']} films: too few to be sure."
    if gap["low"] > 0:
        return told + f"AIM stays better: {points} points."
    if gap["high"] < 0:
        return told + f"All tokens of fewer frames are better there: {points} points for AIM."
    return told + f"No sure difference: {points} points for AIM."


def _same(report: dict[str, Any]) -> list[str]:
    """Whether many frames by themselves break the model."""
    rows = report["same"]
    if not rows:
        return []
    head = ("frames", "visual tokens", "questions", "right, %", f"beside {rows[0]['num_frames']} frames")
    table = [table_row(head), table_row(["---"] * len(head)), *(table_row(_same_cells(row)) for row in rows)]
    tokens = rows[0]["entering"] // rows[0]["num_frames"]
    about = (
        f"What is there all the time, asked of more and more frames with the same {tokens} tokens each (merged, "
        "at no equal cost), tells what a long prompt alone does to this model. In training it saw mostly 8 frames, and "
        f"32 at most. The longest prompt of all had {report['longest']:,} visual tokens; its positions "
        f"end at {report['positions']:,}."
    )
    return ["### What many frames alone do to the model", about, "\n".join(table), f"**{_holds(rows)}**"]


def _same_cells(row: dict[str, Any]) -> list[Any]:
    right = percent(row["right"]) if _is_sure(row) else f"{100 * row['right']['value']:.1f}"
    return [
        row["num_frames"],
        f"{row['entering']:,}",
        row["n"],
        right,
        _points(row["beside"]) if row["beside"] else "",
    ]


def _holds(rows: list[dict[str, Any]]) -> str:
    few, most = rows[0]["num_frames"], rows[-1]["num_frames"]
    sure = [row for row in rows[1:] if _is_sure(row["beside"])]
    broken = [row["num_frames"] for row in sure if row["beside"]["high"] < 0]
    if broken:
        return f"From {broken[0]} frames on it surely answers less well than with {few}: there the model itself breaks."
    if not sure:
        shares = [100 * row["right"]["value"] for row in (rows[-1], rows[0])]
        told = f"{shares[0]:.1f} % are right with {most} frames and {shares[1]:.1f} % with {few}"
        return f"Too few films yet to say whether many frames break it: {told}."
    largest = sure[-1]["num_frames"]
    return f"No sure loss up to {largest} frames: what is lost with many is for want of tokens of each."
