"""AnswersPanel: the dense and the AIM answer side by side, with what differs and what was saved."""

from __future__ import annotations

from difflib import SequenceMatcher

import gradio as gr

from aim_core.result import Result
from page import assets
from page.numbers import flops
from page.spoken import both, said
from visual.palette import browser_palette


class AnswersPanel(gr.HTML):
    """Shows `answers_record`; answers reach the page as text nodes only."""

    def __init__(self, **kwargs):
        super().__init__(
            html_template=assets.text("panels/answers.html"),
            css_template=assets.text("panels/answers.css"),
            js_on_load=assets.text("script/common.js", "panels/answers.js"),
            apply_default_css=False,
            words=both("ANSWER_PANEL"),
            palette=browser_palette(),
            **kwargs,  # Gradio makes it again with arguments of its own
        )

    def preprocess(self, payload: dict | None) -> None:
        """The browser never sends answers back."""

    def postprocess(self, value: dict | None) -> dict | None:
        return value

    def api_info(self) -> dict:
        return {"type": "object"}


def answers_record(dense: Result, aim: Result | None, timed: bool) -> dict:
    """Both answers in words, each word "same" or "only"; aim is None while it has not been answered.

    timed: whether the two prefills were timed side by side; if not, no time is shown.
    """
    first = (dense.answer or said().SILENT).split()
    if aim is None:
        return {"dense": _side(dense, [("same", word) for word in first], timed), "aim": None, "agreement": None}
    second = (aim.answer or said().SILENT).split()
    blocks = SequenceMatcher(None, first, second, autojunk=False).get_matching_blocks()
    return {
        "dense": _side(dense, _marked(first, [(b.a, b.size) for b in blocks]), timed),
        "aim": _side(aim, _marked(second, [(b.b, b.size) for b in blocks]), timed),
        "agreement": {"shared": sum(b.size for b in blocks), "most": max(len(first), len(second))},
    }


def _marked(answer: list[str], matches: list[tuple[int, int]]) -> list[tuple[str, str]]:
    """Each word with "same" where a match (start, size) covers it, else "only"."""
    same = {index for start, size in matches for index in range(start, start + size)}
    return [("same" if index in same else "only", word) for index, word in enumerate(answer)]


def _side(result: Result, marked: list[tuple[str, str]], timed: bool) -> dict:
    """One of the two answers, with the numbers below it."""
    return {
        "words": marked,
        "tokens": f"{result.cost.visual_per_layer[0]:,}",
        "flops": flops(result.cost.language_flops),
        "time": f"{result.timing.prefill_ms:,.1f} ms" if timed else "–",
    }
