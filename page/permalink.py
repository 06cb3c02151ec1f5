"""Permalink: settings written as the query of an address and read back; nothing in a query is trusted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import gradio as gr

from aim_core.config import AimConfig
from page.checks import MAX_FRAMES, MAX_PICTURES, checked_config, checked_frames, checked_question
from page.state.samples import sample_kind, sample_path

AUDIO = ("audio_keep_ratio", "audio_floor")
LINKED = {"question", "keep_ratio", "l1", "l2", "frames", "sample", "sound", *AUDIO}  # what a link may name
LEAST_RATIO = 0.02  # of the page's slider


@dataclass(frozen=True)
class PermalinkSettings:
    """What a link sets, None for what it leaves alone; `bad` names what it holds and could not be used."""

    question: str | None = None
    keep_ratio: float | None = None
    l1: int | None = None
    l2: int | None = None
    frames: int | None = None
    samples: tuple[str, ...] = ()
    hears: bool | None = None
    audio_keep_ratio: float | None = None
    audio_floor: float | None = None
    bad: tuple[str, ...] = ()

    @property
    def settings(self) -> tuple:
        """In the order of the page's question and sliders."""
        return self.question, self.keep_ratio, self.l1, self.l2, self.frames

    @property
    def sound(self) -> tuple:
        """In the order of the page's controls for a model that hears."""
        return self.hears, self.audio_keep_ratio, self.audio_floor


def permalink_query(question: str, config: AimConfig, frames: int, samples: Sequence[str], hears: bool = True) -> str:
    """The query, without its question mark. samples: the name of a sample file, or those of several pictures. What is
    as usual with the sound of a model that hears is left out."""
    values = {"question": question, "keep_ratio": config.keep_ratio, "l1": config.l1, "l2": config.l2, "frames": frames}
    audio = {name: getattr(config, name) for name in AUDIO}
    values |= {name: share for name, share in audio.items() if share < 1} | ({} if hears else {"sound": "off"})
    values["sample"] = " ".join(samples)
    return urlencode({name: value for name, value in values.items() if value not in ("", None)})


def read_permalink(query: Mapping[str, str], depth: int, default: AimConfig, least_l1: int = 0) -> PermalinkSettings:
    """A query's settings, each checked as a handler checks it and within the sliders' reach on a model of `depth`."""
    readers = {
        "question": lambda: checked_question(query["question"]),
        "keep_ratio": lambda: max(LEAST_RATIO, checked_config(query["keep_ratio"], 0, 1).keep_ratio),
        "frames": lambda: checked_frames(_number(query["frames"])),
        "audio_keep_ratio": lambda: max(LEAST_RATIO, _audio(query, "audio_keep_ratio")),
        "audio_floor": lambda: _audio(query, "audio_floor"),
        "sound": lambda: _switch(query["sound"]),
        "samples": lambda: linked_samples(query["sample"]),
    }
    found: dict[str, Any] = {}
    bad: list[str] = []
    for name, read in readers.items():
        linked = "sample" if name == "samples" else name
        if linked in query:
            try:
                found["hears" if name == "sound" else name] = read()
            except (gr.Error, ValueError):
                bad.append(linked)
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


def sound_values(config: AimConfig, hears: bool) -> tuple[bool, float, float]:
    """What the controls of a model that hears show."""
    return hears, max(LEAST_RATIO, config.audio_keep_ratio), config.audio_floor


def _audio(query: Mapping[str, str], name: str) -> float:
    config = checked_config(1.0, 0, 1, 0, *(query[own] if own == name else 1.0 for own in AUDIO))
    return getattr(config, name)


def _switch(text: str) -> bool:
    if text not in ("on", "off"):
        raise ValueError(f"sound is on or off, got {text[:20]!r}")
    return text == "on"


def _number(text: str) -> float:
    """Digits as a number; nothing longer than any setting is."""
    if len(text) > 20:
        raise ValueError(f"a setting is a short number, got {text[:20]!r}")
    return float(text)


def linked_samples(names: str) -> tuple[str, ...]:
    """The names of the samples that a link asks for: one, or several pictures with spaces between them. Raises
    ValueError where there is none of a name, or a video among several."""
    found = [sample_path(name) for name in names.split(" ")]
    if None in found or not 0 < len(found) <= MAX_PICTURES:
        raise ValueError(f"no samples are called {names[:40]!r}")
    samples = tuple(path.name for path in found if path)
    if len(samples) > 1 and any(sample_kind(name) == "video" for name in samples):
        raise ValueError(f"a video is asked about alone, got {names[:40]!r}")
    return samples
