"""Words: what the numbers of a report say, in sentences made from them."""

from __future__ import annotations

from aim_core.methods.registry import METHODS
from aim_lab.summary import FEWEST_VIDEOS
from training.tables import percent

BASELINES = ("random", "fewer_frames")  # what a method must beat
GOAL, GOAL_SEEDS = 500, 2  # questions of each seed, whole videos, and how many seeds
FAR = 0.05  # relative to the budget: what costs more or less than this is told


def in_words(report: dict) -> list[str]:
    """How much was measured, then one list: the baselines beside AIM, and what is clearly above and below AIM."""
    least, most, seeds = min(report["types"].values()), max(report["types"].values()), report["seeds"]
    lines = [
        f"Measured on the weights `{report['weights'][:12]}…`: **{report['num_questions']} questions** about "
        f"{report['num_videos']} held-out videos of 8 frames, {least} to {most} of each of {len(report['types'])} "
        f"types, {'seed' if len(seeds) == 1 else 'seeds'} {', '.join(map(str, seeds))}. "
        f"Dense: {percent(report['dense'])} % right.{more_to_come(report)}",
        "",
    ]
    for budget in dict.fromkeys(row["budget"] for row in report["rows"]):
        said = _of_budget(in_budget(report, budget), _has_enough(report))
        lines.append(f"- **{100 * budget:g} %** of the dense FLOPs: {' '.join(said)}")
    return lines


def in_budget(report: dict, budget: float) -> dict[str, dict]:
    """The rows of one budget by their methods, with the `side` of AIM that each is clearly on: 1 above, -1 below, 0."""
    own = [row for row in report["rows"] if row["budget"] == budget]
    return {row["method"]: row | {"side": 0 if is_of_few(row, report) else _side(row)} for row in own}


def is_of_few(row: dict, report: dict) -> bool:
    """Whether a row is about so few videos that its intervals tell too little."""
    videos = row.get("num_videos", min(row["answered"], report["num_videos"]))  # reports were without once
    return 0 < videos < FEWEST_VIDEOS


def _has_enough(report: dict) -> bool:
    """Whether there are videos enough to call a difference sure."""
    return report["num_videos"] >= FEWEST_VIDEOS


def more_to_come(report: dict) -> str:
    """A sentence, after a space, while fewer questions were asked than are to be; "" then."""
    if len(report["seeds"]) >= GOAL_SEEDS and report["num_questions"] >= GOAL * GOAL_SEEDS:
        return ""
    few = "" if _has_enough(report) else f", with fewer videos than {FEWEST_VIDEOS}"
    return f" That is a beginning{few}: `make methods` goes on to {GOAL:,} questions of each of {GOAL_SEEDS} seeds."


def _of_budget(rows: dict[str, dict], enough: bool) -> list[str]:
    """enough: whether there are videos enough to call a difference sure."""
    aim = rows["aim"]
    if not aim["answered"]:
        return [aim["why"]]
    said = [f"AIM {percent({name: aim[name] for name in ('accuracy', 'low', 'high')})} % right."]
    said += [beside_aim(rows[name], aim) for name in BASELINES if name in rows]
    for side, sign in (("above", 1), ("below", -1)):
        titles = [METHODS[name].title for name, row in rows.items() if row["side"] == sign]
        if titles:
            said.append(f"Clearly {side} AIM: {', '.join(titles)}.")
    if not any(row["side"] for row in rows.values()):
        sure = "No method is clearly above or below AIM."
        said.append(sure if enough else "Too few videos to call a difference sure.")
    far = [f"{METHODS[name].title} {100 * row['flops']:.1f} %" for name, row in rows.items() if _far(row)]
    if far:
        said.append(f"Not at this cost, but as near as their steps allow: {', '.join(far)}.")
    return said


def beside_aim(row: dict, aim: dict) -> str:
    """Whether AIM is beaten, and how sure that is. row: with its `side`."""
    title = METHODS[row["method"]].title.capitalize()
    if not row["answered"]:
        return row["why"][0].upper() + row["why"][1:]
    gap = row["minus_aim"]
    if gap is None:
        return f"{title} and AIM have no question in common."
    points = f"{100 * abs(gap['value']):.1f} points"
    if not gap["value"]:
        return f"{title}: as many right as AIM."
    sure = "" if row["side"] else ", which may be chance"
    if gap["value"] > 0:
        return f"{title} **beat AIM** by {points}{sure}."
    return f"{title} stay {points} behind AIM{sure}."


def _side(row: dict) -> int:
    """1 if the whole interval of the difference is above AIM, -1 if it is below; 0 otherwise."""
    gap = row.get("minus_aim")
    return 0 if not gap else int(gap["low"] > 0) - int(gap["high"] < 0)


def _far(row: dict) -> bool:
    return bool(row["answered"]) and abs(row["flops"] / row["budget"] - 1) > FAR
