"""AudioTrace: what one run did to the tokens of a prompt's sounds; as arrays in a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

_COLUMNS = ("sound", "chunk", "start", "row")


@dataclass(frozen=True, eq=False)
class AudioTrace:
    """T audio tokens as the model's audio encoder gave them, in the order of the prompt.

    sound:   (T,) int64, which sound of the prompt each belongs to.
    chunk:   (T,) int64, which chunk: tokens were merged inside it only.
    start:   (T,) float32, seconds from the start of its sound; each stands for `seconds`.
    row:     (T,) int64, the merged audio token that each ended in, numbered in the order of the prompt.
    kept:    for each decoder layer (k,) int64, ascending rows that entered it.
    scores:  for each layer (k,) float32, the scores of these rows as measured in it, (0,) where none was; () in files
             that were saved without.
    loudness: (T,) float32, root mean square of each token's samples; None where the sound is not known.
    """

    sound: np.ndarray
    chunk: np.ndarray
    start: np.ndarray
    seconds: float
    row: np.ndarray
    kept: tuple[np.ndarray, ...]
    scores: tuple[np.ndarray, ...] = ()
    loudness: np.ndarray | None = None

    @property
    def num_tokens(self) -> int:
        """Audio tokens before merging."""
        return len(self.row)

    @property
    def num_merged(self) -> int:
        return int(self.row.max(initial=-1)) + 1

    @property
    def retained(self) -> np.ndarray:
        """(L,) int64, audio tokens that entered each layer."""
        return np.array([len(rows) for rows in self.kept], dtype=np.int64)

    def last_layer(self) -> np.ndarray:
        """(T,) int64, the last layer that each token's merged one entered; -1 for none."""
        last = np.full(self.num_merged, -1, dtype=np.int64)
        for layer, rows in enumerate(self.kept):
            last[rows] = layer
        return last[self.row]

    def alive(self, layer: int) -> np.ndarray:
        """(T,) bool, whether each token's merged one entered `layer`. Raises ValueError for a layer there is not."""
        if not 0 <= layer < len(self.kept):
            raise ValueError(f"layer must be in [0, {len(self.kept)}), got {layer}")
        return np.isin(self.row, self.kept[layer])

    def scores_by_row(self, layer: int) -> np.ndarray | None:
        """(rows,) float32, the score of each merged token in `layer`, NaN for one that did not enter it; None where
        none was measured."""
        if layer >= len(self.scores) or not len(self.scores[layer]):
            return None
        found = np.full(self.num_merged, np.nan, dtype=np.float32)
        found[self.kept[layer]] = self.scores[layer]
        return found

    def hearing(self, samples: np.ndarray, rate: int) -> AudioTrace:
        """The same with the loudness of a prompt's only sound, (n,) samples at `rate` a second."""
        places, length = np.rint(self.start * rate).astype(np.int64), max(1, round(self.seconds * rate))
        pieces = (samples[place : place + length].astype(np.float64) for place in places)
        return replace(self, loudness=np.array([np.sqrt((own**2).sum() / length) for own in pieces], np.float32))

    def arrays(self) -> dict[str, np.ndarray]:
        """As arrays for a file."""
        arrays = {f"audio_{name}": getattr(self, name) for name in _COLUMNS}
        arrays["audio_seconds"] = np.array(self.seconds, dtype=np.float64)
        if self.loudness is not None:
            arrays["audio_loudness"] = self.loudness
        arrays |= {f"audio_scores_{layer}": own for layer, own in enumerate(self.scores) if len(own)}
        return arrays | {f"audio_kept_{layer}": rows for layer, rows in enumerate(self.kept)}


def read_audio(data: Mapping[str, np.ndarray], num_layers: int) -> AudioTrace | None:
    """What `arrays` gave; None for a file without sound. Raises KeyError if a part is missing."""
    if "audio_row" not in data:
        return None
    sound, chunk, start, row = (data[f"audio_{name}"] for name in _COLUMNS)
    kept = tuple(data[f"audio_kept_{layer}"] for layer in range(num_layers))
    names = [f"audio_scores_{layer}" for layer in range(num_layers)]
    scores = tuple(data[name] if name in data else np.zeros(0, np.float32) for name in names)
    seconds, loudness = float(data["audio_seconds"]), data.get("audio_loudness")
    return AudioTrace(sound, chunk, start, seconds, row, kept, scores, loudness)
