"""TokenOverrides: patches that a reader protects or removes, whatever the method would do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Mark = tuple[int, int]


@dataclass(frozen=True)
class TokenOverrides:
    """Marks on the patches of one run, each (view, patch), as `Trace.group` counts them.

    A mark is about the merged token that its patch ended in.
    protect: the token stays as long as the schedule lets any visual token stay, scored above all others.
    remove:  the token leaves before layer 0; every other token keeps the position it would have had.

    `bool(TokenOverrides())` is False: without marks nothing changes.
    Raises ValueError for a mark that is not a pair of whole numbers from 0 on, or for a patch marked both ways.
    """

    protect: tuple[Mark, ...] = ()
    remove: tuple[Mark, ...] = ()

    def __post_init__(self):
        for name in ("protect", "remove"):
            object.__setattr__(self, name, tuple(_mark(mark, name) for mark in getattr(self, name)))
        if both := set(self.protect) & set(self.remove):
            view, patch = min(both)
            raise ValueError(f"patch {patch} of view {view} is marked both to protect and to remove: take one mark off")

    def __bool__(self) -> bool:
        return bool(self.protect or self.remove)


NO_OVERRIDES = TokenOverrides()


def _mark(mark: Any, name: str) -> Mark:
    try:
        view, patch = mark
        fits = int(view) == view >= 0 and int(patch) == patch >= 0
    except (TypeError, ValueError):
        fits = False
    if not fits:
        raise ValueError(f"a mark to {name} is a pair (view, patch) of whole numbers from 0 on, got {mark!r}")
    return int(view), int(patch)
