"""Training batches: scenes, frames, labels for every visual token, and many questions that share one video."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cache

import numpy as np
import torch
from torch import Tensor

from training.build import IMAGE_SIZE, PATCH_SIZE
from training.drawing import render
from training.questions import ANSWERS, FEWEST_FRAMES, TYPES, Question, ask
from training.world import (
    COLORS,
    MAX_OBJECTS,
    MOTIONS,
    PHASES,
    PLACES,
    SHAPES,
    Scene,
    frame_times,
    make_scene,
    most_of_a_kind,
    owner_map,
    place_of,
)

IGNORE = -100
PATCH_ROWS = IMAGE_SIZE // PATCH_SIZE
TOKEN_ROWS = PATCH_ROWS // 2
# What a thing is, as class numbers; the order of the columns of `Batch.things` and `Batch.referents`.
TRAITS = {"color": len(COLORS), "shape": len(SHAPES), "motion": 5, "begins": 4, "ends": 4, "phase": 3, "stays": 2}
DRAWS = 8  # of a type from one scene, to see how often each answer comes
FEWEST_VISITED = 6  # frames that surely show a visitor once
COUNTING = ("count", "count_kind")
NOTHING = [IGNORE] * len(TRAITS)


@dataclass
class Batch:
    """One step's data. B videos, F frames, T packed text tokens, U = len(TRAITS)."""

    pixels: Tensor  # (B, F, 3, size, size) uint8
    patch_owner: Tensor  # (B, F, PATCH_ROWS, PATCH_ROWS) int64, thing that covers the patch's middle, -1 for none
    token_owner: Tensor  # (B, F, TOKEN_ROWS, TOKEN_ROWS) int64
    to_middle: Tensor  # (B, F, PATCH_ROWS, PATCH_ROWS, 2) float32, from a patch to its thing's middle, in tokens
    centers: Tensor  # (B, F, TOKEN_ROWS, TOKEN_ROWS) float32, shares of the middles of things, 1 in all for each
    things: Tensor  # (B, MAX_OBJECTS, U) int64
    tokens: Tensor  # (B, T) int64, all questions of a video one after the other
    question: Tensor  # (B, T) int64, which question a token belongs to, -1 for padding
    offset: Tensor  # (B, T) int64, place inside its question
    targets: Tensor  # (B, T) int64, the token to be said next, IGNORE where none is asked for
    referents: Tensor  # (B, T, U) int64, traits of the one thing a question is about, where its answer is due
    about: Tensor  # (B, T, MAX_OBJECTS) bool, the things to look at, where the answer is due
    counts: Tensor  # (B, T) bool, whether an answer is due that counts things

    def to(self, device: str) -> Batch:
        return Batch(**{f.name: getattr(self, f.name).to(device) for f in fields(self)})


@cache
def answer_rates(most: float, num_scenes: int = 400) -> dict[tuple[str, str], float]:
    """How often to keep a drawn question, by type and answer: none more than about `most` times as often as another."""
    rng = np.random.default_rng(0)
    counts = dict.fromkeys(((kind, answer) for kind in TYPES for answer in ANSWERS[kind]), 1)
    for seed in range(num_scenes):
        scene = make_scene(seed)
        asked = [ask(scene, kind, rng) for kind in TYPES for _ in range(DRAWS)]
        for kind, answer, _ in {(q.type, q.answer, q.text) for q in asked if q}:
            counts[kind, answer] += 1
    fewest = {kind: min(counts[kind, a] for a in ANSWERS[kind]) for kind in TYPES}
    return {(kind, answer): min(1.0, most * fewest[kind] / count) for (kind, answer), count in counts.items()}


def draw_scene(rng, num_frames: int, threes: float) -> Scene:
    """A scene to be seen in so many frames; a share `threes` of them surely shows three things of a kind."""
    static = num_frames == 1 and bool(rng.random() < 0.3)
    fewest = 3 if rng.random() < threes else 1
    scene = make_scene(int(rng.integers(2**62)), static=static, visits=num_frames >= FEWEST_VISITED)
    while most_of_a_kind(scene) < fewest:
        scene = make_scene(int(rng.integers(2**62)), static=static, visits=num_frames >= FEWEST_VISITED)
    # A single picture shows one moment; questions are about what is there then.
    return _moment(scene, float(rng.random())) if num_frames == 1 else scene


def draw_questions(scene: Scene, num_frames: int, draws: dict[str, int], rng, rates) -> list[Question]:
    """Up to `draws[type]` different questions of every type that `num_frames` frames can answer."""
    questions: dict[str, Question] = {}
    for kind in TYPES:
        if num_frames < FEWEST_FRAMES[kind]:
            continue
        for _ in range(draws[kind]):
            question = ask(scene, kind, rng)
            if question and question.text not in questions and rng.random() < rates[kind, question.answer]:
                questions[question.text] = question
    return list(questions.values())


def traits(thing, num_frames: int) -> list[int]:
    """Class numbers of a thing in the order of TRAITS, IGNORE for what so few frames cannot show."""
    moving = num_frames >= FEWEST_FRAMES["motion"]
    timed = num_frames >= FEWEST_FRAMES["appears"]
    return [
        list(COLORS).index(thing.color),
        SHAPES.index(thing.shape),
        MOTIONS.index(thing.motion) if moving and thing.phase == "start" and thing.stays else IGNORE,
        PLACES.index(place_of(thing.begin)) if moving else IGNORE,
        PLACES.index(place_of(thing.finish)) if moving else IGNORE,
        PHASES.index(thing.phase) if timed else IGNORE,
        int(thing.stays) if timed else IGNORE,
    ]


