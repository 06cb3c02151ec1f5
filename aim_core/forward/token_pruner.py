"""TokenPruner: which rows of a prompt enter each layer, for every sample of a batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from aim_core.forward.override_rows import NO_OVERRIDE_ROWS, OverrideRows
from aim_core.forward.row_quota import RowQuota
from aim_core.methods.base import Folder, Scorer, Steps
from aim_core.ops.folding import Folded


class TokenPruner:
    """Which rows a layer has, and which of them may be seen.

    valid:     (b, n) bool, rows of the prompt that are not padding.
    droppable: (b, n) bool, rows that may be dropped.
    counts:    for each sample, how many droppable rows enter each layer.
    drops:     whether rows leave, or stay hidden.
    overrides: rows of a single sample that are out from the start, and have no say in any score, or go last.
    num_guessed: the last rows, of a single sample, that only guess what will be said (assisted decoding): they have no
               say in any score either, so that what is kept does not depend on them.
    folder:    what becomes of rows that leave; None: they are gone.
    steps:     for each sample what decides while the layers run, from layer `first_step` on: counts become what was
               decided; none: counts are known.
    audio:     audio rows, which are not among `droppable`; None where none may go by a count of their own.
    text:      text rows that may go, likewise; None where none may by a count of their own.

    rows:    (b, m) int64, the rows of the prompt that the current layer has, in order; padding comes first.
    visible: (b, m) bool, those that may be attended to.
    full: whether all of them may be, in every sample.
    present: (b, n) bool, `valid` whatever the overrides.
    folded:  layer, sample, and (2, f) int64: rows of the prompt that left before it, and the rows they went on in.

    How many rows are left is known from the counts, so that a GPU is not asked, and waited for, at every layer.
    """

    def __init__(
        self,
        valid: Tensor,
        droppable: Tensor,
        counts: Sequence[list[int]],
        drops: bool,
        overrides: OverrideRows = NO_OVERRIDE_ROWS,
        num_guessed: int = 0,
        folder: Folder | None = None,
        steps: Sequence[Steps] = (),
        first_step: int = 0,
        audio: RowQuota | None = None,
        text: RowQuota | None = None,
    ):
        self.present, self._num_guessed = valid, num_guessed
        valid = valid if overrides.remove is None else valid & ~overrides.remove
        self.audio = audio or RowQuota.none(valid, len(counts[0]))
        self.text = text or RowQuota.none(valid, len(counts[0]))
        self.valid, self.droppable, self.counts, self.drops = valid, droppable & valid, counts, drops
        self._protected, self._closes_up = overrides.protect, drops and overrides.remove is not None
        self.rows = torch.arange(valid.shape[1], device=valid.device).repeat(len(valid), 1)
        self.visible = valid
        self.scores: list[Tensor | None] = [None] * len(valid)  # (m,) each, in the layer before; -inf: not scored
        self.folded: list[tuple[int, int, Tensor]] = []
        self._folder, self._steps, self._first_step = folder, steps, first_step
        self._left = [own[0] for own in counts]  # rows that may be dropped, of each sample
        self._totals: list[int] = valid.sum(dim=1).tolist()
        self.full = min(self._totals) == valid.shape[1]

    def select(self, layer: int, hidden: Tensor) -> tuple[Tensor, Tensor | None]:
        """Select the rows that enter `layer`: (b, k) int64, indices into the rows before it, or None for all.

        hidden: (b, m, d), the rows before it; returned first with what was folded into others, still as many.
        Ties go to the earlier row. Raises RuntimeError if there must be a choice and no scores to choose by.
        """
        scores, self.scores = self.scores, [None] * len(self.counts)
        silent = not any(own.leaving(layer, sample) for own in self._quotas for sample in range(len(self.counts)))
        if silent and not self.decides and self._all_stay(layer):
            return hidden, self._closed_up(layer)
        candidates, before = self.visible & self.droppable.gather(1, self.rows), list(self._left)
        visible = self.visible.clone()  # whoever holds the last layer's keeps it
        moved: dict[int, Tensor] = {}  # by sample, rows to stand behind all that are left
        for sample, count in enumerate(before):
            if not self._steps and self.counts[sample][layer] == count:
                continue
            own = _places(candidates[sample], count)
            folded = self._folded(layer, sample, hidden, own, scores[sample])
            self._left[sample] = after = self.counts[sample][layer]
            if after == count:
                continue
            if folded is None:
                leaves = _worst(scores[sample], own, after, layer, self._first(sample, own))
            else:
                hidden, leaves = self._fold(layer, sample, hidden, own, folded)
                if folded.num_behind:
                    moved[sample] = own[folded.place[-folded.num_behind :].to(own.device)]
            visible[sample, own[leaves]] = False
            self._totals[sample] -= count - after
        for sample, leaves in () if silent else self._leaving_by_quota(layer, scores):
            visible[sample, leaves] = False
            self._totals[sample] -= len(leaves)
        if silent and self._left == before:
            return hidden, self._closed_up(layer)
        self.visible = visible
        if self.drops:
            return hidden, self._compact(moved)
        self.full = False
        return hidden, self._behind(moved) if moved else None

    def _all_stay(self, layer: int) -> bool:
        """Whether all rows that may be dropped enter `layer` too; those with a quota aside."""
        return all(own[layer] == left for own, left in zip(self.counts, self._left, strict=True))

    @property
    def _quotas(self) -> tuple[RowQuota, RowQuota]:
        return self.audio, self.text

    def _leaving_by_quota(self, layer: int, scores: Sequence[Tensor | None]) -> Iterator[tuple[int, Tensor]]:
        """Samples with the audio or text rows (g,) int64 that go before `layer`, among those of the layer before."""
        for quota in self._quotas:
            candidates = self.visible & quota.rows.gather(1, self.rows)
            for sample, counts in enumerate(quota.counts):
                if quota.leaving(layer, sample):
                    own = _places(candidates[sample], counts[layer - 1])
                    yield sample, own[_worst(scores[sample], own, counts[layer], layer, None)]

    def _closed_up(self, layer: int) -> Tensor | None:
        """Where nothing leaves: the rows without what was removed from the start, before layer 0; None for all."""
        return self._compact() if not layer and self._closes_up else None

    def asked(self, sample: int, scorer: Scorer) -> frozenset[int]:
        """The layers whose scores a scorer wants to be asked for in a sample."""
        quotas = (scorer.layers(own.counts[sample]) for own in self._quotas)
        return scorer.layers(self.counts[sample]).union(*quotas)

    @property
    def decides(self) -> bool:
        """Whether counts are known only when all layers have run."""
        return bool(self._steps)

    def wants_scores(self, layer: int, sample: int) -> bool:
        """Whether the next step of a sample goes by the scores of `layer`."""
        return self.decides and self._steps[sample].wants_scores(layer)

    def _folded(self, layer: int, sample: int, hidden: Tensor, own: Tensor, scores: Tensor | None) -> Folded | None:
        """What the step or the folder of a sample says of its rows `own`; None where all stay, or some are just gone.

        The count that a step decides on is written down.
        """
        counts, at = self.counts[sample], own.to(hidden.device)
        known = None if scores is None else self._known(sample, own, scores).to(hidden.device)
        if self.decides:
            if layer < self._first_step or not len(own):
                return None
            first = self._first(sample, own)
            protected = None if first is None else first.to(hidden.device)
            rows, entered = self.rows[sample, own], counts[:layer]
            folded = self._steps[sample].step(layer, hidden[sample, at], known, rows, entered, protected)
            if folded is not None:
                counts[layer:] = [len(folded.place)] * (len(counts) - layer)
            return folded
        if self._folder is None or not counts[layer]:
            return None
        if known is None:
            raise _unscored(layer, counts[layer], len(own))
        return self._folder(hidden[sample, at], known, counts, layer)

    def _known(self, sample: int, own: Tensor, scores: Tensor) -> Tensor:
        """The scores of rows `own`; those that are protected are above all others."""
        first = self._first(sample, own)
        return scores[own] if first is None else scores[own].masked_fill(first, torch.inf)

    def _first(self, sample: int, own: Tensor) -> Tensor | None:
        """(len(own),) bool, rows that beat all others."""
        return None if self._protected is None else self._protected[sample, self.rows[sample, own]]

    def _fold(self, layer: int, sample: int, hidden: Tensor, own: Tensor, folded: Folded) -> tuple[Tensor, Tensor]:
        """hidden with the tokens left of the rows `own` of a sample, and which of `own` leave.

        Raises ValueError if not as many are left as the schedule says.
        """
        after = self.counts[sample][layer]
        if len(folded.place) != after or folded.group.shape != own.shape:
            raise ValueError(f"layer {layer}: {after} of {len(own)} tokens had to be left, got {len(folded.place)}")
        group, stays = folded.group.to(own.device), own[folded.place.to(own.device)]
        hidden = hidden.clone()  # whoever holds it keeps it
        hidden[sample, stays.to(hidden.device)] = folded.tokens.to(hidden.dtype)
        gone = torch.ones_like(own, dtype=torch.bool)
        gone[folded.place.to(own.device)] = False
        joins, rows = gone & (group >= 0), self.rows[sample]
        self.folded.append((layer, sample, torch.stack([rows[own[joins]], rows[stays[group[joins]]]])))
        return hidden, gone.nonzero()[:, 0]

    def scored_rows(self, sample: int, query: Tensor, key: Tensor) -> tuple[Tensor, Tensor]:
        """Query (1, heads, p, d) and key (1, kv_heads, p, d) of the p rows of one sample that have a say in scores.

        query: (b, heads, m, d) and key: (b, kv_heads, m, d), those of the current layer.
        """
        query, key = query[sample : sample + 1], key[sample : sample + 1]
        if not self.full:
            present = self._present(sample)
            query, key = _mask_keys(query[:, :, present], key[:, :, present], ~self.visible[sample][present])
        told = query.shape[2] - self._num_guessed
        return query[:, :, :told], key[:, :, :told]

    def spread(self, sample: int, values: Tensor, fill: float) -> Tensor:
        """values (..., p) of the rows that `scored_rows` gave, put among all rows: (..., m); `fill` for the others."""
        values = F.pad(values.to(self.rows.device), (0, self._num_guessed), value=fill)
        if self.full:
            return values
        whole = values.new_full((*values.shape[:-1], self.rows.shape[1]), fill)
        whole[..., self._present(sample)] = values
        return whole

    def _present(self, sample: int) -> Tensor:
        """(m,) bool, rows of the current layer that are no filling; rows that are only hidden count."""
        return self.visible[sample] if self.drops else self.valid[sample].gather(0, self.rows[sample])

    def _compact(self, moved: dict[int, Tensor] | None = None) -> Tensor:
        """Take hidden rows out; samples that keep fewer get filling in front. moved: see `_order`."""
        longest = max(self._totals)
        picked = self._order(moved or {}).masked_fill(~self.visible, -9).argsort(dim=1, stable=True)[:, -longest:]
        self.full = min(self._totals) == longest
        return self._pick(picked)

    def _behind(self, moved: dict[int, Tensor]) -> Tensor:
        """Put rows behind others; hidden ones stay."""
        return self._pick(self._order(moved).argsort(dim=1, stable=True))

    def _pick(self, picked: Tensor) -> Tensor:
        self.rows = self.rows.gather(1, picked)
        self.visible = self.visible.gather(1, picked)
        return picked

    def _order(self, moved: dict[int, Tensor]) -> Tensor:
        """(b, m) int64, ascending in the order in which rows are to stand: as they do, but `moved` behind the last
        other row of their sample that may be dropped and is left."""
        order = 2 * torch.arange(self.rows.shape[1], device=self.rows.device).repeat(len(self.rows), 1)
        for sample, own in moved.items():
            others = self.visible[sample] & self.droppable[sample, self.rows[sample]]
            others[own] = False
            order[sample, own] = order[sample].masked_fill(~others, -2).max() + 1  # equal ones: as they stood
        return order


def _places(mask: Tensor, count: int) -> Tensor:
    """(count,) int64, ascending, where mask (m,) is true; `count` is how often that is."""
    return mask.to(torch.uint8).argsort(descending=True, stable=True)[:count]


def _unscored(layer: int, count: int, num: int) -> RuntimeError:
    return RuntimeError(f"layer {layer} must choose {count} of {num} tokens without scores")


def _worst(scores: Tensor | None, own: Tensor, count: int, layer: int, first: Tensor | None) -> Tensor:
    """Indices into `own` of all but the best `count`; those that are `first`, (len(own),) bool, beat all others."""
    if not count:
        return torch.arange(len(own), device=own.device)
    if scores is None:
        raise _unscored(layer, count, len(own))
    order = scores[own].argsort(descending=True, stable=True)
    if first is not None:
        order = order[first[order].to(torch.uint8).argsort(descending=True, stable=True)]
    return order[count:]


def _mask_keys(query: Tensor, key: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
    """Give query and key one more feature that takes q·k of `hidden` (m,) keys below what any softmax can see."""
    if not hidden.any():
        return query, key
    far = 2.0**15  # exact in half precision; other keys get + 0, so their logits stay exact
    extra = hidden.to(key.dtype)[None, None, :, None].expand(*key.shape[:3], 1)
    return torch.cat([query, torch.full_like(query[..., :1], far)], dim=-1), torch.cat([key, -extra * far], dim=-1)
