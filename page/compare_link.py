"""Compare link: what a comparison was asked, written as the query of an address and read back; nothing in it is
trusted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import gradio as gr

from aim_core.budget import Budget
from aim_core.methods.registry import METHODS
from page.checks import checked_frames, checked_question, refusal
from page.i18n import strings
from page.permalink import linked_samples

LEAST, MOST = 3, 100  # per cent of the dense cost, of the page's slider


@dataclass(frozen=True)
class CompareSettings:
    """What a link sets, None for what it leaves alone; `bad` names what it holds and could not be used."""

    question: str | None = None
    percent: int | None = None
    measure: str | None = None
    frames: int | None = None
    methods: list[str] | None = None
    samples: tuple[str, ...] = ()
    bad: tuple[str, ...] = ()

    @property
    def settings(self) -> tuple:
        """In the order of the page's question, budget, measure, frames and methods."""
        return self.question, self.percent, self.measure, self.frames, self.methods


def compare_query(question: str, budget: Budget, frames: int, methods: Sequence[str], samples: Sequence[str]) -> str:
    """The query, without its question mark. samples: the name of a sample file, or those of several pictures."""
    values = {
        "question": question,
        "budget": round(100 * budget.share),
        "of": budget.of,
        "frames": frames,
        "methods": " ".join(methods),
        "sample": " ".join(samples),
    }
    return urlencode({name: value for name, value in values.items() if value != ""})


def read_compare_link(query: Mapping[str, str]) -> CompareSettings:
    """A query's settings, each checked as a handler checks it."""
    readers = {
        "question": lambda text: ("question", checked_question(text)),
        "budget": lambda text: ("percent", round(100 * checked_budget(text[:20], "flops").share)),
        "of": lambda text: ("measure", checked_budget(LEAST, text).of),
        "frames": lambda text: ("frames", checked_frames(float(text[:20]))),
        "methods": lambda text: ("methods", _methods(text.split())),
        "sample": lambda text: ("samples", linked_samples(text)),
    }
    found: dict[str, Any] = {}
    bad: list[str] = []
    for name, read in readers.items():
        if name in query:
            try:
                own, value = read(query[name])
                found[own] = value
            except (gr.Error, ValueError):
                bad.append(name)
    return CompareSettings(**found, bad=tuple(bad))


def checked_budget(percent: Any, measure: object) -> Budget:
    """The slider and the choice beside it as a budget."""
    try:
        if not LEAST <= float(percent) <= MOST:
            raise ValueError(strings().BAD_BUDGET.format(least=LEAST, most=MOST, got=percent))
        return Budget(float(percent) / 100, str(measure))
    except (TypeError, ValueError) as error:
        raise refusal(strings().BAD_SETTINGS.format(reason=error), "settings") from error


def checked_methods(names: Any) -> list[str]:
    """Names of methods, in the order of the registry."""
    chosen = [name for name in METHODS if name in (names if isinstance(names, list) else [])]
    if not chosen:
        raise refusal(strings().NO_METHODS, "settings")
    return chosen


def _methods(names: list[str]) -> list[str]:
    if unknown := set(names) - set(METHODS):
        raise ValueError(f"there is no method {min(unknown)[:40]!r}")
    return checked_methods(names)
