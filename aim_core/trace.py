"""Trace: what one run did to every visual token, as plain NumPy records that can be saved, copied and drawn."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np


@dataclass(frozen=True, eq=False)
class LayerTrace:
    """The visual tokens that entered one decoder layer.

    layer:      index of the decoder layer, from 0.
    kept:       (k,) int64, ascending rows of the merged tokens that entered this layer.
    importance: (k,) float32, their PageRank scores as measured in this layer; (0,) where none was measured.
    """

    layer: int
    kept: np.ndarray
    importance: np.ndarray


@dataclass(frozen=True, eq=False)
class Trace:
    """One run, from frames to survivors.

    frames:  (F, H, W, 3) uint8 RGB, as the model saw them.
    times:   (F,) float32, seconds from the start of the media.
    grid:    (rows, cols) of patches a frame before merging; n = rows * cols, raster order.
    group:   (F, n) int64 in [0, k): the merged token each patch of a frame ended in.
    layers:  one LayerTrace for each decoder layer.
    planned: (L,) int64, visual tokens the schedule lets into each layer.

    Merged token j of frame f is row f * k + j of the visual tokens. Rows from F * k on are suffix
    rows (LLaVA-OneVision's newline row): they may be pruned like any other but show no patch.
    """

    frames: np.ndarray
    times: np.ndarray
    grid: tuple[int, int]
    group: np.ndarray
    layers: tuple[LayerTrace, ...]
    planned: np.ndarray

    @property
    def num_frames(self) -> int:
        return self.group.shape[0]

    @property
    def tokens_per_frame(self) -> int:
        """Merged tokens a frame (k)."""
        return int(self.group.max()) + 1

    @property
    def num_layers(self) -> int:
        return len(self.layers)

    @property
    def num_merged(self) -> int:
        """Merged tokens of all frames together, suffix rows not counted."""
        return self.num_frames * self.tokens_per_frame

    @property
    def retained(self) -> np.ndarray:
        """(L,) int64, visual tokens that really entered each layer, suffix rows included."""
        return np.array([len(layer.kept) for layer in self.layers], dtype=np.int64)

    @property
    def scored_layers(self) -> tuple[int, ...]:
        """Layers in which PageRank was measured."""
        return tuple(layer.layer for layer in self.layers if len(layer.importance))

    def rows(self) -> np.ndarray:
        """(F, n) int64, for each patch its row among the visual tokens."""
        first = np.arange(self.num_frames)[:, None] * self.tokens_per_frame
        return first + self.group

    def alive(self, layer: int) -> np.ndarray:
        """(F, n) bool, whether the merged token behind each patch entered `layer`."""
        return self._spread(layer, np.ones(len(self._layer(layer).kept), dtype=bool), fill=False)

    def importance(self, layer: int) -> np.ndarray:
        """(F, n) float32, the score of each patch's token in `layer`; NaN where pruned or not measured."""
        scores = self._layer(layer).importance
        if not len(scores):
            return np.full(self.group.shape, np.nan, dtype=np.float32)
        return self._spread(layer, scores.astype(np.float32), fill=np.nan)

    def last_layer(self) -> np.ndarray:
        """(F, n) int64, the last layer that each patch's token entered."""
        last = np.full(self.group.shape, -1, dtype=np.int64)
        for layer in range(self.num_layers):
            last[self.alive(layer)] = layer
        return last

    def save(self, path: str | Path) -> None:
        """Write everything to one compressed .npz file."""
        arrays = {"frames": self.frames, "times": self.times, "grid": np.array(self.grid, dtype=np.int64)}
        arrays |= {"group": self.group, "planned": self.planned}
        for index, layer in enumerate(self.layers):
            arrays[f"layer_{index}"] = np.int64(layer.layer)
            arrays[f"kept_{index}"] = layer.kept
            arrays[f"importance_{index}"] = layer.importance
        with open(path, "wb") as file:
            np.savez_compressed(file, **arrays)

    @classmethod
    def load(cls, path: str | Path) -> Trace:
        """Read what `save` wrote. Raises ValueError if the file is not a trace."""
        try:
            with np.load(path, allow_pickle=False) as data:
                layers = tuple(
                    LayerTrace(int(data[f"layer_{i}"]), data[f"kept_{i}"], data[f"importance_{i}"])
                    for i in range(len(data["planned"]))
                )
                grid = (int(data["grid"][0]), int(data["grid"][1]))
                return cls(data["frames"], data["times"], grid, data["group"], layers, data["planned"])
        except (BadZipFile, KeyError, IndexError, TypeError, ValueError, EOFError, OSError) as error:
            raise ValueError(f"{path} is not a saved trace: {error}") from error

    def _layer(self, layer: int) -> LayerTrace:
        if not 0 <= layer < self.num_layers:
            raise ValueError(f"layer must be in [0, {self.num_layers}), got {layer}")
        return self.layers[layer]

    def _spread(self, layer: int, values: np.ndarray, fill) -> np.ndarray:
        """Give every patch the value of its row; rows not in this layer get `fill`."""
        kept = self._layer(layer).kept
        rows = self.rows()
        size = int(max(rows.max(), kept.max(initial=-1))) + 1
        table = np.full(size, fill, dtype=values.dtype)
        table[kept] = values
        return table[rows]
