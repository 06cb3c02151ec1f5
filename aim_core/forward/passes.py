"""Passes: what happens at each decoder layer, in a prefill that drops rows and in the forwards after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from transformers import Cache

from aim_core.forward.cache import PrunedCacheLayer
from aim_core.forward.diagnostics import Diagnostics
from aim_core.forward.recorder import Record
from aim_core.forward.token_pruner import TokenPruner
from aim_core.methods.base import IterativeScorer, Scorer, looks_ahead
from aim_core.methods.scorers import OTHERS
from aim_core.ops.masks import decode_mask, prefill_mask


class Pass:
    """One forward of the decoder as its hooks call it; this one leaves it as it is, text alone for example.

    diagnostics: what else is measured; None for nothing.
    """

    def __init__(self, diagnostics: Diagnostics | None = None):
        self.diagnostics = diagnostics

    def enter_layer(self, layer: int, hidden: Tensor, kwargs: dict[str, Any]) -> tuple[Tensor, dict[str, Any]]:
        """What a layer gets in the place of the rows `hidden` (b, n, d) and its other arguments."""
        return hidden, kwargs

    def preview(self, layer: int, kwargs: dict[str, Any]) -> dict[str, Any] | None:
        """With which arguments a layer's attention is to tell its query and key before the layer is entered.

        None if nobody asks; else `on_preview` is called next.
        """
        return None

    def on_preview(self, layer: int, query: Tensor, key: Tensor, scale: float) -> None:
        """What a layer would attend with, had it all rows of the layer before; as in `on_attention`."""

    def on_attention(self, layer: int, query: Tensor, key: Tensor, scale: float) -> None:
        """A layer attends: query (b, heads, n, d) and key (b, kv_heads, n, d)."""
        if self.diagnostics is not None:
            self.diagnostics.on_attention(layer, query, scale)

    def leave(self) -> None:
        """The forward ends."""


class PrefillPass(Pass):
    """A prefill, layer by layer.

    scorers:  one for each sample.
    visual:   (b, n) bool, rows of the merged prompts, no padding among them.
    records:  one for each sample, filled in as the layers go by.
    num_full: rows of the full prompts; shift: (b, 1), see `PrunedCacheLayer`.
    touches:  False if nothing is ever merged or dropped: then attention is only scored.
    diagnostics: with `details`, every iteration of a scorer is recorded; with `other_scores`, what others say.
    """

    def __init__(
        self,
        scorers: Sequence[Scorer],
        pruner: TokenPruner,
        visual: Tensor,
        records: list[Record],
        cache: Cache | None,
        num_full: int,
        shift: Tensor,
        touches: bool,
        diagnostics: Diagnostics | None = None,
    ):
        super().__init__(diagnostics)
        self.scorers, self.pruner, self.visual, self.records = scorers, pruner, visual, records
        self._details = diagnostics is not None and diagnostics.details
        self._others = diagnostics is not None and diagnostics.other_scores
        self.cache, self.num_full, self.shift, self.touches = cache, num_full, shift, touches
        self._number = self.visual.cumsum(1) - 1  # for each visual row, its number
        self._audio_number = pruner.audio.rows.cumsum(1) - 1
        self._text_number = pruner.text.rows.cumsum(1) - 1
        self._ahead = looks_ahead(scorers[0])
        self._asked = [pruner.asked(sample, scorer) for sample, scorer in enumerate(scorers)]
        self._mask = None if pruner.full else prefill_mask(pruner.visible)
        self._moved = False  # whether rows have left; a longer neighbour may keep the width as it was
        if touches and cache is not None:  # if the hooks go in the middle, the layers behind take nothing
            cache.layers[:] = [PrunedCacheLayer(0, None, shift) for _ in cache.layers]
        self._entered: list[tuple[Tensor, Tensor]] = []  # rows and visible of each layer
        # layer, sample, (m,), (heads, steps, m) and (2, m)
        self._scores: list[tuple[int, int, Tensor, Tensor | None, Tensor | None]] = []

    def enter_layer(self, layer: int, hidden: Tensor, kwargs: dict[str, Any]) -> tuple[Tensor, dict[str, Any]]:
        hidden, picked = self.pruner.select(layer, hidden)
        self._entered.append((self.pruner.rows, self.pruner.visible))
        if not self.touches:
            return hidden, kwargs
        if picked is not None:
            hidden, self._moved = _rows(hidden, picked), True
        if picked is not None or not self.pruner.drops:
            self._mask = None if self.pruner.full else prefill_mask(self.pruner.visible)
        if self.cache is not None:
            visible = None if self._mask is None else self.pruner.visible
            self.cache.layers[layer] = PrunedCacheLayer(self.num_full - hidden.shape[1], visible, self.shift)
            self.cache.layers[layer].accept_rows()
        return hidden, kwargs | self._of_rows_left(kwargs, hidden.device)

    def preview(self, layer: int, kwargs: dict[str, Any]) -> dict[str, Any] | None:
        if not self._ahead or not any(layer - 1 in layers for layers in self._asked):
            return None
        return kwargs | self._of_rows_left(kwargs, self.pruner.rows.device) | {"past_key_values": None}

    def on_preview(self, layer: int, query: Tensor, key: Tensor, scale: float) -> None:
        self._score(layer - 1, query, key, scale)

    def on_attention(self, layer: int, query: Tensor, key: Tensor, scale: float) -> None:
        super().on_attention(layer, query, key, scale)
        if not self._ahead:
            self._score(layer, query, key, scale)

    def _score(self, layer: int, query: Tensor, key: Tensor, scale: float) -> None:
        """Score the rows that entered a layer, in the samples that ask for it."""
        for sample in range(len(self._asked)):
            if layer not in self._asked[sample] and not self.pruner.wants_scores(layer, sample):
                continue
            scorer = self.scorers[sample]
            q, k = self.pruner.scored_rows(sample, query, key)
            if self._details and isinstance(scorer, IterativeScorer):
                scores, steps = scorer.with_iterations(q, k, scale)
            else:
                scores, steps = scorer(q, k, scale), None
            scores = self.pruner.scores[sample] = self.pruner.spread(sample, scores[0], -torch.inf)
            steps = None if steps is None else self.pruner.spread(sample, steps[0], torch.nan)
            others = torch.cat([other(q, k, scale) for other in OTHERS]) if self._others else None
            others = None if others is None else self.pruner.spread(sample, others, torch.nan)
            self._scores.append((layer, sample, scores, steps, others))

    def leave(self) -> None:
        """Write down what happened; only now, since counting rows makes a GPU wait."""
        for rows, visible in self._entered:
            computed = visible if self.pruner.drops else self.pruner.present.gather(1, rows)
            for sample, record in enumerate(self.records):
                places = (visible[sample] & self.visual[sample, rows[sample]]).nonzero()[:, 0]
                kept, order = self._number[sample, rows[sample, places]].sort()
                places = places[order]
                record.places.append(places)
                record.kept.append(kept)
                record.folded.append(None)
                if record.audio is not None:
                    heard = (visible[sample] & self.pruner.audio.rows[sample, rows[sample]]).nonzero()[:, 0]
                    kept, order = self._audio_number[sample, rows[sample, heard]].sort()
                    record.kept_audio.append(kept)
                    record.audio_places.append(heard[order])
                    record.audio_scores.append(None)
                if self.pruner.text.reduces:
                    told = (visible[sample] & self.pruner.text.rows[sample, rows[sample]]).nonzero()[:, 0]
                    record.kept_text.append(self._text_number[sample, rows[sample, told]].sort().values)
                record.num_text.append(int(visible[sample].sum()) - len(places))
                record.num_rows.append(int(computed[sample].sum()))
                record.scores.append(None)
                record.steps.append(None)
                record.others.append(None)
        for layer, sample, pairs in self.pruner.folded:
            self.records[sample].folded[layer] = self._number[sample, pairs].mT
        for sample in range(len(self.records)) if self.pruner.decides else ():
            self.records[sample] = replace(self.records[sample], planned=tuple(self.pruner.counts[sample]))
        for layer, sample, scores, steps, others in self._scores:
            record = self.records[sample]
            places = record.places[layer]
            record.scores[layer] = scores[places]
            if record.audio is not None:
                record.audio_scores[layer] = scores[record.audio_places[layer]]
            record.steps[layer] = None if steps is None else steps[..., places]
            record.others[layer] = None if others is None else others[..., places]

    def _of_rows_left(self, kwargs: dict[str, Any], device: torch.device) -> dict[str, Any]:
        """Mask and positions for the rows that are left; they come at full length to every layer."""
        left: dict[str, Any] = {"attention_mask": None if self._mask is None else self._mask.to(device)}
        if not self._moved:
            return left
        left["position_embeddings"] = tuple(_rows(part, self.pruner.rows) for part in kwargs["position_embeddings"])
        if (positions := kwargs.get("position_ids")) is not None:
            left["position_ids"] = _rows(positions[..., None], self.pruner.rows)[..., 0]
        return left


class DecodePass(Pass):
    """A forward on a reduced cache: a decoding step, or the text of a further turn.

    incoming: (b, q) bool, new rows that are no padding.
    """

    def __init__(self, cache: Cache, incoming: Tensor, diagnostics: Diagnostics | None = None):
        super().__init__(diagnostics)
        self.cache, self.incoming, self.all_visible = cache, incoming, bool(incoming.all())

    def enter_layer(self, layer: int, hidden: Tensor, kwargs: dict[str, Any]) -> tuple[Tensor, dict[str, Any]]:
        stored: PrunedCacheLayer = self.cache.layers[layer]
        stored.append_visibility(self.incoming, self.all_visible)
        stored.accept_rows()
        num_new = hidden.shape[1]
        mask = decode_mask(stored.visible, num_new, stored.num_stored + num_new, hidden.device)
        return hidden, kwargs | {"attention_mask": mask}


def _rows(x: Tensor, index: Tensor) -> Tensor:
    """x (..., b, n, d) and index (b, m) → (..., b, m, d)."""
    index = index.to(x.device)
    if len(index) == 1:
        return x.index_select(-2, index[0])
    return x.gather(-2, index[..., None].expand(*x.shape[:-2], index.shape[1], x.shape[-1]))
