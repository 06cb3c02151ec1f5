"""Held-out questions: a combination never trained on in every scene; all answers of a type equally often."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from operator import attrgetter

import numpy as np

from training.batches import FEWEST_VISITED
from training.build import IMAGE_SIZE
from training.drawing import render
from training.questions import ANSWERS, FEWEST_FRAMES, TYPES, Question, ask
from training.wide_questions import ask_wide
from training.wide_scene import WideScene
from training.wide_world import make_wide_scene
from training.wordings import WIDE_ANSWERS
from training.world import COLORS, Scene, frame_times, held_out, make_scene

HELD_OUT_SEED = 2412_03252  # for what is reported
WIDE_SEED = 2412_03254  # for what is reported about the wide world
DEVELOPMENT_SEED = 2412_03248  # for choices while a recipe is made
FIRST_SEED = 2**62  # training draws its scenes' seeds below this
PER_VIDEO = 6  # most questions about one video, each of another type
DRAWS = 6  # tries to draw a question from a scene whose answer is still wanted
NUM_FRAMES = 8  # every question can be answered from so many frames
KEPT_SHARE = 0.5  # of the wide questions are asked in wordings that training never used
CONTROL_SHARE = 8  # one question in so many is asked again with the wrong video
ABOUT_MANY = ("count", "count_kind", "order", "compare")


@dataclass(frozen=True)
class Item:
    """One question about one video. Items with the same `video` share their scene."""

    video: int
    scene: Scene | WideScene
    question: Question

    def frames(self, num_frames: int) -> np.ndarray:
        """(num_frames, IMAGE_SIZE, IMAGE_SIZE, 3) uint8."""
        return render(self.scene, frame_times(num_frames), IMAGE_SIZE)

    @property
    def combination(self) -> str | None:
        """Whether training showed the colour, shape and action of the one thing asked about: "seen" or "unseen".

        None for other questions, and where a thing appears or vanishes that training shows doing both, as a visitor.
        """
        if self.question.type in ABOUT_MANY or len(self.question.about) != 1:
            return None
        thing = self.scene.things[self.question.about[0]]
        if not held_out(thing.color, thing.shape, thing.action):
            return "seen"
        return "unseen" if thing.motion != "still" else None


def buckets(kind: str, answers: Mapping[str, Sequence[str]] = ANSWERS) -> Sequence[str]:
    """The classes made equally frequent: the answers, or for `order` which of the two things named is right."""
    return ("first named", "second named") if kind == "order" else answers[kind]


def bucket(question: Question) -> str:
    """Which of `buckets` a question is in."""
    if question.type != "order":
        return question.word
    first_color = next(word for word in question.text.split() if word in COLORS)
    return "first named" if question.word == first_color else "second named"


def held_out_set(per_type: int, num_frames: int = NUM_FRAMES, seed: int = HELD_OUT_SEED) -> list[Item]:
    """At least `per_type` questions of each type that `num_frames` frames can answer, all its buckets equally full.

    Sorted by video. Fewer frames than a visitor needs to be seen get other videos, without visitors.
    seed: HELD_OUT_SEED or DEVELOPMENT_SEED.
    """
    visits = num_frames >= FEWEST_VISITED
    kinds = [kind for kind in TYPES if FEWEST_FRAMES[kind] <= num_frames]
    return balanced_set(lambda seed: make_scene(seed, True, visits=visits), seed + (not visits), per_type, kinds)


def wide_held_out_set(
    per_type: int, num_frames: int = NUM_FRAMES, seed: int = WIDE_SEED, kept: float = KEPT_SHARE
) -> list[Item]:
    """As `held_out_set`, of the wide world: in each scene a combination never trained on; answers may be sentences.

    kept: share of the questions in a wording never trained on.
    """
    visits, times = num_frames >= FEWEST_VISITED, frame_times(num_frames)
    kinds = [kind for kind in TYPES if FEWEST_FRAMES[kind] <= num_frames]
    return balanced_set(
        lambda seed: make_wide_scene(seed, True, visits=visits),
        seed,
        per_type,
        kinds,
        asks=lambda scene, kind, rng: ask_wide(scene, kind, rng, times, kept),
        answers=WIDE_ANSWERS,
    )


def balanced_set(
    make: Callable[[int], Scene | WideScene],
    first: int,
    per_type: int,
    kinds: Sequence[str] = TYPES,
    accepts: Callable[[Scene, Question], bool] = lambda scene, question: True,
    rounds: int = 1,
    asks: Callable[[Scene, str, np.random.Generator], Question | None] = ask,
    answers: Mapping[str, Sequence[str]] = ANSWERS,
) -> list[Item]:
    """Questions about scenes until every bucket of every kind is full; the same each time.

    make:    a scene from a seed that training never uses; first: what the seeds are drawn from.
    accepts: which questions may be asked; rounds: how often a video is asked for each kind, about other things.
    asks:    what asks a question of a kind; answers: all that it may answer, by kind.
    """
    names = {kind: buckets(kind, answers) for kind in kinds}
    missing = {(kind, name): math.ceil(per_type / len(own)) for kind, own in names.items() for name in own}
    items: list[Item] = []
    for video in count():
        rng = np.random.default_rng([first, video])
        scene, asked = make(FIRST_SEED + int(rng.integers(2**62))), []
        for _ in range(rounds):
            asked += _wanted(scene, rng, missing, accepts, asked, asks)
        items += [Item(video, scene, question) for question in asked]
        if not any(missing.values()):
            return items


def wrong_videos(items: list[Item], share: int = CONTROL_SHARE) -> list[Item]:
    """One in `share` of the items, evenly over types and answers, each asked of another video instead of its own.

    Not of a neighbour: the last videos are asked for the few answers that were still missing, so they are alike.
    """
    scenes = {item.video: item.scene for item in items}
    numbers = np.random.default_rng(0).permutation(sorted(scenes)).tolist()
    following = dict(zip(numbers, numbers[1:] + numbers[:1], strict=True))
    chosen: list[Item] = []
    for kind in TYPES:
        same = sorted((i for i in items if i.question.type == kind), key=lambda i: bucket(i.question))
        chosen += same[share // 2 :: share] or same[:1]
    moved = [replace(i, video=following[i.video], scene=scenes[following[i.video]]) for i in chosen]
    return sorted(moved, key=attrgetter("video"))


def _wanted(scene, rng, missing: dict, accepts: Callable, asked: list, asks: Callable) -> list[Question]:
    """Up to PER_VIDEO questions of different types that fill what is missing; the emptiest types come first."""
    left, known = Counter(), {(question.type, question.about) for question in asked}
    for (kind, _), number in missing.items():
        left[kind] += number
    found: list[Question] = []
    for kind in sorted((k for k in left if left[k]), key=lambda k: (-left[k], rng.random())):
        for _ in range(DRAWS):
            question = asks(scene, kind, rng)
            if not question or not missing.get((kind, bucket(question))) or (kind, question.about) in known:
                continue
            if accepts(scene, question):
                missing[kind, bucket(question)] -= 1
                found.append(question)
                break
        if len(found) == PER_VIDEO:
            break
    return found
