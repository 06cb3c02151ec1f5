"""Long videos for evaluation: things at rest, and what is asked about is there for a few of up to 256 frames."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from training.eval_sets import FIRST_SEED, Item, balanced_set
from training.questions import Question
from training.world import Scene, Thing, make_scene

LONG_SEED = 2412_03250
NUM_FRAMES = (64, 256)  # every brief thing is in at least one frame, and in 3 to 5 % of them
KINDS = ("color", "shape", "exist", "position")
BRIEF = (0.03, 0.05)  # how long a brief thing is there, in shares of the clip
ROUNDS = 2  # up to two brief things in a video, both asked about
FILM_SEED = 2412_03258
EVENT_KINDS = (*KINDS, "order")
STEADY_KINDS = ("color", "shape", "position")
EVENTS = (32, 64, 128, 256)  # so many frames surely show an event of a film; of half as many, a frame shows it or none
LASTS = (1.01, 1.2)  # how long an event is, in the time between two of so many frames


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


def make_film(seed: int, event: int) -> Scene:
    """As `make_long_scene`, of two things or more; those that are there for a moment are events of one of EVENTS."""
    rng = np.random.default_rng([seed, 2])
    scene = make_scene(seed, static=True)
    while len(scene.things) < 2:
        scene = make_scene(FIRST_SEED + int(rng.integers(2**62)), static=True)
    num_brief = (len(scene.things) + 1) // 2
    brief = tuple(_briefly(rng, thing, (LASTS[0] / event, LASTS[1] / event)) for thing in scene.things[:num_brief])
    return replace(scene, things=brief + scene.things[num_brief:], grain=0.0)


@dataclass(frozen=True)
class Film:
    """A scene with events, and questions about these and about what is there all the time."""

    scene: Scene
    about_events: tuple[Question, ...]
    about_steady: tuple[Question, ...]


def film_set(event: int, per_type: int) -> list[Film]:
    """Films with events of one of EVENTS, each with questions of both sorts.

    per_type: questions of each of EVENT_KINDS and STEADY_KINDS at least, all answers of a type about equally often.
    """
    make, scenes = partial(make_film, event=event), dict[int, Scene]()
    sorts: list[dict[int, list[Question]]] = []
    for kinds, accepts in ((EVENT_KINDS, _about_brief), (STEADY_KINDS, _about_steady)):
        sorts.append({})
        for item in balanced_set(make, FILM_SEED + event, per_type, kinds, accepts, ROUNDS):
            scenes[item.video] = item.scene
            sorts[-1].setdefault(item.video, []).append(item.question)
    both = sorted({*sorts[0]} & {*sorts[1]})
    return [Film(scenes[video], *(tuple(sort[video]) for sort in sorts)) for video in both]


def _briefly(rng: np.random.Generator, thing: Thing, lasts: tuple[float, float] = BRIEF) -> Thing:
    length = float(rng.uniform(*lasts))
    appears = float(rng.uniform(0.02, 0.98 - length))
    return replace(thing, phase="middle" if appears < 0.5 else "end", appears=appears, vanishes=appears + length)


def _about_brief(scene: Scene, question: Question) -> bool:
    return all(is_brief(scene.things[i]) for i in question.about)


def _about_steady(scene: Scene, question: Question) -> bool:
    return not any(is_brief(scene.things[i]) for i in question.about)
