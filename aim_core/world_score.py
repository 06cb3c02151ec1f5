"""World score: whether a clip is of the world that a small model was trained on, by its visual tokens.

A model that knows one world answers about any other as if it were its own. `python -m training.world_score` fits the
score to a model's weights and leaves it in the model's folder as `world.json`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from aim_core.weights import weights_hash

FILE = "world.json"


@dataclass(frozen=True)
class WorldCheck:
    """What the score says about one clip: above the limit it is of another world than the model's."""

    score: float
    limit: float

    @property
    def outside(self) -> bool:
        return self.score > self.limit


@dataclass(frozen=True, eq=False)
class WorldScore:
    """A linear score of a clip's `view_statistics`: the higher, the less the clip is like the model's world.

    weights: (4 x width,) float64. offset: of a clip whose statistics are 0. limit: the highest score of its world.
    """

    weights: np.ndarray
    offset: float
    limit: float

    def check(self, views: Sequence[np.ndarray]) -> WorldCheck:
        """views: the visual tokens of each view, (n, width), as `Engine.view_tokens` gives them."""
        return WorldCheck(float(view_statistics(views) @ self.weights + self.offset), self.limit)


def view_statistics(views: Sequence[np.ndarray]) -> np.ndarray:
    """(4 x width,) float64: mean, deviation, maximum and minimum over the tokens of a view, then the mean over views.

    views: (n, width) each. A clip of few views and one of many have the same expectation.
    """
    own = [np.concatenate([v.mean(0), v.std(0), v.max(0), v.min(0)]) for v in (np.float64(view) for view in views)]
    return np.mean(own, axis=0)


def read_world_score(folder: Path) -> WorldScore | None:
    """What was fitted to the model in `folder`; None if nothing was.

    Raises ValueError, with a sentence that says what to do, if it was fitted to other weights.
    """
    path = folder / FILE
    if not path.is_file():
        return None
    record = json.loads(path.read_text(encoding="utf-8"))
    if record["sha256"] != weights_hash(folder):
        raise ValueError(
            f"{path} was fitted to other weights, so the page cannot tell clips of another world; fit it again: "
            f"python -m training.world_score --model {folder}"
        )
    return WorldScore(np.array(record["weights"]), record["offset"], record["limit"])
