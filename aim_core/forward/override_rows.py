"""OverrideRows: the rows of a merged prompt that a reader's overrides are about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from aim_core.overrides import Mark, TokenOverrides


@dataclass(frozen=True, eq=False)
class OverrideRows:
    """protect, remove: (1, n) bool, rows of one merged prompt; None for none."""

    protect: Tensor | None = None
    remove: Tensor | None = None

    def entering(self, counts: Sequence[int]) -> list[int]:
        """How many tokens enter each layer where the schedule says so many and some are removed from the start."""
        left = counts[0] - (0 if self.remove is None else int(self.remove.sum()))
        return [min(count, left) for count in counts]


NO_OVERRIDE_ROWS = OverrideRows()


def find_override_rows(overrides: TokenOverrides, groups: Sequence[Tensor], visual: Tensor) -> OverrideRows:
    """groups: for each view (patches,) the visual row each patch ended in, -1 if dropped; visual: (1, n) bool.

    Raises ValueError for a mark that the views do not have or whose patch the method drops before layer 0, for a
    token that is marked both ways, or if no token of any view is left.
    """
    protect, remove = (
        {_token(mark, groups): mark for mark in reversed(marks)} for marks in (overrides.protect, overrides.remove)
    )
    if both := sorted(set(protect) & set(remove)):
        one, other = protect[both[0]], remove[both[0]]
        raise ValueError(
            f"patch {one[1]} of view {one[0]} is marked to protect and patch {other[1]} of view {other[0]} to remove, "
            "but they were merged into one token: take one of the marks off"
        )
    if remove and not set(torch.cat(list(groups)).tolist()) - {-1, *remove}:
        raise ValueError("every visual token is marked to remove: leave at least one")
    rows = visual[0].nonzero()[:, 0]
    return OverrideRows(_mask(protect, rows, visual), _mask(remove, rows, visual))


def _token(mark: Mark, groups: Sequence[Tensor]) -> int:
    """The visual row behind a mark."""
    view, patch = mark
    if view >= len(groups):
        raise ValueError(f"a mark is on view {view}, but views are numbered from 0 to {len(groups) - 1}")
    if patch >= len(groups[view]):
        raise ValueError(f"a mark is on patch {patch} of view {view}, which has patches 0 to {len(groups[view]) - 1}")
    if (token := int(groups[view][patch])) < 0:
        raise ValueError(f"this method drops patch {patch} of view {view} before layer 0: take its mark off")
    return token


def _mask(tokens: dict[int, Mark], rows: Tensor, visual: Tensor) -> Tensor | None:
    if not tokens:
        return None
    found = torch.zeros_like(visual)
    found[0, rows[sorted(tokens)]] = True
    return found
