"""Frames or tokens: at equal FLOPs of the language model, few frames with all their tokens or many with few of each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from aim_lab import chart
from aim_lab.code import DENSE
from aim_lab.commands import Lab
from aim_lab.intervals import difference_over_questions
from aim_lab.line import Line
from aim_lab.measure import Recipe
from aim_lab.settings import AS_DENSE, Setting
from aim_lab.summary import Interval, share
from aim_lab.sweep import Plan
from training.answering import MAX_NEW_TOKENS
from training.lab import films, frames_words
from training.lab.experiment import ASSETS, Options
from training.lab.frames_chart import draw

TITLE = "Frames or tokens"
FRAMES = (8, 16, 32, 64, 128, 256)
BUDGETS = (4, 8, 16)  # the cost of the dense model at so many frames, to which AIM is set with more
RIVALS, AMONG = ("merge_only", "random"), 8  # other methods at the cost of one of the budgets
PLAIN = (*BUDGETS, 32)  # frames with all their tokens, to compare with once the tower is counted
SAME = 0.0625  # keep ratio of the frames that have the same tokens each, however many they are
GOAL, ASIDE = 120, 60  # films; and of them those that are asked about with what is not AIM at a budget, too
Lines = dict[Setting, list[Line]]
section = frames_words.section


def measure(options: Options) -> dict[str, Any]:
    """AIM at each budget, then the rest. Raises ValueError if the time ends before a film is through."""
    lab, asked = options.lab, films.films(options.part(GOAL))
    sorts = {(own.clip.content(), own.question): sort for film in asked for own, sort in film}
    recipe = Recipe.of(lab.model, lab.engine, reference=min(BUDGETS), max_new_tokens=MAX_NEW_TOKENS)
    found = _found(lab, asked, [own for budget in BUDGETS for own in at_budget(budget)], recipe)
    if not found:
        raise ValueError("the time ended before the first film was through: the same command goes on where it stood")
    found = _found(lab, asked[: options.part(ASIDE)], [*rivals(), *all_tokens(), *same_tokens()], recipe) | found
    report = {
        "budgets": [_budget(frames, found, sorts) for frames in BUDGETS],
        "plain": [_row(own, found, Setting.of(DENSE, max(BUDGETS)), sorts) for own in all_tokens() if own in found],
        "same": _same(found, sorts),
        "totals": _totals(found),
        "longest": max(line.entering for lines in found.values() for line in lines),
        "positions": lab.engine.adapter.decoder.config.max_position_embeddings,
        "weights": recipe.weights,
    }
    ASSETS.mkdir(parents=True, exist_ok=True)
    chart.save(draw(report), frames_words.CHART)
    return report


def at_budget(budget: int) -> list[Setting]:
    """All tokens of as many frames as the budget allows, then AIM with more frames at the same cost."""
    return [Setting.of(DENSE, budget), *_more("aim", budget)]


def rivals() -> list[Setting]:
    """Other methods at the cost of one of the budgets."""
    return [own for name in RIVALS for own in _more(name, AMONG)]


def all_tokens() -> list[Setting]:
    """More and more frames with all their tokens."""
    return [Setting.of(DENSE, count) for count in PLAIN]


def same_tokens() -> list[Setting]:
    """More and more frames with the same tokens of each."""
    return [Setting.of("merge_only", count, keep_ratio=SAME) for count in FRAMES]


def _more(name: str, budget: int) -> list[Setting]:
    return [Setting.of(name, count, **{AS_DENSE: budget}) for count in FRAMES if count > budget]


def _found(lab: Lab, asked: Sequence[Sequence[films.Asked]], settings: Sequence[Setting], recipe: Recipe) -> Lines:
    """Of each setting the lines about films that all of them were asked about."""
    plan = Plan(tuple(own for film in asked for own, _ in film), tuple(settings), recipe)
    done = lab.sweep(plan)
    if done.failed:
        raise ValueError(f"{len(done.failed)} cells broke, the first by {done.failed[0].why}: run it again")
    of_film: dict[str, list[Line]] = {}
    for line in done.lines:
        of_film.setdefault(line.video, []).append(line)
    found: Lines = {}
    for film in asked:
        lines = of_film.get(film[0][0].clip.content(), [])
        for line in lines if len(lines) == len(film) * len(plan.cells) else ():
            found.setdefault(line.setting, []).append(line)
    return found


def _budget(frames: int, found: Lines, sorts: dict[tuple[str, str], str]) -> dict[str, Any]:
    """What each setting of a budget made of the questions, and a sentence for each that cannot cost just that."""
    settings = [own for own in (*at_budget(frames), *(rivals() if frames == AMONG else ())) if own in found]
    refused = {own: found[own][0].refused for own in settings if found[own][0].refused}
    own = {setting: found[setting] for setting in sorted(settings, key=_by_frames) if setting not in refused}
    rows = [_row(setting, own, Setting.of(DENSE, frames), sorts) for setting in own]
    return {"frames": frames, "rows": rows, "refused": {str(setting): why for setting, why in refused.items()}}


def _by_frames(setting: Setting) -> int:
    return setting.num_frames


def _row(setting: Setting, found: Lines, plain: Setting, sorts: dict[tuple[str, str], str]) -> dict[str, Any]:
    lines = found[setting]
    others = (own for own in found if own.num_frames == setting.num_frames and own != setting)
    beside = {DENSE: plain} | {own.method: own for own in others} if setting != plain else {}
    return {
        "method": setting.method,
        "num_frames": setting.num_frames,
        "tokens": lines[0].entering / setting.num_frames,
        "settings": lines[0].found,
        "n": len(lines),
        "num_films": _num_films(lines),
        "right": vars(share([bool(line.right) for line in lines], lines)),
        "beside": {name: _difference(lines, found[own]) for name, own in beside.items()},
        "flops": float(np.mean([line.flops for line in lines])),
        "vision_flops": float(np.mean([line.vision_flops for line in lines])),
        "sorts": _by_sort(lines, sorts),
    }


def _by_sort(lines: Sequence[Line], sorts: dict[tuple[str, str], str]) -> dict[str, list[int]]:
    """By what is asked about, how many answers are right, of how many."""
    found: dict[str, list[int]] = {}
    for line in lines:
        own = found.setdefault(sorts[line.video, line.question], [0, 0])
        own[0] += bool(line.right)
        own[1] += 1
    return found


def _same(found: Lines, sorts: dict[tuple[str, str], str]) -> list[dict[str, Any]]:
    """Questions about what is there all the time, with the same tokens of each frame, of more and more frames."""
    steady = {
        own.num_frames: [line for line in found[own] if sorts[line.video, line.question] == films.STEADY]
        for own in same_tokens()
        if own in found
    }
    first = steady[min(steady)] if steady else []
    return [
        {
            "num_frames": count,
            "entering": lines[0].entering,
            "n": len(lines),
            "num_films": _num_films(lines),
            "right": vars(share([bool(line.right) for line in lines], lines)),
            "beside": None if lines is first else _difference(lines, first),
        }
        for count, lines in steady.items()
    ]


def _totals(found: Lines) -> list[dict[str, Any]]:
    """AIM's best of each budget, beside all tokens of as many frames as come nearest once the tower is counted."""
    told = []
    for budget in BUDGETS:
        of_aim = [own for own in _more("aim", budget) if not found[own][0].refused]
        best = max(of_aim, key=lambda own: sum(bool(line.right) for line in found[own]))
        total = _total(found[best])
        plain = min(
            (own for own in all_tokens() if own in found), key=lambda own: abs(math.log(_total(found[own]) / total))
        )
        told.append(
            {
                "frames": budget,
                "best": best.num_frames,
                "total": total,
                "plain": plain.num_frames,
                "plain_total": _total(found[plain]),
                "beside": _difference(found[best], found[plain]),
            }
        )
    return told


def _total(lines: Sequence[Line]) -> float:
    return float(np.mean([line.flops + line.vision_flops for line in lines]))


def _num_films(lines: Sequence[Line]) -> int:
    return len({line.video for line in lines})


def _difference(one: Sequence[Line], other: Sequence[Line]) -> dict[str, float]:
    """What one has more right than the other on the questions that both were asked, whole films drawn."""
    own, beside = ({(line.video, line.question): line for line in lines} for lines in (one, other))
    both = [key for key in own if key in beside]
    right = (np.array([bool(lines[key].right) for key in both]) for lines in (own, beside))
    asked = [own[key] for key in both]
    return vars(Interval(*difference_over_questions(*right, asked))) | {"num_films": _num_films(asked)}
