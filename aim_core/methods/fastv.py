"""FastV (arXiv 2403.06764): all visual tokens up to a layer, then only those that got the most attention in it."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from aim_core.config import check_whole
from aim_core.methods.base import Method, Scorer
from aim_core.methods.scorers import AttentionReceived, LastTokenAttention
from aim_core.ops.merging import Merged, merge_tokens
from aim_core.reasons import UnfitError

_SCORERS: dict[str, Scorer] = {"received": AttentionReceived(), "last": LastTokenAttention()}


@dataclass(frozen=True)
class NoMerge:
    """Every visual token enters the language model."""

    def __call__(self, tokens: Tensor, metric: Tensor | None = None) -> Merged:
        return merge_tokens(tokens, 1.0)

    def reduces(self) -> bool:
        return False

    def num_left(self, num_views: int, grid: tuple[int, int]) -> int:
        return num_views * grid[0] * grid[1]


@dataclass(frozen=True)
class DropOnce:
    """All visual tokens enter the first `layer` layers, the share `keep_ratio` of them, rounded, the others.

    Raises ValueError for a layer that is not a whole number, 0, or the model's number of layers or more.
    """

    layer: int
    keep_ratio: float

    def __post_init__(self):
        check_whole("layer", self.layer)
        if self.layer < 1:
            raise ValueError(f"layer must be at least 1, since scores come from the layer before, got {self.layer}")
        if not 0 <= self.keep_ratio <= 1:
            raise ValueError(f"keep_ratio must be in [0, 1], got {self.keep_ratio}")

    def tokens_entering(self, num_visual: int, num_layers: int) -> list[int]:
        if self.layer >= num_layers:
            raise UnfitError("late_layer", num_layers=num_layers, layer=self.layer)
        kept = round(num_visual * self.keep_ratio)
        return [num_visual if layer < self.layer else kept for layer in range(num_layers)]


def fastv(layer: int = 2, keep_ratio: float = 0.5, scored_by: str = "received", **options) -> Method:
    """FastV with its K and, as everywhere here, the share that is kept (its R is the share dropped).

    layer:     K; tokens are scored in layer K - 1, counted from 0, and dropped before layer K, as released.
    scored_by: "received": mean attention a token gets, as the paper says; "last": from the last token, as the
               released code does. Both are means over heads.
    options:   further fields of `Method`, such as mode="masked".
    """
    if scored_by not in _SCORERS:
        raise ValueError(f"scored_by must be one of {', '.join(_SCORERS)}, got {scored_by!r}")
    return Method("FastV", NoMerge(), DropOnce(layer, keep_ratio), _SCORERS[scored_by], **options)
