"""Passes: what happens at each decoder layer, in a prefill that drops rows and in the forwards after it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from transformers import Cache

from aim_core.forward.cache import ReducedLayer
from aim_core.forward.recorder import Record
from aim_core.forward.token_pruner import Alive
from aim_core.methods.base import Rank
from aim_core.ops.masks import later_mask, prefill_mask


class PrefillPass:
    """A prefill, layer by layer.

    visual:   (b, n) bool, rows of the shortened prompts, no padding among them.
    records:  one for each sample, filled in as the layers go by.
    num_full: rows of the full prompts; shift: (b, 1), see `ReducedLayer`.
    touches:  False if nothing is ever merged or dropped: then layers are only watched.
    stepwise: whether every step of a ranking is written down.
    """

    def __init__(
        self,
        rank: Rank,
        alive: Alive,
        visual: Tensor,
        records: list[Record],
        cache: Cache | None,
        num_full: int,
        shift: Tensor,
        touches: bool,
        stepwise: bool = False,
    ):
        self.rank, self.alive, self.visual, self.records, self.stepwise = rank, alive, visual, records, stepwise
        self.cache, self.num_full, self.shift, self.touches = cache, num_full, shift, touches
        self._number = self.visual.cumsum(1) - 1  # for each visual row, its number
        self._asked = [rank.layers(plan) for plan in alive.plans]
        self._mask = None if alive.full else prefill_mask(alive.visible)
        self._moved = False  # whether rows have left; a longer neighbour may keep the width as it was
        if touches and cache is not None:  # if the hooks go in the middle, the layers behind take nothing
            cache.layers[:] = [ReducedLayer(0, None, shift) for _ in cache.layers]
        self._went_in: list[tuple[Tensor, Tensor]] = []  # rows and visible of each layer
        # layer, sample, (m,) and (heads, steps, m)
        self._scores: list[tuple[int, int, Tensor | None, Tensor | None]] = []

    def enter_layer(self, layer: int, hidden: Tensor, kwargs: dict[str, Any]) -> tuple[Tensor, dict[str, Any]]:
        picked = self.alive.enter(layer)
        self._went_in.append((self.alive.rows, self.alive.visible))
        if not self.touches:
            return hidden, kwargs
        if picked is not None:
            hidden, self._moved = _rows(hidden, picked), True
        if picked is not None or not self.alive.drops:
            self._mask = None if self.alive.full else prefill_mask(self.alive.visible)
        if self.cache is not None:
            visible = None if self._mask is None else self.alive.visible
            self.cache.layers[layer] = ReducedLayer(self.num_full - hidden.shape[1], visible, self.shift)
            self.cache.layers[layer].let_in()
        return hidden, kwargs | self._shortened(kwargs, hidden.device)

    def watch(self, layer: int, query: Tensor, key: Tensor, scale: float) -> None:
        samples = [index for index, layers in enumerate(self._asked) if layer in layers]
        self.alive.score(self.rank, query, key, scale, samples, self.stepwise)
        self._scores += [(layer, sample, self.alive.scores[sample], self.alive.steps[sample]) for sample in samples]

    def leave(self) -> None:
        """Write down what happened; only now, since counting rows makes a GPU wait."""
        for rows, visible in self._went_in:
            computed = visible if self.alive.drops else self.alive.present.gather(1, rows)
            for sample, record in enumerate(self.records):
                places = (visible[sample] & self.visual[sample, rows[sample]]).nonzero()[:, 0]
                record.places.append(places)
                record.kept.append(self._number[sample, rows[sample, places]])
                record.num_text.append(int(visible[sample].sum()) - len(places))
                record.num_rows.append(int(computed[sample].sum()))
                record.scores.append(None)
                record.steps.append(None)
        for layer, sample, scores, steps in self._scores:
            record = self.records[sample]
            record.scores[layer] = None if scores is None else scores[record.places[layer]]
            record.steps[layer] = None if steps is None else steps[..., record.places[layer]]

    def _shortened(self, kwargs: dict[str, Any], device: torch.device) -> dict[str, Any]:
        """Mask and positions for the rows that are left; they come at full length to every layer."""
        short: dict[str, Any] = {"attention_mask": None if self._mask is None else self._mask.to(device)}
        if not self._moved:
            return short
        short["position_embeddings"] = tuple(_rows(part, self.alive.rows) for part in kwargs["position_embeddings"])
        if (positions := kwargs.get("position_ids")) is not None:
            short["position_ids"] = _rows(positions[..., None], self.alive.rows)[..., 0]
        return short


class LaterPass:
    """A forward on a reduced cache: a decoding step, or the text of a further turn.

    incoming: (b, q) bool, new rows that are no padding.
    """

    def __init__(self, cache: Cache, incoming: Tensor):
        self.cache, self.incoming, self.all_visible = cache, incoming, bool(incoming.all())

    def enter_layer(self, layer: int, hidden: Tensor, kwargs: dict[str, Any]) -> tuple[Tensor, dict[str, Any]]:
        stored: ReducedLayer = self.cache.layers[layer]
        stored.see(self.incoming, self.all_visible)
        stored.let_in()
        num_new = hidden.shape[1]
        mask = later_mask(stored.visible, num_new, stored.num_stored + num_new, hidden.device)
        return hidden, kwargs | {"attention_mask": mask}

    def watch(self, layer: int, query: Tensor, key: Tensor, scale: float) -> None:
        """Nothing is ranked after the prefill."""

    def leave(self) -> None:
        """Nothing is written down."""


def _rows(x: Tensor, index: Tensor) -> Tensor:
    """x (..., b, n, d) and index (b, m) → (..., b, m, d)."""
    index = index.to(x.device)
    if len(index) == 1:
        return x.index_select(-2, index[0])
    return x.gather(-2, index[..., None].expand(*x.shape[:-2], index.shape[1], x.shape[-1]))
