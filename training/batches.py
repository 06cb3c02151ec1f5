"""Training batches: scenes, frames, labels for every visual token, and many questions that share one video."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cache

import numpy as np
import torch
from torch import Tensor

from training.build import IMAGE_SIZE, PATCH_SIZE
from training.drawing import render
from training.grounds import photographs
from training.plain import plain_scene
from training.questions import ANSWERS, FEWEST_FRAMES, TYPES, Question
from training.wide_questions import split_words, wide_choices, word_question
from training.wide_scene import HIDDEN, Camera, WideScene, hidden, wide_owner_map
from training.wide_world import MOST_THINGS, make_wide_scene
from training.wordings import WIDE_ANSWERS
from training.world import (
    COLORS,
    SHAPES,
    Scene,
    Thing,
    frame_times,
    make_scene,
    most_of_a_kind,
    owner_map,
)

IGNORE = -100
PATCH_ROWS = IMAGE_SIZE // PATCH_SIZE
TOKEN_ROWS = PATCH_ROWS // 2
# Traits of a thing and the number of classes of each, in the order of the columns of `Batch.things`.
TRAITS = {"color": len(COLORS), "shape": len(SHAPES)}
DRAWS = 8  # questions of a type from one scene, to see how often each answer comes
FEWEST_VISITED = 6  # so many frames surely show a visitor once
COUNTING = ("count", "count_kind")
NOTHING = [IGNORE] * len(TRAITS)
# Padding of the text, by field of `Batch`.
EMPTY = {
    "tokens": 0,
    "question": -1,
    "offset": 0,
    "targets": IGNORE,
    "due": False,
    "about": [False] * MOST_THINGS,
    "counts": False,
}


@dataclass
class Batch:
    """One step's data. B videos, F frames, T packed text tokens, U = len(TRAITS)."""

    pixels: Tensor  # (B, F, 3, size, size) uint8
    plain: Tensor  # (B, F, 3, size, size) uint8, the same things as `plain_scene` shows them
    patch_owner: Tensor  # (B, F, PATCH_ROWS, PATCH_ROWS) int64, thing that covers the patch's middle, -1 for none
    token_owner: Tensor  # (B, F, TOKEN_ROWS, TOKEN_ROWS) int64, of the plain scene
    to_middle: Tensor  # (B, F, PATCH_ROWS, PATCH_ROWS, 2) float32, from a patch to its thing's middle, in tokens
    centers: Tensor  # (B, F, TOKEN_ROWS, TOKEN_ROWS) float32, shares of the middles of things, 1 in all for each
    things: Tensor  # (B, MOST_THINGS, U) int64
    tokens: Tensor  # (B, T) int64, all questions of a video one after the other
    question: Tensor  # (B, T) int64, which question a token belongs to, -1 for padding
    offset: Tensor  # (B, T) int64, place inside its question
    targets: Tensor  # (B, T) int64, the next token, IGNORE where it is not to be predicted
    due: Tensor  # (B, T) bool, whether that token depends on the video
    about: Tensor  # (B, T, MOST_THINGS) bool, the things to look at, where the answer is due
    counts: Tensor  # (B, T) bool, whether an answer is due that counts things

    def to(self, device: str) -> Batch:
        return Batch(**{f.name: getattr(self, f.name).to(device, non_blocking=True) for f in fields(self)})

    def pin_memory(self) -> Batch:
        """The same in memory that a GPU copies from while it computes; a `DataLoader` asks for it by this name."""
        return Batch(**{f.name: getattr(self, f.name).pin_memory() for f in fields(self)})


def prepare(max_skew: float) -> None:
    """Fill the caches that every batch needs, before the worker processes start."""
    photographs()
    for wide in (False, True):
        answer_rates(max_skew, wide=wide)


