"""Permalink: settings written as the query of an address and read back; nothing in a query is trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import gradio as gr

from aim_core.config import AimConfig
from page.checks import MAX_FRAMES, checked_config, checked_frames, checked_question
from page.state.samples import sample_path

LINKED = {"question", "keep_ratio", "l1", "l2", "frames", "sample"}  # what a link may name
LEAST_RATIO = 0.02  # of the page's slider


@dataclass(frozen=True)
class PermalinkSettings:
    """What a link sets, None for what it leaves alone; `bad` names what it holds and could not be used."""

    question: str | None = None
    keep_ratio: float | None = None
    l1: int | None = None
    l2: int | None = None
    frames: int | None = None
    sample: str | None = None
    bad: tuple[str, ...] = ()

    @property
    def settings(self) -> tuple:
        """In the order of the page's question and sliders."""
        return self.question, self.keep_ratio, self.l1, self.l2, self.frames


def permalink_query(question: str, config: AimConfig, frames: int, sample: str | None) -> str:
    """The query, without its question mark. sample: the name of a sample file, or None."""
    values = {"question": question, "keep_ratio": config.keep_ratio, "l1": config.l1, "l2": config.l2, "frames": frames}
    return urlencode({name: value for name, value in (values | {"sample": sample}).items() if value not in ("", None)})


def read_permalink(query: Mapping[str, str], depth: int, default: AimConfig, least_l1: int = 0) -> PermalinkSettings:
    """A query's settings, each checked as a handler checks it and within the sliders' reach on a model of `depth`."""
    readers = {
        "question": lambda: checked_question(query["question"]),
        "keep_ratio": lambda: max(LEAST_RATIO, checked_config(query["keep_ratio"], 0, 1).keep_ratio),
        "frames": lambda: checked_frames(_number(query["frames"])),
        "sample": lambda: linked_sample(query["sample"]),
    }
    found: dict[str, Any] = {}
    bad: list[str] = []
    for name, read in readers.items():
        if name in query:
            try:
                found[name] = read()
            except (gr.Error, ValueError):
                bad.append(name)
    layers, wrong = _layers(query, depth, default, least_l1)
    return PermalinkSettings(**found, **layers, bad=(*bad, *wrong))


def _layers(
    query: Mapping[str, str], depth: int, default: AimConfig, least_l1: int
) -> tuple[dict[str, Any], list[str]]:
    """l1 and l2, where one goes without the other beside its usual value; both or none."""
    given = [name for name in ("l1", "l2") if name in query]
    if not given:
        return {}, []
    try:
        l1, l2 = (_number(query.get(name, str(getattr(default, name)))) for name in ("l1", "l2"))
        config = checked_config(1.0, l1, l2)
    except (gr.Error, ValueError):
        return {}, given
    return dict(zip(("l1", "l2"), within_reach(config.l1, config.l2, depth, least_l1), strict=True)), []


def within_reach(l1: int, l2: int, depth: int, least_l1: int) -> tuple[int, int]:
    """The nearest l1 and l2 that the sliders of a model of `depth` layers can show."""
    l1 = max(least_l1, min(l1, depth))
    return l1, max(l1 + 1, min(l2, depth + 1))


def slider_values(config: AimConfig, num_frames: int, depth: int, least_l1: int) -> tuple[float, int, int, int]:
    """Keep ratio, l1, l2 and number of frames, each the nearest that the sliders of a model of `depth` layers show."""
    l1, l2 = within_reach(config.l1, config.l2, depth, least_l1)
    return max(LEAST_RATIO, config.keep_ratio), l1, l2, min(num_frames, MAX_FRAMES)


def _number(text: str) -> float:
    """Digits as a number; nothing longer than any setting is."""
    if len(text) > 20:
        raise ValueError(f"a setting is a short number, got {text[:20]!r}")
    return float(text)


def linked_sample(name: str) -> str:
    """The name of a sample that a link asks for. Raises ValueError where there is none of that name."""
    path = sample_path(name)
    if path is None:
        raise ValueError(f"no sample is called {name[:40]!r}")
    return path.name
