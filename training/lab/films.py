"""Films: long videos with events as documents of the lab, each question with what it is about."""

from __future__ import annotations

from functools import cache
from itertools import chain, zip_longest

import numpy as np

from aim_lab.documents import Document
from training.lab.items import SceneClip
from training.long_videos import EVENTS, FILM_SEED, Film, film_set
from training.questions import Question

PER_TYPE = 96  # all of it is made even if fewer films are asked about, so that more later are more of it
ABOUT_EVENTS, ABOUT_STEADY = 1, 1  # questions about a film, since another film tells more than another question
STEADY = "steady"  # what a question is about: this, or how many frames surely show the event, as a word
Asked = tuple[Document, str]


def films(num_films: int) -> list[list[Asked]]:
    """So many films with questions about each; any first so many are a fair draw of EVENTS."""
    return _films()[:num_films]


@cache
def _films() -> list[list[Asked]]:
    sorts = [[_asked(film, event, number) for number, film in enumerate(_shuffled(event))] for event in EVENTS]
    return [own for own in chain(*zip_longest(*sorts)) if own]


def _shuffled(event: int) -> list[Film]:
    """Those with as many questions about events as are asked, in an order drawn by chance."""
    found = [film for film in film_set(event, PER_TYPE) if len(film.about_events) >= ABOUT_EVENTS]
    return [found[index] for index in np.random.default_rng([FILM_SEED, event]).permutation(len(found))]


def _asked(film: Film, event: int, number: int) -> list[Asked]:
    clip = SceneClip(f"film {event} {number}", film.scene, max(EVENTS))
    rng = np.random.default_rng([FILM_SEED, event, number])
    about = [(question, str(event)) for question in _drawn(film.about_events, ABOUT_EVENTS, rng)]
    about += [(question, STEADY) for question in _drawn(film.about_steady, ABOUT_STEADY, rng)]
    return [(Document(clip, question.text, question.answer), sort) for question, sort in about]


def _drawn(questions: tuple[Question, ...], number: int, rng: np.random.Generator) -> list[Question]:
    return [questions[index] for index in rng.permutation(len(questions))[:number]]
