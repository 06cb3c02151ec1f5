"""Folding inside the language model, against plain slow references written from the papers."""

from __future__ import annotations

import math

import pytest
import torch

from aim_core.methods.holitom import AverageIntoNearest
from aim_core.methods.sparsevlm import Recycle, ThreeDrops

COUNTS = [40, 40, 16, 16]


def drawn(seed: int, num: int = 40) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(num, 5, generator=generator, dtype=torch.float64), torch.rand(num, generator=generator)


def cosine(a: list[float], b: list[float]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True)) / math.hypot(*a) / math.hypot(*b)


def mean(rows: list[list[float]]) -> list[float]:
    return [sum(column) / len(rows) for column in zip(*rows, strict=True)]


def slow_holitom(x: list[list[float]], scores: list[float], count: int) -> tuple[dict[int, list[float]], list[int]]:
    """What each token that stays becomes, and where each token goes on."""
    stays = sorted(sorted(range(len(x)), key=lambda i: -scores[i])[:count])
    now, into = {i: list(x[i]) for i in stays}, list(range(len(x)))
    for i in range(len(x)):
        if i not in now:
            into[i] = max(stays, key=lambda j: cosine(x[i], x[j]))
            now[into[i]] = mean([now[into[i]], x[i]])
    return now, into


@pytest.mark.parametrize("seed", range(3))
def test_holitom_averages_each_that_leaves_into_the_one_most_like_it(seed):
    hidden, scores = drawn(seed)
    folded = AverageIntoNearest()(hidden, scores, COUNTS, 2)
    now, into = slow_holitom(hidden.tolist(), scores.tolist(), COUNTS[2])
    assert folded.place.tolist() == list(now) and folded.place[folded.group].tolist() == into
    torch.testing.assert_close(folded.tokens, torch.tensor(list(now.values()), dtype=torch.float64))
    assert max(into.count(i) for i in now) > 2 and folded.num_behind == 0


def slow_peaks(x: list[list[float]], num: int, noise: list[float]) -> tuple[list[int], list[int]]:
    """DPC-kNN with as many neighbours as clusters: centres, best first, and for each token its centre."""
    n, width = len(x), len(x[0])
    far = [[math.dist(a, b) / width**0.5 for b in x] for a in x]
    rho = [math.exp(-sum(d * d for d in sorted(row)[:num]) / min(num, n)) + noise[i] for i, row in enumerate(far)]
    most = max(map(max, far))
    delta = [min([far[i][j] for j in range(n) if rho[j] > rho[i]], default=most) for i in range(n)]
    centres = sorted(range(n), key=lambda i: -rho[i] * delta[i])[:num]
    return centres, [i if i in centres else min(centres, key=lambda j: far[i][j]) for i in range(n)]


@pytest.mark.parametrize("seed", range(3))
def test_sparsevlm_goes_on_with_means_of_clusters_of_the_best_that_leave(seed):
    hidden, scores = drawn(seed, 60)
    drops = ThreeDrops(64 / 576, recycled=0.9)
    counts = drops.tokens_entering(60, 12)
    kept, layer = round(60 * 66 / 576), 1
    num = counts[layer] - kept
    assert num == int(0.9 * (60 - kept) + 1) // 10 + 1 == 5
    folded = Recycle(drops)(hidden, scores, counts, layer)
    order = sorted(range(60), key=lambda i: -float(scores[i]))
    stays, left = sorted(order[:kept]), sorted(order[kept:][: int(0.9 * (60 - kept) + 1)])
    noise = (torch.rand(len(left), generator=torch.Generator().manual_seed(0)) * 1e-6).tolist()
    rows = hidden.tolist()
    centres, own = slow_peaks([rows[i] for i in left], num, noise)
    behind = sorted(centres)
    assert folded.place.tolist() == stays + [left[i] for i in behind] and folded.num_behind == num
    means = [mean([rows[left[i]] for i in range(len(left)) if own[i] == centre]) for centre in behind]
    expected = torch.tensor([rows[i] for i in stays] + means, dtype=torch.float64)
    torch.testing.assert_close(folded.tokens, expected)
    ends = {i: stays.index(i) for i in stays} | {left[i]: kept + behind.index(own[i]) for i in range(len(left))}
    assert folded.group.tolist() == [ends.get(i, -1) for i in range(60)]


def test_nothing_is_recycled_where_nothing_leaves():
    drops = ThreeDrops(1.0, recycled=0.3)
    assert drops.tokens_entering(20, 12) == [20] * 12 and drops.num_clusters(0) == 0
