"""Order: held-out videos with all their questions, in an order of which any first so many are a fair draw."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

import numpy as np

from aim_core.digest import digest
from training.eval_sets import HELD_OUT_SEED, NUM_FRAMES, WIDE_SEED, Item, held_out_set, wide_held_out_set
from training.questions import Question

SETS = {"held_out": held_out_set, "wide": wide_held_out_set}
SEEDS = {"held_out": (HELD_OUT_SEED, 2412_03260), "wide": (WIDE_SEED, 2412_03262)}
PER_TYPE = 160  # all of it is made even if fewer are asked, so that more later are more of it


@dataclass(frozen=True, eq=False)
class Asked:
    """A video with all its questions.

    set, seed: of SETS, and what it was drawn from. video: a hash of the frames, (NUM_FRAMES, H, W, 3) uint8.
    """

    set: str
    seed: int
    video: str
    frames: np.ndarray
    questions: tuple[Question, ...]


def videos(name: str, seed: int, number: int) -> Iterator[Asked]:
    """Videos of a set of SETS until so many questions were asked about them, or all."""
    for own in drawn(SETS[name](PER_TYPE, seed=seed), seed):
        if number <= 0:
            return
        number -= len(own)
        frames = own[0].frames(NUM_FRAMES)
        yield Asked(name, seed, digest(frames)[:16], frames, tuple(item.question for item in own))


def drawn(items: Sequence[Item], seed: int) -> list[list[Item]]:
    """The items of each video, in an order of the videos drawn by the seed, but those with most questions first.

    The others, asked for the few answers that were still missing, would cost nearly as much for less.
    """
    of_video = [list(own) for _, own in groupby(items, key=attrgetter("video"))]
    order = np.random.default_rng(seed).permutation(len(of_video)).tolist()
    return sorted((of_video[idx] for idx in order), key=len, reverse=True)
