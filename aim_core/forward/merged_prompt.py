"""MergedPrompt: one prompt after its visual rows were merged, and where every row and every patch went."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import torch
from torch import Tensor

from aim_core.adapters.layout import Layout, ViewSpan
from aim_core.ops.merging import Merged


@dataclass(frozen=True, eq=False)
class MergedPrompt:
    """A prompt of N rows after merging, n rows.

    embeds: (n, d).
    rows:   (n,) int64, ascending: the row of the full prompt that each row stands at.
    position_of: (n,) int64, the row of the full prompt whose position each row keeps: for text and separators the
            same row, for a merged token that of the patch which the others were merged into.
    visual: (n,) bool.
    groups: for each view (patches,) int64, the visual row, counted from 0, that each patch ended in.
    merged_rows: for each view (k,) int64, the rows of the full prompt that its merged tokens stand at.
    merged: for each view, how it was merged.
    num_full: N.
    """

    embeds: Tensor
    rows: Tensor
    position_of: Tensor
    visual: Tensor
    groups: tuple[Tensor, ...]
    merged_rows: tuple[Tensor, ...]
    merged: tuple[Merged, ...]
    num_full: int

    @property
    def rounds(self) -> tuple[tuple[Tensor, ...], ...]:
        """For each view its rounds of merging, (n_r,) each, see `Merged`."""
        return tuple(tuple(new[0] for new in one.rounds) for one in self.merged)

    def merge_like(self, other: Tensor, views: Sequence[ViewSpan]) -> Tensor:
        """Other features of all rows of the full prompt, (N, m), merged in the same way: (n, m)."""
        out = other.clone()
        for part, own_rows, merged in zip(views, self.merged_rows, self.merged, strict=True):
            out[own_rows] = merged.apply(other[part.rows.to(other.device)][None])[0]
        return out[self.rows]


def merge_prompt(
    embeds: Tensor,
    layout: Layout,
    merger: Callable[[Tensor], Merged],
    keep_positions: bool = False,
) -> MergedPrompt:
    """Merge every view of one prompt.

    embeds:   (N, d), text and visual rows.
    merger:   tokens (views, n, d) → Merged; neighbours of one size go together.
    keep_positions: a merged token stands where the patch stood that the others were merged into; otherwise they fill
              the first rows of their view, in the order that merging gives them (as released).

    Views that were merged before the projector are not merged again: `embeds` holds each patch's merged token.
    """
    rows = [part.rows.to(embeds.device) for part in layout.views]
    early = [part.merged for part in layout.views if part.merged is not None]
    merged = _merged_early(embeds, rows, early) if early else _merged(embeds, rows, merger)
    if keep_positions:
        merged = [one.in_raster_order() for one in merged]
    pairs = list(zip(rows, merged, strict=True))
    merged_rows = [own[one.place[0]] if keep_positions else own[: one.place.shape[1]] for own, one in pairs]
    out, place = embeds.clone(), torch.arange(len(embeds), device=embeds.device)
    stays = torch.ones_like(place, dtype=torch.bool)
    for own, one, own_rows in zip(rows, merged, merged_rows, strict=True):
        stays[own] = False
        stays[own_rows] = True
        out[own_rows], place[own_rows] = one.tokens[0], own[one.place[0]]
    visual = torch.zeros_like(stays)
    visual[layout.visual.to(embeds.device)] = True
    number = (stays & visual).cumsum(0) - 1  # for each visual row that stays, its number among them
    groups = tuple(number[own_rows[one.group[0]]] for own_rows, one in zip(merged_rows, merged, strict=True))
    left = stays.nonzero()[:, 0]
    by_view = tuple(merged_rows), tuple(merged)
    return MergedPrompt(out[left], left, place[left], visual[left], groups, *by_view, len(embeds))


def _merged(embeds: Tensor, rows: Sequence[Tensor], merger: Callable[[Tensor], Merged]) -> list[Merged]:
    """A Merged of one view for each view; neighbours of one size are merged in one call."""
    found = []
    for _, group in groupby(rows, key=len):
        found += merger(embeds[torch.stack(list(group))]).each()
    return found


def _merged_early(embeds: Tensor, rows: Sequence[Tensor], early: Sequence[Merged]) -> list[Merged]:
    """The Merged of each view with the tokens that the projector made of it."""
    return [replace(one, tokens=embeds[own[one.place[0]]][None]) for own, one in zip(rows, early, strict=True)]
