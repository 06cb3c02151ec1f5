"""Deal out: a whole number of tokens over frames, by shares and within bounds."""

from __future__ import annotations

from collections.abc import Sequence


def deal_out(shares: Sequence[float], most: Sequence[int], total: int) -> list[int]:
    """Whole numbers, from 1 to `most` of each, that add up to `total`, close to total x shares.

    Rounded down, within bounds; what is then missing goes, one by one, to those that lack most, and what is too much is
    taken from those that have most in excess. Of equals the first. Raises ValueError for a total out of bounds.
    """
    if not len(most) <= total <= sum(most) or min(most) < 1:
        raise ValueError(f"cannot deal out {total} among {len(most)}, at most {list(most)}")
    counts = [min(limit, max(1, int(total * share))) for share, limit in zip(shares, most, strict=True)]
    while (missing := total - sum(counts)) != 0:
        step = 1 if missing > 0 else -1
        free = [i for i, count in enumerate(counts) if 1 <= count + step <= most[i]]
        best = max(free, key=lambda i: step * (total * shares[i] - counts[i]))
        counts[best] += step
    return counts
