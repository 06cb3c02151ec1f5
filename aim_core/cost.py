"""Cost: floating-point operations of a prefill, counted by the formula behind the paper's tables.

A multiplication and an addition are two operations; softmax, norms and biases are not counted.
The model prices layer i by the tokens that enter it. The published tables price it by the share the
schedule leaves after it, the one entering layer i + 1: for that reading, pass
`config.tokens_entering(num_visual, num_layers + 1)[1:]` plus the text. For the default schedule that is
14.75 T (published: 14.76) where 15.52 T are executed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

FORMULA = "Per layer with n tokens: 2n(2d² + 2·d·kv) + 6·n·d·m + 4·n²·d, summed over layers"


def prefill_flops(tokens_per_layer: Iterable[int], hidden: int, kv: int, intermediate: int) -> int:
    """Operations of the language model's prefill, by FORMULA (it reproduces the tables of arXiv 2412.03248).

    tokens_per_layer: n of each layer, visual and text together.
    hidden (d): width; kv: width of all key heads together; intermediate (m): width of the gated MLP.
    Raises ValueError if a layer has fewer than 0 tokens.
    """
    total = 0
    for n in map(int, tokens_per_layer):
        if n < 0:
            raise ValueError(f"tokens_per_layer must be at least 0 everywhere, got {n}")
        projections = 2 * n * (2 * hidden**2 + 2 * hidden * kv)
        total += projections + 6 * n * hidden * intermediate + 4 * n**2 * hidden
    return total


def vision_flops(num_frames: int, patches: int, hidden: int, intermediate: int, num_layers: int, patch_dim: int) -> int:
    """Operations of a SigLIP-style vision tower, which no setting of this method reduces.

    patches (n): cells of one frame; patch_dim: values in one cell, channels x height x width.
    A layer costs 8·n·d² + 4·n·d·m + 4·n²·d (four full projections, a plain MLP, attention inside the frame),
    the patch embedding 2·n·patch_dim·d. SigLIP-so400m at 729 patches: 0.67 T a frame.
    """
    layer = 8 * patches * hidden**2 + 4 * patches * hidden * intermediate + 4 * patches**2 * hidden
    return num_frames * (num_layers * layer + 2 * patches * patch_dim * hidden)


@dataclass(frozen=True)
class Cost:
    """What one prefill costs.

    tokens_per_layer: tokens entering each decoder layer, visual and text.
    visual_per_layer: the visual ones among them.
    num_text:         text tokens, the same in every layer.
    language_flops:   operations of the language model's prefill.
    vision_flops:     operations of the vision tower.
    """

    tokens_per_layer: tuple[int, ...]
    visual_per_layer: tuple[int, ...]
    num_text: int
    language_flops: int
    vision_flops: int

    @property
    def total_flops(self) -> int:
        return self.language_flops + self.vision_flops

    @property
    def vision_share(self) -> float:
        """Share of the vision tower in the total, in [0, 1]; 0 when nothing is counted."""
        return self.vision_flops / self.total_flops if self.total_flops else 0.0
