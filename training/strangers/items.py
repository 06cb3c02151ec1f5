"""Items: rows of the strangers' table, and four questions about each of their clips."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import count

import numpy as np

from training.eval_sets import bucket
from training.questions import TYPES, Question, ask
from training.strangers.clips import Clip, Look
from training.strangers.random_clips import make_canvas, make_clip

STRANGERS_SEED = 2412_03253
CLIPS, PER_CLIP = 25, 4  # of a row; questions of a clip, each of another type
DRAWS = 4  # how often a clip is asked for the answer that came least
TRIES = 12

# What a row's name does not say is as in "dim": dim plain ground, normal size, upright, square, never compressed.
LOOKS = {
    "ground": {name: Look(name) for name in
               ("dim", "black", "grey", "white", "coloured", "gradient", "scenery", "photograph")},
    "size": {"small": Look(size="small"), "large": Look(size="large")},
    "turn": {"half a radian": Look(turn=0.5), "any": Look(turn=None)},
    "frame": {"16:9": Look(shape=(480, 270)), "portrait": Look(shape=(270, 480))},
    "file": {"H.264": Look(crf=23), "H.264, low rate": Look(crf=38)},
}  # fmt: skip
MIXED = "everything at once"


@dataclass(frozen=True)
class StrangersItem:
    """One question about one clip. Items with the same `video` share their clip.

    axis, row: where in the table it belongs.
    """

    video: int
    axis: str
    row: str
    clip: Clip
    question: Question

    def frames(self, num_frames: int) -> np.ndarray:
        return self.clip.frames(num_frames)


def strangers_set(clips: int = CLIPS, seed: int = STRANGERS_SEED) -> list[StrangersItem]:
    """All rows, `clips` clips of each, sorted by video; types and their answers about equally often."""
    items: list[StrangersItem] = []
    asked: Counter = Counter()
    rows = [(axis, row) for axis, looks in LOOKS.items() for row in looks] + [("all", MIXED)]
    for number, (axis, row) in enumerate(rows):
        for idx in range(clips):
            video = number * clips + idx
            clip, questions = _clip_with_questions((seed, number, idx), axis, row, asked)
            items += [StrangersItem(video, axis, row, clip, question) for question in questions]
    return items


def _clip_with_questions(seed: tuple[int, ...], axis: str, row: str, asked: Counter) -> tuple[Clip, list[Question]]:
    """The first clip of a seed that can be asked for the two types that came least, and two more types of it.

    Large things leave little room: after TRIES clips one of the two is enough, then none.
    """
    order = sorted(TYPES, key=lambda kind: (asked[kind], TYPES.index(kind)))
    rng = np.random.default_rng(seed)
    canvas = make_canvas(seed, _mixed(rng) if row == MIXED else LOOKS[axis][row])
    for tries in count():
        clip = make_clip(canvas, rng)
        found = [_rarest(clip, kind, rng, asked) for kind in order]
        questions = [question for question in found if question][:PER_CLIP]
        if all(found[: max(0, 2 - tries // TRIES)]) and len(questions) == PER_CLIP:
            break
    for question in questions:
        asked.update([question.type, (question.type, bucket(question))])
    return clip, questions


def _rarest(clip: Clip, kind: str, rng, asked: Counter) -> Question | None:
    """Of some questions of a type the one whose answer came least so far; None if the clip allows none."""
    drawn = [question for _ in range(DRAWS) if (question := ask(clip, kind, rng))]
    return min(drawn, key=lambda question: asked[kind, bucket(question)], default=None)


def _mixed(rng) -> Look:
    """A look with every trait drawn by itself."""
    grounds, shapes = list(LOOKS["ground"]), [(320, 320), *(look.shape for look in LOOKS["frame"].values())]
    return Look(
        ground=grounds[int(rng.integers(len(grounds)))],
        size=str(rng.choice(["small", "normal", "large"])),
        turn=None,
        shape=shapes[int(rng.integers(len(shapes)))],
        style=str(rng.choice(["flat", "outlined", "shadowed"])),
        crf=(None, 23, 38)[int(rng.integers(3))],
    )
