"""Average pooling: every square of `side` x `side` patches becomes its mean. A baseline without a paper of its own."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from aim_core.methods.base import Method
from aim_core.methods.before_decoder import before_decoder
from aim_core.ops.reduced import Reduced, average_groups


@dataclass(frozen=True)
class AveragePooling:
    """Squares of `side` x `side` patches, smaller ones at the right and lower edge, become their plain means.

    Each mean stands at the first patch of its square. grid: (rows, columns) of a view, set by `on_grid`.
    """

    side: int = 2
    grid: tuple[int, int] | None = None

    def __post_init__(self):
        if not isinstance(self.side, int) or isinstance(self.side, bool) or self.side < 1:
            raise ValueError(f"side must be a whole number from 1 on, got {self.side!r}")

    def on_grid(self, grid: tuple[int, int]) -> AveragePooling:
        return AveragePooling(self.side, grid)

    def __call__(self, tokens: Tensor, metric: Tensor | None = None) -> Reduced:
        if self.grid is None:
            raise ValueError("average pooling needs to know rows and columns: call on_grid first")
        rows, columns = (torch.arange(size, device=tokens.device) for size in self.grid)
        wide = -(-self.grid[1] // self.side)
        square = (rows[:, None] // self.side * wide + columns // self.side).flatten()  # (n,), of each patch
        first = ((rows[:, None] % self.side == 0) & (columns % self.side == 0)).flatten().nonzero()[:, 0]
        view = torch.arange(len(tokens), device=tokens.device)[:, None]
        return average_groups(tokens, square + view * len(first), (first + view * len(square)).flatten())

    def reduces(self) -> bool:
        return self.side > 1

    def num_left(self, num_views: int, grid: tuple[int, int]) -> int:
        return num_views * -(-grid[0] // self.side) * -(-grid[1] // self.side)


def average_pooling(side: int = 2) -> Method:
    """Tokens entering each layer: ceil(rows / side) x ceil(columns / side) a view."""
    return before_decoder("average pooling", AveragePooling(side))
