"""The recipe of the embedded model: its stages, and the learning rate at each step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from training.questions import TYPES

MAX_ANSWER_SKEW = 1.5  # times as often as another may an answer of a type come
THREES = 0.15  # share of the videos that surely show three things of a kind
WIDE = 0.8  # share of the videos that are of the wide world
# Questions of each type asked of one video, at most: more of those that are learnt late.
NONE = dict.fromkeys(TYPES, 0)
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
    peak: float  # learning rate
    draws: Mapping[str, int]

    @property
    def asks(self) -> bool:
        """Whether questions are asked; otherwise the vision side alone is trained, and after it is not."""
        return any(self.draws.values())


SETTLE = (
    BatchSpec(8, 4, "merge", (0.2, 0.35)),
    BatchSpec(8, 2),
    BatchSpec(4, 6, "place", (0.2, 0.5)),
    BatchSpec(16, 2, "merge", (0.06, 0.25)),
    BatchSpec(8, 2),
    BatchSpec(4, 6, "drop", (0.5, 1.0)),
    BatchSpec(8, 4, "merge", (0.2, 0.35)),
    BatchSpec(1, 16, "merge", (0.25, 1.0)),
    BatchSpec(8, 2),
    BatchSpec(32, 1, "place", (0.05, 0.2)),
)
# On one core of a CPU a step takes some two to three seconds, so all of them three hours.
RECIPE = (
    Stage("see", 1000, (BatchSpec(2, 10),), 1.5e-3, NONE),
    Stage("closer", 2000, (BatchSpec(1, 20),), 1e-3, NONE),
    Stage("settle", 1500, SETTLE, 3e-4, LATE),
)


def learning_rate(stage: Stage, step: int) -> float:
    """Warm up over 100 steps, then level; over the second half of a stage it falls linearly to zero."""
    return stage.peak * min(1.0, (step + 1) / 100, (stage.steps - step) / (stage.steps / 2))
