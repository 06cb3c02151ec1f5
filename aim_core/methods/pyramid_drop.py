"""PyramidDrop (arXiv 2410.17247): at three layers the same share of the visual tokens that are left stays.

As released for 32 layers, before layers 8, 16 and 24; for L layers, before L/4, L/2 and 3L/4. Tokens are ranked by the
attention of the prompt's last token in the layer that is about to run, mean over heads (section 3.2). What differs:
those that stay keep their positions here; the released code numbers them anew.
"""

from __future__ import annotations

from dataclasses import dataclass

from aim_core.config import check_whole
from aim_core.methods.base import Method
from aim_core.methods.fastv import NoMerge
from aim_core.methods.scorers import NextLayerAttention
from aim_core.reasons import UnfitError

STAGES = 4  # parts of the model, each with fewer tokens than the one before


@dataclass(frozen=True)
class Pyramid:
    """Of n tokens n * keep_ratio^s, rounded down, enter the layers of stage s = 0, 1, 2, 3.

    first_layer: of stage 1, from 1; 0 for a quarter of the model's layers. The layers from it on are cut in three.
    Raises ValueError for a share outside [0, 1], a layer that is not a whole number, or where a stage would have none.
    """

    keep_ratio: float
    first_layer: int = 0

    def __post_init__(self):
        if not 0 <= self.keep_ratio <= 1:
            raise ValueError(f"keep_ratio must be in [0, 1], got {self.keep_ratio}")
        check_whole("first_layer", self.first_layer)
        if self.first_layer < 0:
            raise ValueError(f"first_layer must be at least 0, got {self.first_layer}")

    def tokens_entering(self, num_visual: int, num_layers: int) -> list[int]:
        first = self.first_layer or num_layers // STAGES
        if not 1 <= first <= num_layers - STAGES + 1:
            raise UnfitError("no_stage", num_layers=num_layers, layer=first)
        begins = [first + stage * (num_layers - first) // (STAGES - 1) for stage in range(STAGES - 1)]
        stages = [sum(layer >= begin for begin in begins) for layer in range(num_layers)]
        return [int(round(num_visual * self.keep_ratio**stage, 9)) for stage in stages]  # 100 * 0.29 is 28.99...


def pyramid_drop(keep_ratio: float = 0.5, first_layer: int = 0) -> Method:
    """Tokens entering each layer: n, then n times the keep ratio (the paper's lambda), its square and its cube.

    The mean of all layers is (1 + r + r^2 + r^3) / 4 x n, 0.469 n as released; a quarter of n at the least. A
    model with deepstack needs all tokens in its first layers: give a `first_layer` behind them.
    """
    return Method("PyramidDrop", NoMerge(), Pyramid(keep_ratio, first_layer), NextLayerAttention())
