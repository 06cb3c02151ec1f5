"""Request: the one question and the one video or picture in the messages that lmms-eval makes of a document."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from aim_core.digest import digest

DEFAULT_NEW_TOKENS = 64  # for a task that does not say
IMAGES_HINT = "images=frames takes them as the frames of a video"


@dataclass(frozen=True, eq=False)
class Asked:
    """One document as it is asked.

    media: path of a video or picture, or pictures (F, H, W, 3) uint8.
    until: where the answer ends, if it comes so far.
    """

    question: str
    media: Path | np.ndarray
    max_new_tokens: int = DEFAULT_NEW_TOKENS
    until: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """16 hex digits for all of it; a file goes by its name and size, wherever it lies."""
        if isinstance(self.media, Path):
            media = [self.media.name, self.media.stat().st_size if self.media.is_file() else -1]
        else:
            media = [digest(self.media)]
        said = json.dumps([self.question, media, self.max_new_tokens, self.until])
        return hashlib.sha256(said.encode()).hexdigest()[:16]

    def cut(self, answer: str) -> str:
        """The answer up to the first of `until`."""
        ends = [answer.find(mark) for mark in self.until if mark and mark in answer]
        return answer[: min(ends)] if ends else answer


def asked_of(
    messages: Sequence[Mapping[str, Any]], generation: Mapping[str, Any], num_frames: int, images: str
) -> Asked:
    """What a document asks.

    messages:   as lmms-eval's chat models get them. generation: the task's `generation_kwargs`.
    num_frames: how many of several pictures are taken, the middles of as many equal stretches of them.
    images:     whether several are allowed, as in `Knobs`.
    Raises ValueError with a sentence for what this model cannot be asked.
    """
    _check_greedy(generation)
    parts = [part for message in messages for part in _parts(message)]
    question = "\n".join(part["text"].strip() for part in parts if part["type"] == "text").strip()
    until = generation.get("until") or ()
    return Asked(
        question,
        _media([part for part in parts if part["type"] != "text"], num_frames, images),
        int(generation.get("max_new_tokens") or DEFAULT_NEW_TOKENS),
        (until,) if isinstance(until, str) else tuple(until),
    )


def _check_greedy(generation: Mapping[str, Any]) -> None:
    samples = generation.get("do_sample", float(generation.get("temperature") or 0) > 0)
    if samples or int(generation.get("num_beams") or 1) > 1:
        raise ValueError("this model answers greedily: give --gen_kwargs do_sample=False,temperature=0,num_beams=1")


def _parts(message: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    if message["role"] != "user":
        raise ValueError(f"this model is asked in one turn of the user, the task has one of the {message['role']}")
    content = message["content"]
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content)


def _media(parts: Sequence[Mapping[str, Any]], num_frames: int, images: str) -> Path | np.ndarray:
    kinds = [part["type"] for part in parts]
    if not parts or set(kinds) - {"image", "video"} or (len(parts) > 1 and "video" in kinds):
        raise ValueError(f"this model is asked about one video or picture, the task shows {', '.join(kinds) or 'none'}")
    if len(parts) > 1 and images != "frames":
        raise ValueError(f"this model is asked about one video or picture, the task shows {len(parts)}: {IMAGES_HINT}")
    if any(part.get("start_time") is not None or part.get("end_time") is not None for part in parts):
        raise ValueError("this model is shown whole videos, the task asks about a part of one")
    shown = [part["url"] for part in parts]
    if len(shown) == 1 and isinstance(shown[0], str | os.PathLike):
        return Path(str(shown[0]).removeprefix("file://"))
    chosen = [shown[(2 * i + 1) * len(shown) // (2 * num_frames)] for i in range(num_frames)] if shown[1:] else shown
    pictures = [np.asarray(_opened(own).convert("RGB")) for own in chosen]
    if len({picture.shape for picture in pictures}) > 1:
        raise ValueError("the pictures of a document differ in size, so they are no frames of one video")
    return np.stack(pictures)


def _opened(picture: Any) -> Image.Image:
    return picture if isinstance(picture, Image.Image) else Image.open(picture)
