"""Folding inside the language model, against plain slow references written from the papers."""

from __future__ import annotations

import math

import pytest
import torch

from aim_core.methods.framefusion import FuseThenDrop
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


class SlowFusion:
    """FrameFusion written from its paper: tokens of T frames and n places, kept by (frame, place)."""

    def __init__(self, frames: int, places: int, num_layers: int, cost: float, threshold: float):
        self.left = [(t, p) for t in range(frames) for p in range(places)]
        self.total, self.num_layers, self.cost, self.threshold = len(self.left), num_layers, cost, threshold
        self.spent, self.state = 0.0, "joining"

    def step(self, layer: int, x: dict, scores: dict) -> None:
        """x: (frame, place) to what would enter, changed in place."""
        keep = (self.num_layers * self.cost * self.total - self.spent) / (self.num_layers - layer)
        keep = min(len(self.left), max(1, round(keep)))
        if self.state == "dropping":
            best = sorted(self.left, key=lambda i: -scores[i])[:keep]
            self.left, self.state = [i for i in self.left if i in best], "over"
        elif self.state == "joining":
            self._join(x, len(self.left) - keep)
        self.spent += len(self.left)

    def _join(self, x: dict, most: int) -> None:
        like = {}
        for t, p in self.left:
            earlier = [own for own in self.left if own[1] == p and own[0] < t]
            if earlier:
                like[t, p] = cosine(x[t, p], x[max(earlier)])
        joins = {i for i in like if like[i] >= self.threshold}
        if len(joins) > most:
            joins, self.state = set(sorted(like, key=lambda i: -like[i])[:most]), "over"
        elif len(joins) < 0.1 * len(self.left):
            self.state = "dropping"
        runs: dict = {}
        head = self.left[0]
        for i in sorted(self.left, key=lambda own: (own[1], own[0])):
            head = head if i in joins else i
            runs.setdefault(head, []).append(x[i])
        for head, run in runs.items():
            x[head] = mean(run)
        self.left = [i for i in self.left if i in runs]


@pytest.mark.parametrize(("cost", "threshold"), [(0.3, 0.4), (0.15, 0.9), (0.5, 0.6), (0.9, 0.99), (0.1, -1.0)])
def test_framefusion_joins_and_drops_until_its_budget_is_met(cost, threshold):
    frames, places, num_layers = 5, 12, 10
    generator = torch.Generator().manual_seed(3)
    same = torch.randn(1, places, 6, generator=generator, dtype=torch.float64)
    now = same + 0.6 * torch.randn(frames, places, 6, generator=generator, dtype=torch.float64)
    cells = torch.tensor([[0, t, p] for t in range(frames) for p in range(places)])
    steps = FuseThenDrop(cost, threshold).begin(num_layers, 60, torch.cat([torch.full((2, 3), -1), cells]))
    slow, entered = SlowFusion(frames, places, num_layers, cost, threshold), []
    rows, hidden = torch.arange(2, 62), now.flatten(0, 1)
    for layer in range(num_layers):
        scores = torch.rand(60, generator=generator)
        x = {tuple(cells[int(row) - 2, 1:].tolist()): own for row, own in zip(rows, hidden.tolist(), strict=True)}
        known = {tuple(cell[1:].tolist()): float(score) for cell, score in zip(cells, scores, strict=True)}
        given = scores[rows - 2] if layer and steps.wants_scores(layer - 1) else None
        left = steps.step(layer, hidden, given, rows, entered)
        slow.step(layer, x, known)
        if left is not None:
            order = left.place.argsort()
            rows, hidden = rows[left.place[order]], left.tokens[order]
        assert [tuple(cells[int(row) - 2, 1:].tolist()) for row in rows] == slow.left
        torch.testing.assert_close(hidden, torch.tensor([x[i] for i in slow.left], dtype=torch.float64))
        entered.append(len(rows))
        hidden = hidden + 0.3 * torch.randn(hidden.shape, generator=generator, dtype=torch.float64)
    assert sum(entered) / num_layers / 60 == pytest.approx(cost, abs=0.02)