@cache
def answer_rates(max_skew: float, num_scenes: int = 400, wide: bool = False) -> dict[tuple[str, str], float]:
    """Share of drawn questions to keep, by type and answer: none comes over `max_skew` times as often as another."""
    rng, times, make = np.random.default_rng(0), frame_times(8), make_wide_scene if wide else make_scene
    answers = WIDE_ANSWERS if wide else ANSWERS
    counts = dict.fromkeys(((kind, answer) for kind in TYPES for answer in answers[kind]), 1)
    for seed in range(num_scenes):
        scene = make(seed)
        for kind in TYPES:
            choices = wide_choices(scene, kind, rng, times)
            drawn = [word_question(kind, choices, rng) for _ in range(DRAWS) if choices]
            for answer, _ in {(q.word, q.about) for q in drawn if (kind, q.word) in counts}:
                counts[kind, answer] += 1
    # Four of a kind are too rare: the other answers are not held back to their number.
    fewest = {k: sorted(counts[k, a] for a in answers[k])[wide and k == "count_kind"] for k in TYPES}
    return {(kind, answer): min(1.0, max_skew * fewest[kind] / count) for (kind, answer), count in counts.items()}


def draw_scene(rng, num_frames: int, threes: float, wide: float = 0.0) -> Scene | WideScene:
    """A scene for a video of so many frames.

    threes: share of scenes drawn anew until three things have one colour, or one shape.
    wide:   share of scenes that are of the wide world.
    """
    make = make_wide_scene if rng.random() < wide else make_scene
    static = num_frames == 1 and bool(rng.random() < (0.3 if make is make_scene else 0.7))
    fewest = 3 if rng.random() < threes else 1
    scene = make(int(rng.integers(2**62)), static=static, visits=num_frames >= FEWEST_VISITED)
    while most_of_a_kind(scene) < fewest:
        scene = make(int(rng.integers(2**62)), static=static, visits=num_frames >= FEWEST_VISITED)
    # A single picture shows one moment; questions are about what is there then.
    return _moment(scene, float(rng.random())) if num_frames == 1 else scene


def draw_questions(scene: Scene | WideScene, num_frames: int, draws: dict[str, int], rng, rates) -> list[Question]:
    """Up to `draws[type]` different questions of every type that `num_frames` frames can answer, in any wording."""
    questions: dict[str, Question] = {}
    for kind in TYPES:
        if num_frames < FEWEST_FRAMES[kind] or not draws[kind]:
            continue
        choices = wide_choices(scene, kind, rng, frame_times(num_frames))
        for _ in range(draws[kind] if choices else 0):
            question = word_question(kind, choices, rng)
            if question.text not in questions and rng.random() < rates.get((kind, question.word), 0.0):
                questions[question.text] = question
    return list(questions.values())


def traits(thing: Thing) -> list[int]:
    """Classes of a thing's traits, in the order of TRAITS."""
    return [list(COLORS).index(thing.color), SHAPES.index(thing.shape)]


