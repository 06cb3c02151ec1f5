"""A schedule that drops once, at a share of the model's depth: what methods before the language model do inside it."""

from __future__ import annotations

from dataclasses import dataclass

from aim_core.ops.merging import num_kept


@dataclass(frozen=True)
class DropAtDepth:
    """All visual tokens enter the layers before round(depth x layers), the share `keep_ratio`, rounded up, the others.

    depth: in (0, 1); the layer is at least 1 and at most the last. Raises ValueError for numbers out of range.
    """

    depth: float
    keep_ratio: float

    def __post_init__(self):
        if not 0 < self.depth < 1 or not 0 < self.keep_ratio <= 1:
            raise ValueError(
                f"depth must be in (0, 1) and the share kept there in (0, 1], got {self.depth}, {self.keep_ratio}"
            )

    def tokens_entering(self, num_visual: int, num_layers: int) -> list[int]:
        layer = min(num_layers - 1, max(1, round(self.depth * num_layers)))
        kept = min(num_visual, num_kept(num_visual, self.keep_ratio))
        return [num_visual] * layer + [kept] * (num_layers - layer)
