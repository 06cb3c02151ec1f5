"""MergedPrompt: one prompt after its visual rows were merged, and where every row and every patch went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import torch
from torch import Tensor

from aim_core.adapters.layout import AudioChunk, Layout, ViewSpan
from aim_core.methods.base import GridMerger, Merger, needs_tower
from aim_core.ops.reduced import Reduced, as_reduced
from aim_core.ops.tower_attention import TowerAttention


@dataclass(frozen=True, eq=False)
class ReducedViews:
    """V views of one medium and one size, which a merger reduced in one call.

    rows:       (V, n) int64, the row of the full prompt of each of their patches.
    reduced:    what is left of them.
    token_rows: (k,) int64, the row of the full prompt that each token left stands at.
    """

    rows: Tensor
    reduced: Reduced
    token_rows: Tensor

    @property
    def rounds(self) -> list[tuple[Tensor, ...]]:
        """For each view its rounds of merging, (n_r,) each, see `Merged`; none where it was reduced otherwise."""
        merged = self.reduced.merged
        return [tuple(new[view] for new in merged.rounds) if merged else () for view in range(len(self.rows))]


@dataclass(frozen=True, eq=False)
class MergedPrompt:
    """A prompt of N rows after merging, n rows.

    embeds: (n, d).
    rows:   (n,) int64, ascending: the row of the full prompt that each row stands at.
    position_of: (n,) int64, the row of the full prompt whose position each row keeps: for text and separators the
            same row, for a merged token that of the patch which the others were merged into.
    visual: (n,) bool.
    groups: for each view (patches,) int64, the visual row, counted from 0, that each patch ended in; -1 for a patch
            that was dropped. Patches of several views may lead to one row.
    parts:  all views, in order, as they were merged together.
    num_full: N.
    audio:  (n,) bool; none of them is visual.
    sound:  the chunks of audio, each as `parts` of one view.
    heard:  for each chunk (tokens,) int64, the audio row, counted from 0, that each token ended in.
    """

    embeds: Tensor
    rows: Tensor
    position_of: Tensor
    visual: Tensor
    groups: tuple[Tensor, ...]
    parts: tuple[ReducedViews, ...]
    num_full: int
    audio: Tensor
    sound: tuple[ReducedViews, ...] = ()
    heard: tuple[Tensor, ...] = ()

    @property
    def rounds(self) -> tuple[tuple[Tensor, ...], ...]:
        """For each view its rounds of merging, see `ReducedViews`."""
        return tuple(rounds for part in self.parts for rounds in part.rounds)

    def cells(self) -> Tensor:
        """(n, 3) int64, for each row its part, the view within it and the patch that it stands at; -1 for others."""
        found = torch.full((len(self.rows), 3), -1, dtype=torch.int64, device=self.rows.device)
        for number, part in enumerate(self.parts):
            view, patch = part.reduced.place // part.rows.shape[1], part.reduced.place % part.rows.shape[1]
            at = torch.searchsorted(self.rows, part.token_rows)
            found[at] = torch.stack([torch.full_like(view, number), view, patch], dim=1)
        return found

    def merge_like(self, other: Tensor) -> Tensor:
        """Other features of all rows of the full prompt, (N, m), merged in the same way: (n, m)."""
        out = other.clone()
        for part in self.parts:
            out[part.token_rows] = part.reduced.apply(other[part.rows.to(other.device)])
        return out[self.rows]


def merge_prompt(
    embeds: Tensor,
    layout: Layout,
    merger: Merger,
    keep_positions: bool = False,
    audio_merger: Merger | None = None,
) -> MergedPrompt:
    """Merge the views of one prompt.

    embeds:   (N, d), text and visual rows.
    merger:   tokens (views, n, d) → Merged or Reduced; neighbours of one medium and one size go together.
    keep_positions: a merged token stands where the patch stood that the others were merged into; otherwise the tokens
              of a `Merged` fill the first rows of their view, in the order that merging gives them (as released).
              Those of a `Reduced` always stand at their places.
    audio_merger: called with each chunk of audio (1, n, d); its tokens stand at their places, in the order of time.
              None to merge none of it.

    Views that were merged before the projector are not merged again: `embeds` holds each patch's merged token.
    Raises ValueError if what the merger gives does not fit the views.
    """
    parts = [_place(rows, one, keep_positions) for rows, one in _reduced(embeds, layout, merger)]
    sound = [] if audio_merger is None else [_reduced_chunk(embeds, chunk, audio_merger) for chunk in layout.audio]
    out, place = embeds.clone(), torch.arange(len(embeds), device=embeds.device)
    stays = torch.ones_like(place, dtype=torch.bool)
    for part in [*parts, *sound]:
        stays[part.rows] = False
        stays[part.token_rows] = True
        out[part.token_rows] = part.reduced.tokens
        place[part.token_rows] = part.rows.flatten()[part.reduced.place]
    visual, audio = torch.zeros_like(stays), torch.zeros_like(stays)
    visual[layout.visual.to(embeds.device)] = True
    for chunk in layout.audio:
        audio[chunk.rows.to(embeds.device)] = True
    groups, heard = _groups(parts, stays & visual), _groups(sound, stays & audio)
    left = stays.nonzero()[:, 0]
    whole = MergedPrompt(out[left], left, place[left], visual[left], groups, tuple(parts), len(embeds), audio[left])
    return replace(whole, sound=tuple(sound), heard=heard)


def _reduced_chunk(embeds: Tensor, chunk: AudioChunk, merger: Merger) -> ReducedViews:
    rows = chunk.rows.to(embeds.device)[None]
    return _place(rows, as_reduced(merger(embeds[rows]), *rows.shape), keep_positions=True)


def _reduced(embeds: Tensor, layout: Layout, merger: Merger) -> list[tuple[Tensor, Reduced]]:
    """All views by what is merged together: the rows (V, n) of their patches, and what is left of these."""
    if any(part.merged is not None for part in layout.views):
        return [_reduced_early(embeds, part) for part in layout.views]
    found = []
    for (_, grid), views in groupby(layout.views, key=lambda part: (part.view.medium, part.view.grid)):
        parts = list(views)
        rows = torch.stack([part.rows for part in parts]).to(embeds.device)
        own = merger.on_grid(grid) if isinstance(merger, GridMerger) else merger
        left = own(embeds[rows], tower=_tower(parts).to(embeds.device)) if needs_tower(own) else own(embeds[rows])
        found.append((rows, as_reduced(left, *rows.shape)))
    return found


def _tower(views: Sequence[ViewSpan]) -> TowerAttention:
    known = [part.tower for part in views if part.tower is not None]
    if len(known) < len(views):
        raise ValueError("this method needs the vision tower's attention: encode images and videos inside aim()")
    return TowerAttention.together(known)


def _reduced_early(embeds: Tensor, part: ViewSpan) -> tuple[Tensor, Reduced]:
    """A view that was merged before the projector, with the tokens that the projector made of it."""
    assert part.merged is not None
    rows = part.rows.to(embeds.device)[None]
    reduced = as_reduced(part.merged, *rows.shape)
    return rows, replace(reduced, tokens=embeds[rows.flatten()[reduced.place]])


def _place(rows: Tensor, reduced: Reduced, keep_positions: bool) -> ReducedViews:
    """Views with the rows that their tokens stand at; rows: (V, n), see `ReducedViews`."""
    if reduced.merged is None or keep_positions:
        return ReducedViews(rows, reduced, rows.flatten()[reduced.place])
    return ReducedViews(rows, reduced, rows[:, : reduced.merged.place.shape[1]].flatten())


def _groups(parts: Sequence[ReducedViews], stays: Tensor) -> tuple[Tensor, ...]:
    """For each view (n,) int64, the row that each patch ended in, counted among those that stay; -1 for none.

    stays: (N,) bool, the rows of one kind that are left.
    """
    number = stays.cumsum(0) - 1
    found = []
    for part in parts:
        group = part.reduced.group
        found += list(torch.where(group < 0, -1, number[part.token_rows][group.clamp_min(0)]))
    return tuple(found)