class BatchMaker:
    """Makes the batch of a step from nothing but numbers, so that a resumed training sees what it would have seen."""

    def __init__(self, tokenizer, seed: int):
        self.seed = seed
        self.words = tokenizer.get_vocab()
        self.tokenizer = tokenizer
        self.cache: dict[str, list[int]] = {}

    def make(
        self,
        stage: int,
        step: int,
        videos: int,
        num_frames: int,
        draws: dict[str, int],
        max_skew: float,
        threes: float,
        wide: float,
    ) -> Batch:
        """draws: see `draw_questions`; max_skew: see `answer_rates`; threes, wide: see `draw_scene`."""
        rng = np.random.default_rng([self.seed, stage, step])
        parts = [self._video(rng, num_frames, draws, max_skew, threes, wide) for _ in range(videos)]
        longest = max(len(part["tokens"]) for part in parts)
        for part in parts:
            missing = longest - len(part["tokens"])
            for name, nothing in EMPTY.items():
                part[name] += [nothing] * missing
        return Batch(**{key: torch.from_numpy(np.array([part[key] for part in parts])) for key in parts[0]})

    def _video(self, rng, num_frames: int, draws: dict[str, int], max_skew: float, threes: float, wide: float) -> dict:
        scene = draw_scene(rng, num_frames, threes, wide)
        times, plain = frame_times(num_frames), plain_scene(scene)
        owners = wide_owner_map if isinstance(scene, WideScene) else owner_map
        patch_owner = owners(scene, times, PATCH_ROWS)
        part = {
            "pixels": render(scene, times, IMAGE_SIZE).transpose(0, 3, 1, 2),
            "plain": render(plain, times, IMAGE_SIZE).transpose(0, 3, 1, 2),
            "patch_owner": patch_owner,
            "to_middle": _to_middle(scene, times, patch_owner),
            "token_owner": owner_map(plain, times, TOKEN_ROWS),
            "centers": _centers(scene, times),
            "things": [traits(t) for t in scene.things] + [NOTHING] * (MOST_THINGS - len(scene.things)),
        }
        if not any(draws.values()):
            return part | {name: [] for name in EMPTY}
        rates = answer_rates(max_skew, wide=isinstance(scene, WideScene))
        return part | self._text(draw_questions(scene, num_frames, draws, rng, rates))

    def _split(self, text: str) -> list[int]:
        if text not in self.cache:
            self.cache[text] = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        return self.cache[text]

    def _text(self, questions: list[Question]) -> dict:
        text = {name: [] for name in EMPTY}
        for index, question in enumerate(questions):
            asked = self._split(question.text)
            said = [self.words[word] for word in split_words(question.answer)]
            tokens = [*asked, self.words["<|assistant|>"], *said]
            due = [place - len(asked) in question.keys for place in range(len(tokens))]
            look = [i in question.about for i in range(MOST_THINGS)]
            text["tokens"] += tokens
            text["question"] += [index] * len(tokens)
            text["offset"] += range(len(tokens))
            text["targets"] += [IGNORE] * len(asked) + said + [self.words["<|end|>"]]
            text["due"] += due
            text["about"] += [look if yes else [False] * MOST_THINGS for yes in due]
            text["counts"] += [yes and question.type in COUNTING for yes in due]
        return text


def _moment(scene: Scene | WideScene, time: float) -> Scene | WideScene:
    """A scene at rest: the things that can be seen at `time` (at least one), where they are then."""
    shown = [t for t in scene.things if t.visible(time)] or [scene.things[0]]
    if not isinstance(scene, WideScene):
        return replace(scene, things=tuple(t.resting(time) for t in shown))
    shown = [t.resting(time) for t in shown]
    covered = hidden(shown, np.zeros(1), scene.stretch)[0]
    kept = tuple(thing for thing, share in zip(shown, covered, strict=True) if share <= HIDDEN)
    return replace(scene, things=kept, camera=Camera())


def _to_middle(scene: Scene | WideScene, times: np.ndarray, owner: np.ndarray) -> np.ndarray:
    """`Batch.to_middle` of one video, 0 where there is no thing; owner: its `Batch.patch_owner`."""
    offsets = np.zeros((*owner.shape, 2), dtype=np.float32)
    for index, thing in enumerate(scene.things):
        frame, row, column = np.nonzero(owner == index)
        x, y = np.array([thing.center(float(time)) for time in times])[frame].T
        here = ((column + 0.5) / PATCH_ROWS, (row + 0.5) / PATCH_ROWS)
        offsets[frame, row, column] = np.stack([x - here[0], y - here[1]], axis=1) * TOKEN_ROWS
    return offsets


def _centers(scene: Scene | WideScene, times: np.ndarray) -> np.ndarray:
    """`Batch.centers` of one video: the four tokens around a middle share it, each by its bilinear weight."""
    shares = np.zeros((len(times), TOKEN_ROWS, TOKEN_ROWS), dtype=np.float32)
    cells = np.arange(TOKEN_ROWS)
    for frame, time in enumerate(times):
        for thing in scene.things:
            if thing.visible(float(time)):
                x, y = (np.maximum(0, 1 - abs(at * TOKEN_ROWS - 0.5 - cells)) for at in thing.center(float(time)))
                shares[frame] += np.outer(y, x)
    return shares
