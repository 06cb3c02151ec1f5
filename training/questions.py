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
    """One question. `about` are the indices of the things that one has to look at; none if they are not there.

    answer: what is to be said; word: the one word of it that tells, for most questions all of it.
    keys:   which tokens of the answer depend on what is shown.
    """

    type: str
    text: str
    answer: str
    about: tuple[int, ...]
    word: str = ""
    keys: tuple[int, ...] = (0,)

    def __post_init__(self):
        object.__setattr__(self, "word", self.word or self.answer)

    def accepts(self, said: str) -> bool:
        """Whether what was said is right: all that is to be said, or the telling word alone."""
        return said in (self.answer, self.word)


def ask(scene: Scene, kind: str, rng: np.random.Generator) -> Question | None:
    """A question of type `kind`, its answer drawn evenly from those that the scene allows; None if there is none."""
    choices = all_choices(scene, kind, rng)
    if not choices:
        return None
    answer, words, about = choose(choices, rng)
    wording = WORDINGS[kind][int(rng.integers(len(WORDINGS[kind])))]
    return Question(kind, wording.format(**words), answer, about)


def all_choices(scene: Scene, kind: str, rng: np.random.Generator) -> dict[str, list]:
    """By answer, the words of each question of a type and the things that it is about."""
    return _CHOICES[kind](scene, rng)


def choose(choices: dict[str, list], rng: np.random.Generator) -> tuple[str, dict[str, str], tuple[int, ...]]:
    """Answer, words and things of one of the choices, every answer as likely as another."""
    answers = sorted(choices)
    answer = answers[int(rng.integers(len(answers)))]
    options = choices[answer]
    words, about = options[int(rng.integers(len(options)))]
    return answer, words, about


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


def kinds(scene: Scene) -> dict[str, tuple[int, ...]]:
    """Which things there are of every kind that can be named."""
    things = list(enumerate(scene.things))
    colored = {f"{c} objects": tuple(i for i, t in things if t.color == c) for c in COLOR_NAMES}
    return colored | {plural(s): tuple(i for i, t in things if t.shape == s) for s in SHAPES}


def plural(shape: str) -> str:
    return shape + ("es" if shape == "cross" else "s")


def _count_kind(scene: Scene, rng):
    return _by_answer((str(len(who)), ({"kind": kind}, who)) for kind, who in kinds(scene).items() if len(who) <= 3)


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
    who = kinds(scene)
    sorts = [[k for k in who if k.endswith("objects")], [k for k in who if not k.endswith("objects")]]
    pairs = [(a, b) for sort in sorts for a in sort for b in sort if len(who[a]) != len(who[b])]
    both = [(a, b) for a, b in pairs if who[a] and who[b]]
    chosen = both if both and rng.random() < 0.7 else pairs
    more = {pair: "yes" if len(who[pair[0]]) > len(who[pair[1]]) else "no" for pair in chosen}
    return _by_answer((more[a, b], ({"kind": a, "other": b}, who[a] + who[b])) for a, b in chosen)


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
