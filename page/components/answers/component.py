"""Answers panel: the answers side by side, with their word diff and costs."""

from __future__ import annotations

from difflib import Match, SequenceMatcher
from typing import Any

from aim_core.result import Result
from aim_core.world_score import WorldCheck
from page.comparison_table import flops
from page.components.base import Panel
from page.i18n import strings
from page.permalink import LEAST_RATIO
from page.state.samples import is_right
from page.times import first_word
from visual.palette import browser_palette


class AnswersPanel(Panel):
    """Shows `answers_record`. Events: undo takes the overrides off; breaks asks for the fewest tokens, or the usual."""

    def __init__(self, **kwargs):
        events = ("undo", "breaks")
        fixed = {"palette": browser_palette(), "fewest": LEAST_RATIO}
        super().__init__("answers", "ANSWER_PANEL", events, fixed, **kwargs)


def answers_record(
    runs: dict[str, Result],
    timed: bool,
    known: str | None = None,
    world: WorldCheck | None = None,
    is_saved: bool = False,
) -> dict:
    """Answers in words, each word "same" or "only"; how many of them two runs share; overrides;
    visual tokens of dense, after merging and in the last layer, with the share of dense's work in the language model.

    runs:  "dense", then "aim" once it has answered, then "hand" where there are overrides, which is held against AIM.
    timed: whether the prefills of dense and AIM were timed side by side; if not, no time is shown.
    known: the right answer, if there is one.
    world: whether the clip is of the model's world, where that can be told.
    is_saved: whether the run came from a file, so that nothing on the page asks it again.
    """
    words = {name: (result.answer or strings().SILENT).split() for name, result in runs.items()}
    blocks = _matches(words["dense"], words.get("aim", words["dense"]))
    marked = {"dense": _marked(words["dense"], [(b.a, b.size) for b in blocks])}
    right: dict[str, Any] = {"outside": world is not None and world.outside} | ({"known": known} if known else {})
    if "aim" not in runs:
        return right | {"dense": _side(runs["dense"], marked["dense"], timed, known)}
    marked["aim"] = _marked(words["aim"], [(b.b, b.size) for b in blocks])
    shared = {"shared": sum(b.size for b in blocks), "most": max(len(words["dense"]), len(words["aim"]))}
    record: dict[str, Any] = {"agreement": shared, "canBreak": not is_saved}
    record["headline"] = _headline(runs["dense"], runs["aim"])
    if hand := runs.get("hand"):
        marked["hand"] = _marked(words["hand"], [(b.b, b.size) for b in _matches(words["aim"], words["hand"])])
        record["overrides"] = _counts(hand) | {"same": words["hand"] == words["aim"]}
    return right | record | {name: _side(runs[name], marked[name], timed, known) for name in runs}


def _matches(one: list[str], other: list[str]) -> list[Match]:
    return SequenceMatcher(None, one, other, autojunk=False).get_matching_blocks()


def _marked(answer: list[str], matches: list[tuple[int, int]]) -> list[tuple[str, str]]:
    """Each word with "same" where a match (start, size) covers it, else "only"."""
    same = {index for start, size in matches for index in range(start, start + size)}
    return [("same" if index in same else "only", word) for index, word in enumerate(answer)]


def _counts(hand: Result) -> dict[str, int]:
    """How many visual tokens the overrides protect and remove; several patches may have ended in one token."""
    rows = hand.trace.rows()
    overrides = {"protected": hand.overrides.protect, "removed": hand.overrides.remove}
    return {name: len({int(rows[patch]) for patch in patches}) for name, patches in overrides.items()}


def _headline(dense: Result, aim: Result) -> dict:
    tokens = aim.cost.visual_per_layer
    share = aim.cost.language_flops / dense.cost.language_flops if dense.cost.language_flops else 1.0
    return {"dense": dense.cost.visual_per_layer[0], "merged": tokens[0], "last": tokens[-1], "share": share}


def _side(result: Result, marked: list[tuple[str, str]], timed: bool, known: str | None) -> dict:
    """One of the two answers, with the numbers below it."""
    return {
        "words": marked,
        "right": is_right(result.answer, known) if known else None,
        "tokens": f"{result.cost.visual_per_layer[0]:,}",
        "flops": flops(result.cost.language_flops),
        "time": first_word(result.timing) if timed else "–",
    }
