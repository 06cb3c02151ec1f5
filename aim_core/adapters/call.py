"""Call: what a model's vision side was called with once, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from transformers.modeling_outputs import BaseModelOutputWithPooling

from aim_core.ops.tower_attention import TowerAttention

MODALITIES = ("image", "video")


@dataclass(frozen=True, eq=False)
class Call:
    """One call of a stock model's `get_image_features` or `get_video_features`.

    arguments: what it was called with, by parameter name; output: what it returned.
    merged:    what was merged before the projector, one `Merged` of a single view each, where a family does that.
    merge_ms:  the time that took, by the clock.
    tower:     (1 view, rows of all media) what the vision tower says of them, where a method asked for it; 0 for
               newlines.
    saved_flops: operations that the vision tower did not do, because tokens were merged in its layers.
    """

    modality: str
    arguments: dict[str, Any]
    output: Any
    merged: tuple = ()
    merge_ms: float = 0.0
    tower: TowerAttention | None = None
    saved_flops: int = 0

    def without_pixels(self) -> Call:
        """The same call, for keeping: of pixels only the shape, of the output only what the decoder gets."""
        slim = {
            name: value.to("meta") if name.startswith("pixel_") else value for name, value in self.arguments.items()
        }
        return replace(self, arguments=slim, output=features_only(self.output))


def features_only(output: Any) -> Any:
    """A vision output without the tower's hidden states, which nobody needs any more."""
    names = ("pooler_output", "deepstack_features")
    return type(output)(**{name: output[name] for name in names if output.get(name) is not None})


def shapes(*size: int) -> Tensor:
    """Numbers of no value, for their shape."""
    return torch.empty(size, device="meta")


def features_of(*size: int) -> BaseModelOutputWithPooling:
    """A vision output of which the shape alone is known: (media, rows, width), or (tiles, rows, width)."""
    return BaseModelOutputWithPooling(pooler_output=shapes(*size))
