"""Folded: what is left of visual tokens inside the language model where tokens that leave go on in others."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from aim_core.ops.reduced import weighted_sums


@dataclass(frozen=True, eq=False)
class Folded:
    """What is left of c tokens that entered one layer: k, as they enter the next.

    tokens: (k, d).
    group:  (c,) int64 in [-1, k): the token that each goes on in; -1 for one that is dropped.
    place:  (k,) int64, the token of its group in whose row, and at whose position, each stands.
    num_behind: how many of them, the last, stand behind all other visual tokens; the others where they stood.
    """

    tokens: Tensor
    group: Tensor
    place: Tensor
    num_behind: int = 0


def fold(hidden: Tensor, group: Tensor, weight: Tensor, place: Tensor, num_behind: int = 0) -> Folded:
    """Sums of tokens (c, d) of the same group (c,), each times its weight (c,), in float32 or wider; see `Folded`."""
    return Folded(weighted_sums(hidden[None], group[None], weight[None], len(place)), group, place, num_behind)


def best(scores: Tensor, count: int) -> Tensor:
    """(count,) int64, the tokens of highest score, ascending; ties to the earlier."""
    return scores.argsort(descending=True, stable=True)[:count].sort().values


def numbered(place: Tensor, num_tokens: int) -> Tensor:
    """(num_tokens,) int64: the number of each token that stands at one of `place`, (k,); -1 for the others."""
    number = torch.full((num_tokens,), -1, dtype=torch.int64, device=place.device)
    number[place] = torch.arange(len(place), device=place.device)
    return number
