"""LayerTrace: the visual tokens that entered one decoder layer, with their scores; as arrays in a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from aim_core.ops.rank_correlation import spearman

_OPTIONAL = ("steps", "received", "last_token", "folded")


@dataclass(frozen=True, eq=False)
class LayerTrace:
    """The visual tokens that entered one decoder layer.

    layer:      index of the decoder layer, from 0.
    kept:       (k,) int64, ascending rows of the merged tokens that entered this layer.
    scores:     (k,) float32, their scores as measured in this layer; (0,) where none was measured.
    steps:      (heads, iterations + 1, k) float32, the PageRank of each of them in each head after 0, 1, ...
                iterations steps, text holding the rest of the mass of 1; of size 0 where not asked for or not measured.
    received:   (k,) float32, the attention that each of them receives (`AttentionReceived`), whatever `scores` are.
    last_token: (k,) float32, the attention that the last token pays to each (`LastTokenAttention`). Both are (0,)
                where not asked for or no scores were measured.
    folded:     (f, 2) int64, rows that left before this layer and were folded into another, and the row that each went
                on in, which entered; (0, 2) for none. Rows that left and are not among them were dropped.
    """

    layer: int
    kept: np.ndarray
    scores: np.ndarray
    steps: np.ndarray = field(default_factory=lambda: np.zeros((0, 0, 0), dtype=np.float32))
    received: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.float32))
    last_token: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.float32))
    folded: np.ndarray = field(default_factory=lambda: np.zeros((0, 2), dtype=np.int64))

    @property
    def early(self) -> float | None:
        """Rank correlation of the scores with how early a token comes; None where they have no order."""
        return self.early_of(self.scores)

    def early_of(self, scores: np.ndarray) -> float | None:
        """The same of other scores (k,) of these tokens, `received` for example."""
        return spearman(-self.kept, np.nan_to_num(scores)) if len(scores) else None

    @property
    def held(self) -> float | None:
        """Share of all PageRank that these tokens hold, text the rest: mean over heads; None without `steps`."""
        return float(self.steps[:, -1].sum(axis=1).mean()) if self.steps.size else None


def layer_arrays(layers: Sequence[LayerTrace]) -> dict[str, np.ndarray]:
    """Layers as arrays for a file; the names are those of its first version."""
    arrays: dict[str, np.ndarray] = {}
    for index, layer in enumerate(layers):
        arrays[f"layer_{index}"] = np.array(layer.layer, dtype=np.int64)
        arrays[f"kept_{index}"] = layer.kept
        arrays[f"importance_{index}"] = layer.scores
        arrays |= {f"{name}_{index}": own for name in _OPTIONAL if (own := getattr(layer, name)).size}
    return arrays


def read_layers(data: Mapping[str, np.ndarray], count: int) -> tuple[LayerTrace, ...]:
    """The first `count` layers, from what `layer_arrays` gave. Raises KeyError if one is missing."""
    return tuple(_read_layer(data, index) for index in range(count))


def _read_layer(data: Mapping[str, np.ndarray], index: int) -> LayerTrace:
    more = {name: data[f"{name}_{index}"] for name in _OPTIONAL if f"{name}_{index}" in data}
    return LayerTrace(int(data[f"layer_{index}"]), data[f"kept_{index}"], data[f"importance_{index}"], **more)
