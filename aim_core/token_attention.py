"""TokenAttention: what each answer token attended to among the visual tokens, by layer and head, in a byte each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

MOST = 2_000_000  # numbers of one run; where heads would exceed it their mean is kept, and then the first tokens only
_TINY = np.finfo(np.float32).tiny


@dataclass(frozen=True, eq=False)
class TokenAttention:
    """Attention of answer tokens, each of the row that produced it, to every visual token in every layer.

    row:    (V, n) int32, for each patch of a view its visual row, -1 for none, as `Trace.rows`.
    last:   (rows,) int16, the last layer that each visual row entered, -1 for none; it entered all before it.
    levels: (t, heads, s) uint8, the shares of attention, 255 for the largest of a token, head and layer: layer by
            layer, in each the rows that entered it, ascending. t may be less than the answer's tokens: the first ones;
            heads may be 1, then it is the mean over heads (`MOST`). Off by at most peak / 510.
    peaks:  (t, heads, layers) float32, that largest share, in [0, 1]; 0 where no visual row entered the layer.
    """

    row: np.ndarray
    last: np.ndarray
    levels: np.ndarray
    peaks: np.ndarray

    @classmethod
    def none(cls) -> TokenAttention:
        """Of a run that recorded nothing."""
        sizes = (((0, 0), np.int32), ((0,), np.int16), ((0, 0, 0), np.uint8), ((0, 0, 0), np.float32))
        return cls(*(np.zeros(shape, dtype) for shape, dtype in sizes))

    @classmethod
    def of(cls, row: np.ndarray, last: np.ndarray, layers: Sequence[np.ndarray]) -> TokenAttention:
        """layers: for each layer (t, heads, k) float32, shares of attention on its k rows, ascending."""
        peaks = [own.max(axis=2, initial=0) for own in layers]
        levels = [
            np.rint(255 * (own / np.maximum(peak, _TINY)[..., None])) for own, peak in zip(layers, peaks, strict=True)
        ]
        return cls(
            row.astype(np.int32),
            last.astype(np.int16),
            np.concatenate(levels, axis=2).astype(np.uint8),
            np.stack(peaks, axis=2).astype(np.float32),
        )

    @property
    def num_tokens(self) -> int:
        """Answer tokens, the first of the answer, that were recorded."""
        return self.levels.shape[0]

    @property
    def num_heads(self) -> int:
        return self.levels.shape[1]

    @property
    def num_layers(self) -> int:
        return self.peaks.shape[2]

    def layers(self) -> list[np.ndarray]:
        """For each layer (t, heads, k) float32, as `of` takes them."""
        counts = [int((self.last >= layer).sum()) for layer in range(self.num_layers)]
        parts = np.split(self.levels, np.cumsum(counts)[:-1], axis=2)
        return [own * (self.peaks[:, :, layer, None] / np.float32(255)) for layer, own in enumerate(parts)]

    def words(self, places: Sequence[Sequence[int]]) -> TokenAttention:
        """The same of words in place of tokens: the mean over the tokens of each, by their places, of which there are
        some; from the first word on that has a token that was not recorded, none."""
        whole = [max(own) < self.num_tokens for own in places]
        told = places[: whole.index(False)] if False in whole else places
        layers = [
            np.stack([own[list(tokens)].mean(axis=0) for tokens in told]) if told else own[:0] for own in self.layers()
        ]
        return TokenAttention.of(self.row, self.last, layers)

    def over_heads(self) -> TokenAttention:
        """The mean over heads, as of a single one."""
        return TokenAttention.of(self.row, self.last, [own.mean(axis=1, keepdims=True) for own in self.layers()])

    def by_patch(self, token: int, layer: int, head: int | None = None) -> np.ndarray:
        """(V, n) float32, the share of attention of an answer token on the visual token behind each patch.

        Every patch of a merged token has the whole share of it, which is neither split nor weighted; a patch whose
        token did not enter the layer has 0. head: None for the mean over heads.
        """
        attention = self.layers()[layer][token]
        values = np.zeros(len(self.last) + 1, dtype=np.float32)  # row -1 points at the last
        values[:-1][self.last >= layer] = attention.mean(axis=0) if head is None else attention[head]
        return values[self.row]

    def arrays(self) -> dict[str, np.ndarray]:
        """The fields by their names, for a file."""
        return {field.name: getattr(self, field.name) for field in fields(self)}
