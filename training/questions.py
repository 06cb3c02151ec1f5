"""Questions about a scene, thirteen types, with answers balanced so that none can be guessed from the words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.world import COLORS, MOTIONS, PHASES, PLACES, SHAPES, Scene, Thing, place_of

COLOR_NAMES = tuple(COLORS)
WORDINGS = {
    "color": ("what color is the {shape}?", "which color does the {shape} have?"),
    "shape": ("what shape is the {color} object?", "which shape does the {color} object have?"),
    "count": ("how many objects are there?", "how many objects does the video show?"),
    "count_kind": ("how many {kind} are there?", "how many {kind} does the video show?"),
    "exist": ("is there a {name}?", "does the video show a {name}?"),
    "position": ("where is the {name}?", "in which corner is the {name}?"),
    "motion": ("which way does the {name} move?", "how does the {name} move?"),
    "begins": ("where does the {name} start?", "in which corner does the {name} start?"),
    "ends": ("where does the {name} end?", "in which corner does the {name} end?"),
    "appears": ("when does the {name} appear?", "at which time does the {name} appear?"),
    "vanishes": ("does the {name} vanish?", "is the {name} gone at the end?"),
    "order": ("which appears first, the {name} or the {other}?", "what comes first, the {name} or the {other}?"),
    "compare": ("are there more {kind} than {other}?", "does the video show more {kind} than {other}?"),
}
ANSWERS = {
    "color": COLOR_NAMES,
    "shape": SHAPES,
    "count": ("1", "2", "3", "4"),
    "count_kind": ("0", "1", "2", "3"),
    "exist": ("yes", "no"),
    "position": PLACES,
    "motion": MOTIONS,
    "begins": PLACES,
    "ends": PLACES,
    "appears": PHASES,
    "vanishes": ("yes", "no"),
    "order": COLOR_NAMES,  # two of them are named in the question
    "compare": ("yes", "no"),
}
TYPES = tuple(WORDINGS)
# The fewest sampled frames from which a type can be answered.
FEWEST_FRAMES = dict.fromkeys(TYPES, 1) | {"motion": 2, "begins": 2, "ends": 2, "appears": 4, "vanishes": 4, "order": 4}
CHANCE = {kind: 0.5 if kind == "order" else 1 / len(answers) for kind, answers in ANSWERS.items()}


@dataclass(frozen=True)
class Question:
    """One question. `about` are the indices of the things that one has to look at; none if they are not there."""

    type: str
    text: str
    answer: str
    about: tuple[int, ...]


def ask(scene: Scene, kind: str, rng: np.random.Generator) -> Question | None:
    """A question of type `kind`, its answer drawn evenly from those that the scene allows; None if there is none."""
    choices = _CHOICES[kind](scene, rng)
    if not choices:
        return None
    answers = sorted(choices)
    answer = answers[int(rng.integers(len(answers)))]
    options = choices[answer]
    words, about = options[int(rng.integers(len(options)))]
    wording = WORDINGS[kind][int(rng.integers(len(WORDINGS[kind])))]
    return Question(kind, wording.format(**words), answer, about)


def _by_answer(pairs) -> dict[str, list]:
    """Group (answer, (words, about)) by answer."""
    groups: dict[str, list] = {}
    for answer, option in pairs:
        groups.setdefault(answer, []).append(option)
    return groups


def _colors(scene: Scene, rng):
    shapes = [t.shape for t in scene.things]
    return _by_answer(
        (t.color, ({"shape": t.shape}, (i,))) for i, t in enumerate(scene.things) if shapes.count(t.shape) == 1
    )


def _shapes(scene: Scene, rng):
    colors = [t.color for t in scene.things]
    return _by_answer(
        (t.shape, ({"color": t.color}, (i,))) for i, t in enumerate(scene.things) if colors.count(t.color) == 1
    )


def _count(scene: Scene, rng):
    return {str(len(scene.things)): [({}, tuple(range(len(scene.things))))]}


def _kinds(scene: Scene) -> dict[str, tuple[int, ...]]:
    """Which things there are of every kind that can be named."""
    things = list(enumerate(scene.things))
    kinds = {f"{c} objects": tuple(i for i, t in things if t.color == c) for c in COLOR_NAMES}
    return kinds | {plural(s): tuple(i for i, t in things if t.shape == s) for s in SHAPES}


def plural(shape: str) -> str:
    return shape + ("es" if shape == "cross" else "s")


def _count_kind(scene: Scene, rng):
    return _by_answer((str(len(who)), ({"kind": kind}, who)) for kind, who in _kinds(scene).items() if len(who) <= 3)


def _exist(scene: Scene, rng):
    """A `no` names a colour or a shape that is there, so that one attribute alone does not tell."""
    shown = {(t.color, t.shape) for t in scene.things}
    colors, shapes = {c for c, _ in shown}, {s for _, s in shown}
    near = [(c, s) for c in COLOR_NAMES for s in SHAPES if (c in colors or s in shapes) and (c, s) not in shown]
    both = [(c, s) for c, s in near if c in colors and s in shapes]
    absent = both if both and rng.random() < 0.5 else near
    there = [("yes", ({"name": t.name}, (i,))) for i, t in enumerate(scene.things)]
    return _by_answer(there + [("no", ({"name": f"{c} {s}"}, ())) for c, s in absent])


def _about(accepts, answer):
    """Choices of a type that asks one thing for a property."""

    def choices(scene: Scene, rng):
        found = [(i, t) for i, t in enumerate(scene.things) if accepts(t)]
        return _by_answer((answer(t), ({"name": t.name}, (i,))) for i, t in found)

    return choices


def _moves(thing: Thing) -> bool:
    return thing.motion != "still"


def _order(scene: Scene, rng):
    pairs = []
    for i, one in enumerate(scene.things):
        for j, other in enumerate(scene.things):
            apart = PHASES.index(other.phase) - PHASES.index(one.phase)
            if apart and one.color != other.color:
                first = one if apart > 0 else other
                pairs.append((first.color, ({"name": one.name, "other": other.name}, (i, j))))
    return _by_answer(pairs)


def _compare(scene: Scene, rng):
    """Kinds of one sort (colour or shape), with different counts, at least one of them shown."""
    kinds = _kinds(scene)
    sorts = [[k for k in kinds if k.endswith("objects")], [k for k in kinds if not k.endswith("objects")]]
    pairs = [(a, b) for sort in sorts for a in sort for b in sort if len(kinds[a]) != len(kinds[b])]
    both = [(a, b) for a, b in pairs if kinds[a] and kinds[b]]
    chosen = both if both and rng.random() < 0.7 else pairs
    more = {pair: "yes" if len(kinds[pair[0]]) > len(kinds[pair[1]]) else "no" for pair in chosen}
    return _by_answer((more[a, b], ({"kind": a, "other": b}, kinds[a] + kinds[b])) for a, b in chosen)


_CHOICES = {
    "color": _colors,
    "shape": _shapes,
    "count": _count,
    "count_kind": _count_kind,
    "exist": _exist,
    "position": _about(lambda t: not _moves(t), lambda t: place_of(t.begin)),
    "motion": _about(lambda t: t.phase == "start" and t.stays, lambda t: t.motion),
    "begins": _about(_moves, lambda t: place_of(t.begin)),
    "ends": _about(_moves, lambda t: place_of(t.finish)),
    "appears": _about(lambda t: True, lambda t: t.phase),
    "vanishes": _about(lambda t: True, lambda t: "no" if t.stays else "yes"),
    "order": _order,
    "compare": _compare,
}
