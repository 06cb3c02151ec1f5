"""AimConfig: the few numbers that say how much is merged before the language model and pruned inside it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Integral, Real

_PAPER_DEPTH, _PAPER_L1, _PAPER_L2 = 28, 14, 22  # Qwen2-7B and its schedule (arXiv 2412.03248)
_CHOICES = {
    "positions": ("sequential", "original"),
    "scores": ("pagerank", "pagerank_causal", "pagerank_over_uniform"),
    "mode": ("dropped", "masked"),
}
_BEYOND_ANY_DEPTH = 1_000_000  # a layer that no model has


@dataclass(frozen=True)
class LinearSchedule:
    """How many visual tokens enter each layer: all up to `l1`, none from `l2` on, linear between (paper, section 3).

    Raises ValueError unless 0 <= l1 < l2.
    """

    l1: int
    l2: int

    def __post_init__(self):
        for name in ("l1", "l2"):
            check_whole(name, getattr(self, name))
        if not 0 <= self.l1 < self.l2:
            raise ValueError(f"layers must satisfy 0 <= l1 < l2, got l1={self.l1} and l2={self.l2}")

    def layer_ratio(self, layer: int) -> float:
        """Share of visual tokens entering `layer`: 1 up to `l1`, linear to 0 at `l2` (paper, section 3)."""
        return min(1.0, max(0.0, (self.l2 - layer) / (self.l2 - self.l1)))

    def tokens_entering(self, num_visual: int, num_layers: int) -> list[int]:
        """Visual tokens entering each of `num_layers` layers: the floor of `layer_ratio` x `num_visual`.

        Counted in integers, so that a share like 7/10 of 10 tokens is never one short.
        """
        _check_depth(num_layers)
        if num_visual < 0:
            raise ValueError(f"num_visual must be at least 0, got {num_visual}")
        steps = self.l2 - self.l1
        return [min(steps, max(0, self.l2 - layer)) * num_visual // steps for layer in range(num_layers)]

    def prunes(self, num_layers: int) -> bool:
        """Whether any layer of a model of `num_layers` layers is given fewer visual tokens than layer 0."""
        return self.l1 < num_layers - 1


@dataclass(frozen=True)
class FlooredSchedule:
    """A linear schedule that stops falling at a share `floor` of the tokens, in [0, 1], rounded up (ours)."""

    falling: LinearSchedule
    floor: float

    def tokens_entering(self, num_tokens: int, num_layers: int) -> list[int]:
        """As in `LinearSchedule`."""
        least = math.ceil(round(num_tokens * self.floor, 9))
        return [max(least, count) for count in self.falling.tokens_entering(num_tokens, num_layers)]


@dataclass(frozen=True)
class AimConfig:
    """Settings of one run (arXiv 2412.03248); the defaults are the paper's for video.

    keep_ratio:  share of visual tokens still there after merging, in (0, 1].
    l1, l2:      every merged token enters layers up to `l1`, none enters `l2` or later, linear between.
    temperature: the attention logits are divided by it before the PageRank softmax.
    iterations:  PageRank steps.
    teleport:    share of PageRank's mass that is spread evenly at each step, in [0, 1).
    positions:   "sequential" numbers the shorter prompt anew, as released; "original" lets a merged token keep
                 the position of the patch it was merged into, and text its own (ours).
    scores:      "pagerank", as released; "pagerank_causal" divides a token's score by the number of rows that
                 can see it, "pagerank_over_uniform" by what it would be if all attended alike (ours).
    audio_keep_ratio: share of audio tokens still there after merging inside each chunk of two seconds, in (0, 1];
                 only for families that hear. 1 by default (ours).
    audio_floor: share of the merged audio tokens that every layer keeps, in [0, 1]: they follow the same layers l1 and
                 l2, down to this share. 1 by default, none is pruned (ours).
    mode:        "dropped" takes pruned tokens out of the sequence; "masked", as released, hides them.

    Raises ValueError with the value and the rule it broke.
    """

    keep_ratio: float = 0.25
    l1: int = 14
    l2: int = 22
    temperature: float = 0.1
    iterations: int = 5
    teleport: float = 0.0
    positions: str = "sequential"
    scores: str = "pagerank"
    mode: str = "dropped"
    audio_keep_ratio: float = 1.0
    audio_floor: float = 1.0

    def __post_init__(self):
        for name in ("keep_ratio", "temperature", "teleport", "audio_keep_ratio", "audio_floor"):
            _check_number(name, getattr(self, name), Real, "a number")
        check_whole("iterations", self.iterations)
        for name in ("keep_ratio", "audio_keep_ratio"):
            if not 0 < getattr(self, name) <= 1:
                raise ValueError(f"{name} must be in (0, 1], got {getattr(self, name)}")
        if not 0 <= self.audio_floor <= 1:
            raise ValueError(f"audio_floor must be in [0, 1], got {self.audio_floor}")
        LinearSchedule(self.l1, self.l2)  # raises for layers that do not fit
        if not 0 < self.temperature < math.inf:
            raise ValueError(f"temperature must be positive and finite, got {self.temperature}")
        if self.iterations < 1:
            raise ValueError(f"iterations must be at least 1, got {self.iterations}")
        if not 0 <= self.teleport < 1:
            raise ValueError(f"teleport must be in [0, 1), got {self.teleport}")
        for name, words in _CHOICES.items():
            if getattr(self, name) not in words:
                raise ValueError(f"{name} must be one of {', '.join(words)}, got {getattr(self, name)!r}")

    @classmethod
    def dense(cls) -> AimConfig:
        """Nothing merged and nothing pruned, whatever the depth."""
        return cls(keep_ratio=1.0, l1=_BEYOND_ANY_DEPTH, l2=_BEYOND_ANY_DEPTH + 1)

    @classmethod
    def for_depth(cls, num_layers: int, keep_ratio: float = 0.25) -> AimConfig:
        """The paper's schedule (14, 22 of 28 layers) scaled to a model of `num_layers` layers, at least 1."""
        _check_depth(num_layers)
        l1 = round(num_layers * _PAPER_L1 / _PAPER_DEPTH)
        l2 = round(num_layers * _PAPER_L2 / _PAPER_DEPTH)
        return cls(keep_ratio=keep_ratio, l1=l1, l2=max(l1 + 1, l2))

    @property
    def schedule(self) -> LinearSchedule:
        return LinearSchedule(self.l1, self.l2)

    @property
    def audio_schedule(self) -> FlooredSchedule:
        return FlooredSchedule(self.schedule, self.audio_floor)


def check_whole(name: str, value: object) -> None:
    """Raise ValueError if a setting is not a whole number."""
    _check_number(name, value, Integral, "a whole number")


def _check_number(name: str, value: object, kind: type, words: str) -> None:
    # bool is an int to Python; True as a layer or a ratio is a mistake
    fits = isinstance(value, kind) and not isinstance(value, bool)
    if not fits:
        raise ValueError(f"{name} must be {words}, got {value!r}")


def _check_depth(num_layers: int) -> None:
    check_whole("num_layers", num_layers)
    if num_layers < 1:
        raise ValueError(f"num_layers must be at least 1, got {num_layers}")
