"""Answering: held-out questions asked of a model, dense and with AIM, by several processes if wished."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from multiprocessing import get_context
from operator import attrgetter
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from tqdm import tqdm

from aim_core.config import AimConfig
from aim_core.engine import Engine
from aim_core.methods.aim import as_method
from aim_core.ops.flops import prefill_flops
from training.batched_inference import Video, prompt
from training.questions import Question

NAMES = ("dense", "aim")
KEEP_RATIO = 0.25  # the paper's, for video
MAX_NEW_TOKENS = 16  # a sentence and the end mark; the rest would only be wrong


class EvalItem(Protocol):
    """One question about one video. Items with the same `video` show the same frames and are neighbours in a list."""

    video: int
    question: Question

    def frames(self, num_frames: int) -> np.ndarray:
        """(num_frames, H, W, 3) uint8."""


@dataclass(frozen=True, eq=False)
class Answers:
    """How one configuration did: right (n,) bool, and what the language model's prefills cost, (n,) int64."""

    right: np.ndarray
    prefill_flops: np.ndarray


def aim_config(num_layers: int) -> AimConfig:
    return AimConfig.for_depth(num_layers, KEEP_RATIO)


def answer_all(
    engine: Engine, items: Sequence[EvalItem], num_frames: int, names: tuple[str, ...] = NAMES
) -> dict[str, Answers]:
    """For each of `names` which answers are right.

    Dense, all questions about a video share the rows of its frames, which do not depend on them; with AIM each goes the
    way that a user's question goes.
    """
    found = {name: [] for name in names}
    for _, group in groupby(items, key=attrgetter("video")):
        group = list(group)
        frames = group[0].frames(num_frames)
        for name in names:
            found[name] += _ANSWERERS[name](engine, frames, [item.question for item in group])
    return {name: Answers(*map(np.array, zip(*rows, strict=True))) for name, rows in found.items()}


def _dense(engine: Engine, frames: np.ndarray, questions: list[Question]) -> list[tuple[bool, int]]:
    adapter, texts = engine.adapter, [question.text for question in questions]
    with torch.inference_mode():
        video = Video(adapter, frames)
    lengths = [sum(map(len, prompt(adapter, text, video.num_visual))) for text in texts]
    flops = [prefill_flops([length] * adapter.num_layers, **adapter.sizes) for length in lengths]
    said = video.answers(as_method(AimConfig.dense()), texts, MAX_NEW_TOKENS)
    return [(question.accepts(words), cost) for question, words, cost in zip(questions, said, flops, strict=True)]


def _aim(engine: Engine, frames: np.ndarray, questions: list[Question]) -> list[tuple[bool, int]]:
    config = aim_config(engine.num_layers)
    results = [
        engine.run(frames, question.text, config=config, max_new_tokens=MAX_NEW_TOKENS) for question in questions
    ]
    return [(q.accepts(r.answer), r.cost.language_flops) for q, r in zip(questions, results, strict=True)]


_ANSWERERS = {"dense": _dense, "aim": _aim}


class AnswerPool:
    """Asks one model in several processes, each with a copy of it. Use it in a `with` block.

    Calling it does what `answer_all` does.
    """

    def __init__(self, model: Path, processes: int):
        self._pool = get_context("spawn").Pool(processes, _load, (model,))

    def __enter__(self) -> AnswerPool:
        return self

    def __exit__(self, *error) -> None:
        self._pool.terminate()

    def __call__(
        self, items: Sequence[EvalItem], num_frames: int, names: tuple[str, ...] = NAMES
    ) -> dict[str, Answers]:
        groups = [list(group) for _, group in groupby(items, key=attrgetter("video"))]
        work = partial(_answer, num_frames=num_frames, names=names)
        found = list(tqdm(self._pool.imap(work, groups), total=len(groups), disable=None, unit="video"))
        return {name: _joined([own[name] for own in found]) for name in names}


def _joined(parts: list[Answers]) -> Answers:
    return Answers(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("right", "prefill_flops")))


_loaded: list[Engine] = []  # in a process of an AnswerPool: its model


def _load(model: Path) -> None:
    torch.set_num_threads(1)
    _loaded[:] = [Engine.from_pretrained(model)]


def _answer(items: Sequence[EvalItem], num_frames: int, names: tuple[str, ...]) -> dict[str, Answers]:
    return answer_all(_loaded[0], items, num_frames, names)
