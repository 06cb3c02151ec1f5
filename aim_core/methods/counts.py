"""Counts: how many visual tokens a method lets into each layer, in closed form, and whether they fit a model."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from aim_core.methods.base import CountedMerger, Method, decides_at_run_time
from aim_core.reasons import UnfitError


def is_counted(method: Method) -> bool:
    """Whether its counts are known in closed form."""
    in_advance = not decides_at_run_time(method) and not method.drop_text
    return isinstance(method.merger, CountedMerger) and in_advance


def tokens_entering(
    method: Method, num_views: int, grid: tuple[int, int], num_layers: int, num_separators: int = 0
) -> list[int]:
    """Visual tokens entering each layer, in closed form, of `num_views` views of `grid` = (rows, columns) patches.

    num_separators: visual rows beside them that are never merged (newlines), see `Adapter.media`.
    Raises ValueError for a method whose count depends on the tokens, or settings that do not fit the model.
    """
    return tokens_of_blocks(method, [(num_views, grid)], num_layers, num_separators)


def tokens_of_blocks(
    method: Method,
    blocks: Sequence[tuple[int, tuple[int, int]]],
    num_layers: int,
    num_separators: int = 0,
    first_droppable: int = 0,
) -> list[int]:
    """The same of several media or sizes of views, each block of them reduced by itself: (num_views, grid).

    first_droppable: the first layer that may have fewer tokens than the first.
    """
    if not is_counted(method):
        raise ValueError(f"how many tokens {method.name} leaves depends on the video: run it to know")
    assert isinstance(method.merger, CountedMerger)
    left = sum(method.merger.num_left(*block) for block in blocks) + num_separators
    counts = method.schedule.tokens_entering(left, num_layers)
    check_schedule(counts, num_layers, left, first_droppable)
    return counts


def where_needed(counts: Sequence[int]) -> frozenset[int]:
    """Layers whose scores decide something: some of their tokens, not all and not none, enter the next layer."""
    return frozenset(i for i in range(len(counts) - 1) if 0 < counts[i + 1] < counts[i])


def check_schedule(counts: Sequence[int], num_layers: int, count: int, first_droppable: int) -> None:
    """Raise ValueError if a schedule's counts for `count` tokens do not fit a model of `num_layers` layers.

    first_droppable: the first layer that may have fewer tokens than the first.
    """
    if len(counts) != num_layers:
        raise ValueError(f"the schedule needs a count for each of {num_layers} layers, got {len(counts)}")
    if counts[0] != count:
        raise ValueError(f"all {count} tokens enter layer 0, the schedule says {counts[0]}")
    if any(later > earlier for earlier, later in pairwise(counts)) or counts[-1] < 0:
        raise ValueError(f"a dropped token cannot come back: the schedule rises or falls below 0, {list(counts)}")
    if any(own < count for own in counts[:first_droppable]):
        raise UnfitError("needed_early", layer=first_droppable)
