"""What methods share that do all their work before the language model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from aim_core.methods.base import Merger, Method


@dataclass(frozen=True)
class KeepAll:
    """A schedule: every visual token that enters the first layer enters all."""

    def tokens_entering(self, num_visual: int, num_layers: int) -> list[int]:
        return [num_visual] * num_layers


@dataclass(frozen=True)
class NoScores:
    """A scorer for schedules under which nothing has to be chosen."""

    def __call__(self, query: Tensor, key: Tensor, scale: float) -> Tensor:
        raise RuntimeError("this method has no scores: its schedule keeps all tokens or none")

    def layers(self, counts: Sequence[int]) -> frozenset[int]:
        return frozenset()


def before_decoder(name: str, merger: Merger) -> Method:
    """A method of which the merger is all."""
    return Method(name, merger, KeepAll(), NoScores())


def share_of(count: int, keep_ratio: float) -> int:
    """The share `keep_ratio` of `count` tokens, rounded to the nearest whole number (half to even), at least 1."""
    return max(1, round(count * keep_ratio))


def check_share(keep_ratio: float, least: float = 0) -> None:
    """Raise ValueError for a share that is not in (least, 1]."""
    if not least < keep_ratio <= 1:
        raise ValueError(f"keep_ratio must be in ({least}, 1], got {keep_ratio}")
