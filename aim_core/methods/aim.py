"""AIM (arXiv 2412.03248): merge inside views, prune by PageRank on a linear schedule."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from torch import Tensor

from aim_core.config import AimConfig
from aim_core.methods.base import AudioMethod, Method
from aim_core.methods.counts import where_needed
from aim_core.ops.merging import Merged, merge_tokens, num_kept
from aim_core.ops.pagerank import causal_correction, pagerank, pagerank_iterations, uniform_correction


@dataclass(frozen=True)
class MergeSimilar:
    """Merge similar tokens of a view until the share `keep_ratio` of them is left, see `merge_tokens`."""

    keep_ratio: float = 1.0
    before_projector: ClassVar[bool] = True

    def __call__(self, tokens: Tensor, metric: Tensor | None = None) -> Merged:
        return merge_tokens(tokens, self.keep_ratio, metric)

    def reduces(self) -> bool:
        return self.keep_ratio < 1

    def num_left(self, num_views: int, grid: tuple[int, int]) -> int:
        return num_views * num_kept(grid[0] * grid[1], self.keep_ratio)


@dataclass(frozen=True)
class PageRank:
    """Score by PageRank over the layer's attention, see `pagerank`.

    causal: correct the scores for the causal mask, see `causal_correction` (ours, not in the released method).
    """

    temperature: float = 0.1
    iterations: int = 5
    teleport: float = 0.0
    causal: bool = False

    def __call__(self, query: Tensor, key: Tensor, scale: float) -> Tensor:
        return self._score(pagerank(query, key, scale, self.temperature, self.iterations, self.teleport))

    def with_iterations(self, query: Tensor, key: Tensor, scale: float) -> tuple[Tensor, Tensor]:
        scores, steps = pagerank_iterations(query, key, scale, self.temperature, self.iterations, self.teleport)
        return self._score(scores), steps

    def _score(self, scores: Tensor) -> Tensor:
        return causal_correction(scores) if self.causal else scores

    def layers(self, counts: Sequence[int]) -> frozenset[int]:
        return where_needed(counts)


@dataclass(frozen=True)
class PageRankOverUniform(PageRank):
    """PageRank over what a token's position gets where all attend alike, see `uniform_correction` (ours)."""

    def _score(self, scores: Tensor) -> Tensor:
        return uniform_correction(super()._score(scores), self.iterations, self.teleport)


_SCORERS: dict[str, Callable[[float, int, float], PageRank]] = {
    "pagerank": PageRank,
    "pagerank_causal": partial(PageRank, causal=True),
    "pagerank_over_uniform": PageRankOverUniform,
}


def aim_method(config: AimConfig) -> Method:
    """The method that these settings stand for."""
    scorer = _SCORERS[config.scores](config.temperature, config.iterations, config.teleport)
    audio = AudioMethod(MergeSimilar(config.audio_keep_ratio), config.audio_schedule)
    merger = MergeSimilar(config.keep_ratio)
    return Method("AIM", merger, config.schedule, scorer, config.positions, config.mode, audio=audio)


def as_method(config: AimConfig | Method) -> Method:
    """A method as it is, settings of AIM as a method. Raises TypeError for anything else."""
    if isinstance(config, AimConfig):
        return aim_method(config)
    if isinstance(config, Method):
        return config
    raise TypeError(f"give an AimConfig or a Method, got {type(config).__name__}")
