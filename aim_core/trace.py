"""Trace: what one run did to every visual token, as plain NumPy records that can be saved, copied and drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from aim_core.audio_trace import AudioTrace, read_audio
from aim_core.layer_trace import LayerTrace, layer_arrays, read_layers
from aim_core.ops.ragged import filled, rounds_together
from aim_core.view import View, read_views, view_arrays


@dataclass(frozen=True, eq=False)
class Trace:
    """One run, from frames to survivors.

    frames:  (F, H, W, 3) uint8 RGB, as the model saw them; several pictures begin at the top left of theirs.
    times:   (F,) float32, seconds from the start of the media.
    grid:    (rows, cols) of patches of the first view before merging; n = rows * cols, raster order.
    group:   (V, n) int64 in [0, k): the merged token each patch of a view ended in, by its number among those of the
             view; -1 for a patch that was dropped before layer 0 (`dropped`), and to fill up smaller views.
    layers:  one LayerTrace for each decoder layer.
    planned: (L,) int64, visual tokens the schedule lets into each layer.
    views:   V grids of patches, in the order of the prompt; empty in old files, where view f is frame f.
    row:     (V, n) int64, for each patch its row among the visual tokens, -1 as in `group`; patches of several views
             may lead to one row. None in old files, where merged token j of frame f is row f * k + j.
    rounds:  for each round of merging (V, n_r) int64, the number within its view that each token before the round has
             after it; before the first, a token is its patch, n_0 = n. -1 fills up smaller views, and a view that was
             done earlier keeps its numbers. Numbers after the last round are one to one with those of `group`, in
             another order; `round_groups` follows them. Empty where nothing was merged in rounds, and in old files.
    similarity: (V, n) float32, cosine of each patch's feature, as it was before merging, with the merged token that it
             ended in; NaN for a dropped patch, and to fill up. None in old files.
    audio:   the tokens of the prompt's sounds, which are no patches of any view; None where it has none.
    kept_text: for each layer (k,) int64, ascending text tokens that entered it, counted from 0 in the order of the
             prompt; the last one is not among them, it stays. Empty where all text stays, and in old files.
    sizes:   (F, 2) int64, height and width of each of several pictures; None for a single file.

    Visual rows that no patch leads to are separators (LLaVA-OneVision's newline row): they may be pruned like
    any other but show nothing.
    """

    frames: np.ndarray
    times: np.ndarray
    grid: tuple[int, int]
    group: np.ndarray
    layers: tuple[LayerTrace, ...]
    planned: np.ndarray
    views: tuple[View, ...] = ()
    row: np.ndarray | None = None
    rounds: tuple[np.ndarray, ...] = ()
    similarity: np.ndarray | None = None
    audio: AudioTrace | None = None
    kept_text: tuple[np.ndarray, ...] = ()
    sizes: np.ndarray | None = None

    @classmethod
    def of_views(cls, frames, times, views, rows, layers, planned, rounds=(), similarity=None) -> Trace:
        """From views of any sizes.

        rows:       for each view, the visual row (n_v,) of each of its patches, -1 for one that was dropped.
        rounds:     for each view, its rounds of merging, (n_r,) each; or nothing.
        similarity: for each view (n_v,); or None.
        """
        row = filled(rows, -1, np.int64)
        group = np.full_like(row, -1)
        for view_idx, own in enumerate(rows):
            inside = np.flatnonzero(own >= 0)
            group[view_idx, inside] = np.unique(own[inside], return_inverse=True)[1]
        together = rounds_together(rounds, (group.max(axis=1) + 1).tolist())
        likeness = None if similarity is None else filled(similarity, np.nan, np.float32)
        return cls(frames, times, views[0].grid, group, layers, planned, tuple(views), row, together, likeness)

    @property
    def num_frames(self) -> int:
        return len(self.frames)

    def frame(self, index: int) -> np.ndarray:
        """(h, w, 3) uint8, one frame, or one of several pictures in its own size."""
        if self.sizes is None:
            return self.frames[index]
        height, width = self.sizes[index]
        return self.frames[index, :height, :width]

    @property
    def num_views(self) -> int:
        return self.group.shape[0]

    @property
    def tokens_per_frame(self) -> int:
        """Merged tokens a view (k), the most if they differ."""
        return int(self.group.max()) + 1

    @property
    def num_layers(self) -> int:
        return len(self.layers)

    @property
    def num_merged(self) -> int:
        """Merged tokens of all views together, separators not counted."""
        rows = self.rows()
        return len(np.unique(rows[rows >= 0]))

    @property
    def num_rows(self) -> int:
        """Visual rows of the prompt, separators included."""
        return 1 + max(int(self.rows().max()), *(int(layer.kept.max(initial=-1)) for layer in self.layers))

    @property
    def num_patches(self) -> int:
        """Patches of all views together, each counted once, dropped ones too."""
        return int(self.is_patch.sum())

    @property
    def is_patch(self) -> np.ndarray:
        """(V, n) bool, False where a view has fewer patches."""
        sizes = np.array([view.grid[0] * view.grid[1] for view in self.all_views])
        return np.arange(self.group.shape[1]) < sizes[:, None]

    @property
    def dropped(self) -> np.ndarray:
        """(V, n) bool, the patches that were dropped before layer 0 without joining any token."""
        return self.is_patch & (self.rows() < 0)

    @property
    def dense_tokens(self) -> int:
        """Visual tokens of every layer with nothing merged or pruned: all patches, and the run's separators."""
        separators = max(0, int(self.retained.max(initial=0)) - self.num_merged)
        return self.num_patches + separators

    @property
    def all_views(self) -> tuple[View, ...]:
        """`views`, also of an old file, in which view f is frame f."""
        return self.views or tuple(View(0, (frame,), self.grid) for frame in range(len(self.group)))

    @property
    def retained(self) -> np.ndarray:
        """(L,) int64, visual tokens that really entered each layer, separators included."""
        return np.array([len(layer.kept) for layer in self.layers], dtype=np.int64)

    @property
    def scored_layers(self) -> tuple[int, ...]:
        """Layers in which scores were measured."""
        return tuple(layer.layer for layer in self.layers if len(layer.scores))

    def rows(self) -> np.ndarray:
        """(V, n) int64, for each patch its row among the visual tokens, -1 for none: dropped, or no patch at all."""
        if self.row is not None:
            return self.row
        first = np.arange(self.num_views)[:, None] * self.tokens_per_frame
        return first + self.group

    def round_groups(self, rounds: int) -> np.ndarray:
        """(V, n) int64, for each patch the number of its token within its view after so many rounds; 0: itself.

        -1 where a view has fewer patches. Raises ValueError for more rounds than there were.
        """
        if not 0 <= rounds <= len(self.rounds):
            raise ValueError(f"rounds must be in [0, {len(self.rounds)}], got {rounds}")
        number = np.where(self.is_patch, np.arange(self.group.shape[1]), -1)
        for new in self.rounds[:rounds]:
            number = np.where(number < 0, -1, np.take_along_axis(new, number, axis=1))
        return number

    def alive(self, layer: int) -> np.ndarray:
        """(V, n) bool, whether the merged token behind each patch entered `layer`; False for a dropped patch."""
        return self._by_patch(self._by_row(layer, True, fill=False), fill=False)

    def scores(self, layer: int) -> np.ndarray:
        """(V, n) float32, the score of each patch's token in `layer`; NaN where pruned or not measured."""
        scores = self._layer(layer).scores
        if not len(scores):
            return np.full(self.group.shape, np.nan, dtype=np.float32)
        return self._by_patch(self._by_row(layer, scores, fill=np.float32(np.nan)), fill=np.nan)

    def scores_by_row(self, name: str = "scores") -> np.ndarray:
        """(scored layers, rows) float32, the score of each visual row; NaN where it was pruned.

        name: "scores", "received" or "last_token", as in `LayerTrace`.
        """
        fill = np.float32(np.nan)
        tables = [self._by_row(layer, getattr(self.layers[layer], name), fill=fill) for layer in self.scored_layers]
        return np.stack(tables) if tables else np.zeros((0, self.num_rows), dtype=np.float32)

    def last_layer(self) -> np.ndarray:
        """(V, n) int64, the last layer that each patch's token entered; -1 for none."""
        return self._by_patch(self.last_layer_by_row(), fill=-1)

    def last_layer_by_row(self) -> np.ndarray:
        """(rows,) int64, the last layer that each visual row entered; -1 for none."""
        last = np.full(self.num_rows, -1, dtype=np.int64)
        for layer in self.layers:
            last[layer.kept] = layer.layer
        return last

    def folded_into_by_row(self) -> np.ndarray:
        """(rows,) int64, the visual row that each was folded into after the last layer that it entered; -1 for none."""
        into = np.full(self.num_rows, -1, dtype=np.int64)
        for layer in self.layers:
            into[layer.folded[:, 0]] = layer.folded[:, 1]
        return into

    def folded(self, layer: int) -> np.ndarray:
        """(V, n) bool, whether the token behind each patch was folded into another right before `layer`."""
        went = np.zeros(self.num_rows, dtype=bool)
        went[self._layer(layer).folded[:, 0]] = True
        return self._by_patch(went, fill=False)

    def save(self, path: str | Path) -> None:
        """Write everything to one compressed .npz file."""
        arrays: dict[str, Any] = {
            "frames": self.frames,
            "times": self.times,
            "grid": np.array(self.grid, dtype=np.int64),
        }
        arrays |= {"group": self.group, "planned": self.planned}
        arrays |= layer_arrays(self.layers)
        arrays |= {f"round_{index}": new for index, new in enumerate(self.rounds)}
        if self.similarity is not None:
            arrays["similarity"] = self.similarity
        if self.row is not None:
            arrays |= {"row": self.row} | view_arrays(self.views)
        if self.audio is not None:
            arrays |= self.audio.arrays()
        arrays |= {f"text_{layer}": rows for layer, rows in enumerate(self.kept_text)}
        if self.sizes is not None:
            arrays["sizes"] = self.sizes
        with open(path, "wb") as file:
            np.savez_compressed(file, **arrays)

    @classmethod
    def load(cls, path: str | Path) -> Trace:
        """Read what `save` wrote. Raises ValueError if the file is not a trace."""
        try:
            with np.load(path, allow_pickle=False) as data:
                layers = read_layers(data, len(data["planned"]))
                grid = (int(data["grid"][0]), int(data["grid"][1]))
                views, row = (read_views(data), data["row"]) if "row" in data else ((), None)
                rounds, text = _numbered(data, "round_"), _numbered(data, "text_")
                first = (data["frames"], data["times"], grid, data["group"], layers, data["planned"])
                more = (data.get("similarity"), read_audio(data, len(layers)), text, data.get("sizes"))
                return cls(*first, views, row, rounds, *more)
        except (BadZipFile, KeyError, IndexError, TypeError, ValueError, EOFError, OSError) as error:
            raise ValueError(f"{path} is not a saved trace: {error}") from error

    def _layer(self, layer: int) -> LayerTrace:
        if not 0 <= layer < self.num_layers:
            raise ValueError(f"layer must be in [0, {self.num_layers}), got {layer}")
        return self.layers[layer]

    def _by_row(self, layer: int, values, fill) -> np.ndarray:
        """(rows,) of `fill`'s type: the value of each visual row that entered a layer, `fill` for the others."""
        table = np.full(self.num_rows, fill)
        table[self._layer(layer).kept] = values
        return table

    def _by_patch(self, values: np.ndarray, fill) -> np.ndarray:
        """(V, n), the value of each patch's row, out of values (rows,); `fill` for a patch that has none."""
        return np.append(values, values.dtype.type(fill))[self.rows()]  # -1 points at the last


def _numbered(data: Mapping[str, np.ndarray], name: str) -> tuple[np.ndarray, ...]:
    """The arrays called `name` and a number from 0 on."""
    return tuple(data[f"{name}{index}"] for index in range(sum(key.startswith(name) for key in data)))
