"""Long videos for evaluation: 64 to 256 frames of things at rest; what is asked about is there for a few of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from training.eval_sets import Item, balanced_set
from training.questions import Question
from training.world import Scene, Thing, make_scene

LONG_SEED = 2412_03250
NUM_FRAMES = (64, 256)  # every brief thing is in at least one frame, and in 3 to 5 % of them
KINDS = ("color", "shape", "exist", "position")
BRIEF = (0.03, 0.05)  # how long a brief thing is there, in shares of the clip
ROUNDS = 2  # up to two brief things in a video, both asked about


def make_long_scene(seed: int) -> Scene:
    """A still scene without grain, up to half of whose things (the first, or the first two) are there for a moment.

    Frames differ only by what is there, so that most of them are the same, as in the film of a watchman's camera.
    """
    rng = np.random.default_rng([seed, 1])
    scene = make_scene(seed, static=True)
    num_brief = (len(scene.things) + 1) // 2
    brief = tuple(_briefly(rng, thing) for thing in scene.things[:num_brief])
    return replace(scene, things=brief + scene.things[num_brief:], grain=0.0)


def is_brief(thing: Thing) -> bool:
    return thing.vanishes - thing.appears < 2 * BRIEF[1]


def long_set(per_type: int) -> list[Item]:
    """At least `per_type` questions of each of KINDS about brief things, all answers of a type equally often.

    A question about something that is not there names the colour or the shape of a thing that is.
    """
    return balanced_set(make_long_scene, LONG_SEED, per_type, KINDS, _about_brief, ROUNDS)


def _briefly(rng: np.random.Generator, thing: Thing) -> Thing:
    length = float(rng.uniform(*BRIEF))
    appears = float(rng.uniform(0.02, 0.98 - length))
    return replace(thing, phase="middle" if appears < 0.5 else "end", appears=appears, vanishes=appears + length)


def _about_brief(scene: Scene, question: Question) -> bool:
    return all(is_brief(scene.things[i]) for i in question.about)