class BatchMaker:
    """Makes the batch of a step from nothing but numbers, so that a resumed training sees what it would have seen."""

    def __init__(self, tokenizer, seed: int):
        self.seed = seed
        self.words = tokenizer.get_vocab()
        self.tokenizer = tokenizer
        self.cache: dict[str, list[int]] = {}

    def make(
        self, stage: int, step: int, videos: int, num_frames: int, draws: dict[str, int], most: float, threes: float
    ) -> Batch:
        """draws: see `draw_questions`; most: see `answer_rates`; threes: see `draw_scene`."""
        rng = np.random.default_rng([self.seed, stage, step])
        parts = [self._video(rng, num_frames, draws, answer_rates(most), threes) for _ in range(videos)]
        longest = max(len(part["tokens"]) for part in parts)
        for part in parts:
            missing = longest - len(part["tokens"])
            part["tokens"] += [0] * missing
            part["question"] += [-1] * missing
            part["offset"] += [0] * missing
            part["targets"] += [IGNORE] * missing
            part["referents"] += [NOTHING] * missing
            part["about"] += [[False] * MAX_OBJECTS] * missing
            part["counts"] += [False] * missing
        return Batch(**{key: torch.from_numpy(np.array([part[key] for part in parts])) for key in parts[0]})

    def _video(
        self, rng, num_frames: int, draws: dict[str, int], rates: dict[tuple[str, str], float], threes: float
    ) -> dict:
        scene = draw_scene(rng, num_frames, threes)
        times = frame_times(num_frames)
        patch_owner = owner_map(scene, times, PATCH_ROWS)
        part = {
            "pixels": render(scene, times, IMAGE_SIZE).transpose(0, 3, 1, 2),
            "patch_owner": patch_owner,
            "to_middle": _to_middle(scene, times, patch_owner),
            "token_owner": owner_map(scene, times, TOKEN_ROWS),
            "centers": _centers(scene, times),
            "things": [traits(t, num_frames) for t in scene.things] + [NOTHING] * (MAX_OBJECTS - len(scene.things)),
        }
        return part | self._text(scene, draw_questions(scene, num_frames, draws, rng, rates), num_frames)

    def _split(self, text: str) -> list[int]:
        if text not in self.cache:
            self.cache[text] = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        return self.cache[text]

    def _text(self, scene: Scene, questions: list[Question], num_frames: int) -> dict:
        text = {name: [] for name in ("tokens", "question", "offset", "targets", "referents", "about", "counts")}
        for index, question in enumerate(questions):
            asked = self._split(question.text)
            tokens = [*asked, self.words["<|assistant|>"], self.words[question.answer]]
            single = traits(scene.things[question.about[0]], num_frames) if len(question.about) == 1 else NOTHING
            text["tokens"] += tokens
            text["question"] += [index] * len(tokens)
            text["offset"] += range(len(tokens))
            text["targets"] += [IGNORE] * len(asked) + [self.words[question.answer], self.words["<|end|>"]]
            text["referents"] += [NOTHING] * len(asked) + [single, NOTHING]
            look = [i in question.about for i in range(MAX_OBJECTS)]
            text["about"] += [[False] * MAX_OBJECTS] * len(asked) + [look, [False] * MAX_OBJECTS]
            text["counts"] += [False] * len(asked) + [question.type in COUNTING, False]
        return text


def _moment(scene: Scene, time: float) -> Scene:
    """The things that are there at `time`, resting where they are (at least one)."""
    shown = [t for t in scene.things if t.visible(time)] or [scene.things[0]]
    rest = {"motion": "still", "phase": "start", "appears": 0.0, "vanishes": 1.0}
    return replace(scene, things=tuple(replace(t, begin=t.center(time), finish=t.center(time), **rest) for t in shown))


def _to_middle(scene: Scene, times: np.ndarray, owner: np.ndarray) -> np.ndarray:
    """owner: (F, PATCH_ROWS, PATCH_ROWS), the thing that covers each patch's middle; 0 where there is none."""
    offsets = np.zeros((*owner.shape, 2), dtype=np.float32)
    for index, thing in enumerate(scene.things):
        frame, row, column = np.nonzero(owner == index)
        x, y = np.array([thing.center(float(time)) for time in times])[frame].T
        here = ((column + 0.5) / PATCH_ROWS, (row + 0.5) / PATCH_ROWS)
        offsets[frame, row, column] = np.stack([x - here[0], y - here[1]], axis=1) * TOKEN_ROWS
    return offsets


def _centers(scene: Scene, times: np.ndarray) -> np.ndarray:
    """Each middle is shared by the four tokens around it (bilinear weights): a small error of place stays small."""
    shares = np.zeros((len(times), TOKEN_ROWS, TOKEN_ROWS), dtype=np.float32)
    cells = np.arange(TOKEN_ROWS)
    for frame, time in enumerate(times):
        for thing in scene.things:
            if thing.visible(float(time)):
                x, y = (np.maximum(0, 1 - abs(at * TOKEN_ROWS - 0.5 - cells)) for at in thing.center(float(time)))
                shares[frame] += np.outer(y, x)
    return shares
