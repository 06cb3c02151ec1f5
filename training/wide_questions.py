"""Wide questions: about either world in many wordings, each with a clear answer of a word or a sentence."""

from __future__ import annotations

import re
from functools import cache

import numpy as np

from training.questions import Question, all_choices, choose, kinds
from training.wide_scene import WideScene, WideThing, is_clear
from training.wordings import ASKED, KEPT, TOLD, WIDE_ANSWERS, sentence
from training.world import Scene, place_of

UNMARKED = 0.1  # share of training's questions without their last punctuation mark, as people type


def wide_choices(scene: Scene | WideScene, kind: str, rng: np.random.Generator, times: np.ndarray) -> dict[str, list]:
    """As `questions.all_choices`, without answers that frames at `times` do not show clearly; counts go higher."""
    if isinstance(scene, Scene):
        return all_choices(scene, kind, rng)
    if kind == "count_kind":
        counted = [(str(len(who)), ({"kind": name}, who)) for name, who in kinds(scene).items()]
        return {n: [c for m, c in counted if m == n] for n in WIDE_ANSWERS[kind] if any(m == n for m, _ in counted)}
    found = all_choices(scene, kind, rng)
    if kind not in ("position", "begins", "ends"):
        return found
    clear = {a: [o for o in own if _in_a_corner(scene.things[o[1][0]], kind, times)] for a, own in found.items()}
    return {answer: own for answer, own in clear.items() if own}


def word_question(kind: str, choices: dict[str, list], rng: np.random.Generator, kept: float = 0.0) -> Question:
    """A question about one of the choices, drawn at random; kept: share of wordings that training never uses."""
    word, words, about = choose(choices, rng)
    if rng.random() < kept:
        wording = KEPT[kind][int(rng.integers(len(KEPT[kind])))]
    else:
        options = ASKED[kind] + TOLD[kind]
        wording = options[int(rng.integers(len(options)))]
    text = wording.format(**words)
    if not kept and rng.random() < UNMARKED:
        text = text[:-1]
    if wording.endswith("?"):
        return Question(kind, text, word, about, word)
    said, others = sentence(kind, word, words), _others(kind, word)
    return Question(
        kind, text, said, about, word, _keys(said, [sentence(kind, other, words) for other in others], word)
    )


def ask_wide(scene: WideScene, kind: str, rng: np.random.Generator, times: np.ndarray, kept: float = 0.0):
    """A question of type `kind` that frames at `times` answer clearly; None if there is none."""
    choices = wide_choices(scene, kind, rng, times)
    return word_question(kind, choices, rng, kept) if choices else None


def split_words(text: str) -> list[str]:
    """The words and marks of a text, as the tokenizer splits it."""
    return re.findall(r"[^\s?,.]+|[?,.]", text)


@cache
def _others(kind: str, word: str) -> tuple[str, ...]:
    """Up to three other answers, which is enough to tell where sentences differ."""
    return tuple(answer for answer in WIDE_ANSWERS[kind] if answer != word)[:3]


def _keys(said: str, others: list[str], word: str) -> tuple[int, ...]:
    """Places of the words where a sentence first differs from those of other answers, and of the word that answers."""
    own = split_words(said)
    places = set()
    for other in map(split_words, others):
        places.add(next(i for i, (a, b) in enumerate(zip(own, other, strict=False)) if a != b))
    return tuple(sorted(places | {own.index(word)}))


def _in_a_corner(thing: WideThing, kind: str, times: np.ndarray) -> bool:
    """Whether frames show clearly in which corner a thing is, the same as at the moment that is asked about."""
    moments = {"position": (0.0, 1.0), "begins": (0.0, float(times[0])), "ends": (float(times[-1]), 1.0)}[kind]
    return all(is_clear(thing, t) for t in moments) and len({place_of(thing.center(t)) for t in moments}) == 1
