"""The recipe of the embedded model: its stages, and the learning rate at each step."""

from __future__ import annotations

from dataclasses import dataclass

PER_TYPE = 2  # questions of each type asked of one video, at most


@dataclass(frozen=True)
class Stage:
    """One part of the recipe. `frames` lists (number of frames, videos a step), taken in turn."""

    name: str
    steps: int
    frames: tuple[tuple[int, int], ...]
    layers: int  # decoder layers in use; deeper ones start as identities
    keep: tuple[float, float]  # share of visual tokens shown (token dropout), drawn evenly between these
    peak: float  # learning rate
    cool: bool = False  # end at zero
    shuffle: bool = False  # mix the order of tokens inside a frame
    all_pairs: bool = False  # show every pair of colour and shape, half of the scenes a late one
    tower_only: bool = False  # without a language model: leave the projector as the language model knows it


ALL, MOST = (1.0, 1.0), (0.85, 0.85)
RECIPE = (
    Stage("look", 900, ((1, 24),), 0, ALL, 2e-3, cool=True),
    Stage("look closer", 700, ((1, 24),), 0, ALL, 1.5e-3, cool=True),
    Stage("pictures", 998, ((1, 16),), 8, ALL, 1.5e-3),
    Stage("clips", 1200, ((4, 8), (2, 12), (4, 8), (6, 6)), 8, (0.6, 0.6), 1.5e-3),
    Stage("deep", 422, ((4, 8), (8, 4), (6, 6), (2, 12), (8, 4), (1, 16), (12, 3)), 12, MOST, 1.2e-3),
    Stage("look again", 220, ((1, 24),), 0, ALL, 6e-4, cool=True, all_pairs=True, tower_only=True),
    Stage(
        "mixed", 1350, ((4, 8), (8, 5), (6, 6), (2, 12), (8, 5), (1, 16), (12, 3)), 12, (0.25, 1.0), 1.2e-3,
        cool=True, shuffle=True, all_pairs=True,
    ),
)  # fmt: skip


def learning_rate(stage: Stage, step: int) -> float:
    """Warm up over 150 steps, then level; a stage that cools falls linearly to zero over its second half."""
    warm = min(1.0, (step + 1) / 150)
    left = (stage.steps - step) / (stage.steps / 2)
    return stage.peak * min(warm, left if stage.cool else 1.0)
