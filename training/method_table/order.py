"""Order: held-out questions in the order of asking, so that any first so many are spread over videos and types."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from aim_core.engine import digest
from training.eval_sets import HELD_OUT_SEED, NUM_FRAMES, Item, held_out_set
from training.questions import Question

SEEDS = (HELD_OUT_SEED, 2412_03260)
PER_TYPE = 160  # as `make evaluate` asks; all of it is made even if fewer are asked, so that more later are more of it
PER_VISIT = 2  # questions about a video before the next one's turn: what is known of a video serves both


@dataclass(frozen=True, eq=False)
class Asked:
    """A question with the frames it is about, (NUM_FRAMES, H, W, 3) uint8, and a hash of them."""

    seed: int
    video: str
    frames: np.ndarray
    question: Question


def questions(seed: int, number: int) -> Iterator[Asked]:
    """The first `number` of a seed's held-out set, or all if it has fewer."""
    for item in islice(spread(held_out_set(PER_TYPE, seed=seed), seed), number):
        frames = item.frames(NUM_FRAMES)
        yield Asked(seed, digest(frames)[:16], frames, item.question)


def spread(items: Sequence[Item], seed: int) -> Iterator[Item]:
    """Two questions about each video, then two more, until all are asked.

    Videos come in an order drawn by the seed; of each video those questions whose types were asked least so far.
    """
    left: dict[int, list[Item]] = {}
    for item in items:
        left.setdefault(item.video, []).append(item)
    drawn = np.random.default_rng(seed).permutation(sorted(left)).tolist()
    asked: Counter = Counter()
    while any(left.values()):
        for video in drawn:
            left[video].sort(key=lambda item: asked[item.question.type])
            visit, left[video] = left[video][:PER_VISIT], left[video][PER_VISIT:]
            asked.update(item.question.type for item in visit)
            yield from visit
