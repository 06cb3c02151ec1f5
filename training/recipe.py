"""The recipe of the embedded model: its stages, and the learning rate at each step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from training.questions import TYPES

MAX_ANSWER_SKEW = 1.5  # times as often as another may an answer of a type come
THREES = 0.15  # share of the videos that surely show three things of a kind
WIDE = 0.75  # share of the videos that are of the wide world
SMALLER = 8  # times fewer videos a step without a GPU; the weights that are shipped were trained on one
# Questions of each type asked of one video, at most: as many of each, or more of those that are learnt late.
NONE, EVEN = dict.fromkeys(TYPES, 0), dict.fromkeys(TYPES, 2)
LATE = dict.fromkeys(TYPES, 1) | {"motion": 2, "appears": 3, "order": 6, "count": 2, "count_kind": 10, "compare": 3}


@dataclass(frozen=True)
class BatchSpec:
    """One kind of batch: `videos` of `frames` frames, with a keep ratio of visual tokens drawn between `keep`'s ends.

    how: "drop", "merge" or "place" (see `packed_forward.packed_forward`).
    """

    frames: int
    videos: int
    how: str = "merge"
    keep: tuple[float, float] = (1.0, 1.0)


@dataclass(frozen=True)
class Stage:
    """One part of the recipe; steps go through `batches` in order, again and again."""

    name: str
    steps: int
    batches: tuple[BatchSpec, ...]
    layers: int  # decoder layers in use; deeper ones start as identities; 0 trains what is before them
    peak: float  # learning rate
    cool: bool = False  # end at zero
    counting: float = 2.0  # weight of the heads that count
    number: bool = False  # whether the number of things counted is asked for too
    mean: bool = False  # end with the mean of its first and last weights
    draws: Mapping[str, int] = field(default_factory=EVEN.copy)


PICTURES = (BatchSpec(1, 64), BatchSpec(1, 96, "merge", (0.3, 0.6)), BatchSpec(1, 96, "place", (0.3, 0.6)))
SHORT = (
    BatchSpec(4, 32, "merge", (0.2, 0.5)),
    BatchSpec(2, 48, "place", (0.2, 0.5)),
    BatchSpec(4, 32, "drop", (0.4, 0.7)),
    BatchSpec(6, 24, "merge", (0.15, 0.4)),
    BatchSpec(4, 24),
)
LONG = (
    BatchSpec(8, 24, "merge", (0.12, 0.35)),
    BatchSpec(4, 32, "place", (0.2, 0.5)),
    BatchSpec(8, 16),
    BatchSpec(8, 24, "merge", (0.2, 0.35)),
    BatchSpec(2, 32, "drop", (0.5, 1.0)),
    BatchSpec(6, 24, "place", (0.15, 0.35)),
    BatchSpec(16, 16, "merge", (0.06, 0.25)),
    BatchSpec(4, 24),
    BatchSpec(8, 24, "merge", (0.2, 0.35)),
    BatchSpec(1, 64, "merge", (0.25, 1.0)),
    BatchSpec(12, 16, "place", (0.1, 0.25)),
)
SOUND = (  # much unmerged, since the dense model is what all is compared with, and long clips at little cost
    BatchSpec(8, 16),
    BatchSpec(8, 24, "merge", (0.2, 0.35)),
    BatchSpec(8, 16),
    BatchSpec(16, 16, "merge", (0.06, 0.25)),
    BatchSpec(8, 16),
    BatchSpec(32, 8, "place", (0.05, 0.15)),
    BatchSpec(4, 24),
    BatchSpec(8, 24, "merge", (0.2, 0.35)),
    BatchSpec(8, 16),
    BatchSpec(16, 8),
    BatchSpec(12, 16, "place", (0.1, 0.25)),
    BatchSpec(32, 8, "place", (0.2, 0.4)),
)
EXACT = (  # many things to count, half of the steps without merging
    BatchSpec(8, 24),
    BatchSpec(8, 24, "merge", (0.2, 0.35)),
    BatchSpec(4, 32),
    BatchSpec(8, 24, "merge", (0.3, 0.6)),
    BatchSpec(8, 24),
    BatchSpec(16, 16, "merge", (0.06, 0.25)),
    BatchSpec(8, 24),
    BatchSpec(32, 8, "place", (0.2, 0.4)),
)
EXACT_DRAWS = LATE | {"count_kind": 14}
# 32 frames unmerged take several times as long as another step, so they come once in 25.
# On an H200 with 16 cores to draw for it a step takes 0.07 to 0.11 seconds, so all of them some seven minutes.
RECIPE = (
    Stage("look", 1100, (BatchSpec(2, 256),), 0, 2e-3, cool=True, draws=NONE),
    Stage("pictures", 290, PICTURES, 8, 2e-3),
    Stage("clips", 510, SHORT, 8, 2e-3),
    Stage("mixed", 1020, LONG, 12, 2e-3, draws=LATE),
    Stage("sound", 1100, (*SOUND, *SOUND, BatchSpec(32, 4)), 12, 2e-3, cool=True, draws=LATE),
    Stage("exact", 360, EXACT, 12, 5e-4, cool=True, counting=4.0, number=True, draws=EXACT_DRAWS),
    Stage("mean", 220, EXACT, 12, 4e-4, cool=True, counting=4.0, number=True, mean=True, draws=EXACT_DRAWS),
)


def learning_rate(stage: Stage, step: int) -> float:
    """Warm up over 100 steps, then level; a stage that cools falls linearly to zero over its second half."""
    warm = min(1.0, (step + 1) / 100)
    left = (stage.steps - step) / (stage.steps / 2)
    return stage.peak * min(warm, left if stage.cool else 1.0)
