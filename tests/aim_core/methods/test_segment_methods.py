"""FastVID, HoliTom and FlashVID, which cut a video in segments, against plain loops written from their papers."""

from __future__ import annotations

import math
from itertools import combinations, pairwise

import numpy as np
import pytest
import torch

from aim_core.methods.fastvid import SalientAndAnchors
from aim_core.methods.flashvid import SelectAndTrees, select
from aim_core.methods.holitom import MergeStatic, best_segments
from aim_core.ops.density_peaks import peaks
from aim_core.ops.segments import cut_where_different
from tests.aim_core.methods.clip import Tokens, check_tokens, clip_tokens, clip_tower, cosine


def noise(n: int, seed: int) -> list[float]:
    return (torch.rand(n, generator=torch.Generator().manual_seed(seed)).double() * 1e-6).tolist()


def slow_peaks(rows: list[np.ndarray], count: int, k: int, seed: int = 0) -> tuple[list[int], list[int]]:
    """The centres, and for each row the number of its centre."""
    n, d = len(rows), len(rows[0])
    distance = [[math.sqrt(sum((one - other) ** 2)) / math.sqrt(d) for other in rows] for one in rows]
    extra = noise(n, seed)
    density = []
    for i in range(n):
        nearest = sorted(distance[i])[: min(k, n)]
        density.append(math.exp(-sum(x * x for x in nearest) / len(nearest)) + extra[i])
    furthest = max(max(line) for line in distance)
    delta = [min([distance[i][j] for j in range(n) if density[j] > density[i]], default=furthest) for i in range(n)]
    centres = sorted(range(n), key=lambda i: -density[i] * delta[i])[:count]
    own = [
        centres.index(i) if i in centres else min(range(count), key=lambda c: distance[i][centres[c]]) for i in range(n)
    ]
    return centres, own


@pytest.mark.parametrize(("count", "k"), [(1, 4), (4, 4), (7, 7), (20, 30)])
def test_density_peaks(count, k):
    x = clip_tokens(1, seed=count)[0]
    centres, own = peaks(x, count, k, seed=3)
    assert (centres.tolist(), own.tolist()) == slow_peaks(list(x.numpy()), count, k, seed=3)


def test_density_peaks_of_equal_rows_come_from_the_seed_and_bounds_are_checked():
    x = torch.ones(6, 3, dtype=torch.float64)
    first, own = peaks(x, 3, 2, seed=0)
    assert torch.equal(first, peaks(x, 3, 2, seed=0)[0]) and own[first].tolist() == [0, 1, 2]
    for count in (0, 7):
        with pytest.raises(ValueError, match=f"got {count}"):
            peaks(x, count, 2)


def test_a_video_is_cut_below_a_cosine_and_at_least_so_many_times():
    turns = torch.tensor([0.0, 0.1, 0.9, 1.0, 1.1, 2.2, 2.5])  # angles; cosines of .995 .70 .995 .995 .45 .96
    frames = torch.stack([turns.cos(), turns.sin()], dim=1)
    assert cut_where_different(frames, 0.9, 1) == [range(2), range(2, 5), range(5, 7)]
    assert cut_where_different(frames, 0.9, 4) == [range(2), range(2, 5), range(5, 6), range(6, 7)]
    assert cut_where_different(frames, -1, 2) == [range(5), range(5, 7)]
    assert cut_where_different(frames, 0.9, 99) == [range(t, t + 1) for t in range(7)]
    assert cut_where_different(frames[:1], 0.9, 8) == [range(1)]


def scenes(num_frames: int, seed: int = 0) -> torch.Tensor:
    """As `clip_tokens`, a new one every few frames, so that frame means turn at some places more than at others."""
    parts = [clip_tokens(5, seed=seed + number) for number in range(-(-num_frames // 5))]
    return torch.cat(parts)[:num_frames]


def slow_segments(x: np.ndarray, at_least: int) -> list[list[int]]:
    means = [x[t].mean(axis=0) for t in range(len(x))]
    alike = [cosine(means[t], means[t + 1]) for t in range(len(x) - 1)]
    lowest = sorted(range(len(alike)), key=lambda t: alike[t])[: at_least - 1]
    segments = [[0]]
    for t in range(1, len(x)):
        if alike[t - 1] < 0.9 or t - 1 in lowest:
            segments.append([])
        segments[-1].append(t)
    return segments


def slow_fastvid(x: np.ndarray, received: np.ndarray, ratio: float) -> Tokens:
    frames, n, _ = x.shape
    expected: Tokens = {}
    m = max(1, math.floor(n * ratio + 1e-9))
    num_context = math.floor(0.4 * m + 1e-9)
    salient = [sorted(range(n), key=lambda i: -received[t, i])[: m - num_context] for t in range(frames)]
    for t in range(frames):
        expected |= {t * n + i: {t * n + i: 1.0} for i in salient[t]}
    rest = [[i for i in range(n) if i not in salient[t]] for t in range(frames)]
    for segment in slow_segments(x, 8):
        budget = num_context * len(segment)
        for period in (4, 3, 2, 1):
            with_anchors = segment[::-1][::period]
            if math.ceil(budget / len(with_anchors)) <= n - (m - num_context):
                break
        anchors = []
        for number, t in enumerate(with_anchors):
            count = budget // len(with_anchors) + (number < budget % len(with_anchors))
            if count:
                anchors += [(t, rest[t][c]) for c in slow_peaks([x[t, i] for i in rest[t]], count, 4)[0]]
        anchors.sort()
        joined: dict[tuple[int, int], list[tuple[int, int]]] = {anchor: [] for anchor in anchors}
        for t in segment:
            for i in rest[t]:
                if anchors and (t, i) not in anchors:
                    joined[max(anchors, key=lambda a: cosine(x[t, i], x[a]))].append((t, i))
        for (t, i), others in joined.items():
            own = {t * n + i: max(0.6, 1 / (len(others) + 1))}
            expected[t * n + i] = own | {s * n + j: 0.4 / len(others) for s, j in others}
    return expected


@pytest.mark.parametrize("ratio", [0.01, 0.15, 0.3, 0.6, 1.0])
@pytest.mark.parametrize("num_frames", [1, 4, 23])
def test_fastvid_keeps_salient_patches_and_anchors_of_segments(ratio, num_frames):
    tokens, tower = scenes(num_frames), clip_tower(num_frames)
    merger = SalientAndAnchors(ratio)
    reduced = merger(tokens, tower=tower)
    check_tokens(reduced, tokens, slow_fastvid(tokens.numpy(), tower.received.numpy(), ratio))
    assert len(reduced.tokens) == merger.num_left(num_frames, (4, 5))


def test_fastvid_as_released_leaves_19_of_196_tokens_a_frame():
    assert SalientAndAnchors(0.1).num_left(32, (14, 14)) == 32 * 19


def slow_best_saving(same: np.ndarray) -> int:
    """Over all ways to cut T frames the most patches saved."""
    steps, n = same.shape
    best = 0
    for num_cuts in range(steps + 1):
        for cuts in combinations(range(steps), num_cuts):
            edges, saved = [0, *(cut + 1 for cut in cuts), steps + 1], 0
            for begin, end in pairwise(edges):
                saved += (end - begin - 1) * sum(all(same[t, i] for t in range(begin, end - 1)) for i in range(n))
            best = max(best, saved)
    return best


@pytest.mark.parametrize("seed", range(12))
def test_holitom_segments_save_as_much_as_any_cuts_can(seed):
    draw = np.random.default_rng(seed)
    same = draw.random((int(draw.integers(0, 8)), 6)) < draw.random()
    segments = best_segments(torch.from_numpy(same))
    assert [t for segment in segments for t in segment] == list(range(len(same) + 1))
    saved = sum((len(s) - 1) * int(same[s.start : s.stop - 1].all(axis=0).sum()) for s in segments)
    assert saved == slow_best_saving(same)


def test_of_equal_cuts_the_last_segment_is_the_longest():
    either = torch.tensor([[True, False], [False, True]])  # one place stays through frames 0 and 1, one through 1 and 2
    assert best_segments(either) == [range(1), range(1, 3)]
    assert best_segments(torch.zeros(3, 2, dtype=torch.bool)) == [range(4)]


def slow_holitom(x: np.ndarray, received: np.ndarray, ratio: float, threshold: float) -> Tokens:
    frames, n, _ = x.shape
    if ratio == 1:
        return {i: {i: 1.0} for i in range(frames * n)}
    same = np.array([[cosine(x[t, i], x[t + 1, i]) > threshold for i in range(n)] for t in range(frames - 1)])
    segments = best_segments(torch.from_numpy(same.reshape(frames - 1, n)))
    static = [
        [i for i in range(n) if len(s) > 1 and all(same[t, i] for t in range(s.start, s.stop - 1))] for s in segments
    ]
    saved = sum((len(s) - 1) * len(own) for s, own in zip(segments, static, strict=True))
    share = min(1, ratio / (1 - saved / (frames * n)))
    expected: Tokens = {}
    for segment, places in zip(segments, static, strict=True):
        w = len(segment)
        if places:
            means = [sum(x[t, i] for t in segment) / w for i in places]
            num = max(1, round(share * len(places)))
            centres, own = slow_peaks(means, num, min(7, num))
            for number, centre in enumerate(centres):
                others = [places[j] for j in range(len(places)) if own[j] == number and j != centre]
                members = {t * n + places[centre]: (0.6 if others else 1) / w for t in segment}
                members |= {t * n + i: 0.4 / len(others) / w for t in segment for i in others}
                expected[segment.start * n + places[centre]] = members
        moving = [i for i in range(n) if i not in places]
        for t in segment:
            order = sorted(moving, key=lambda i: -received[t, i])
            for i in order[: math.ceil(round(share * len(moving), 9))]:
                expected[t * n + i] = {t * n + i: 1.0}
    return expected


@pytest.mark.parametrize(("ratio", "threshold"), [(0.02, 0.8), (0.25, 0.8), (0.25, 0.99), (0.7, 0.65), (1.0, 0.8)])
@pytest.mark.parametrize("num_frames", [1, 2, 12])
def test_holitom_merges_static_places_and_keeps_the_rest_by_attention(ratio, threshold, num_frames):
    tokens, tower = scenes(num_frames, seed=5), clip_tower(num_frames)
    reduced = MergeStatic(ratio, threshold)(tokens, tower=tower)
    expected = slow_holitom(tokens.numpy(), tower.received.numpy(), ratio, threshold)
    check_tokens(reduced, tokens, expected)


def test_holitom_makes_one_frame_of_a_video_that_never_changes():
    tokens, tower = clip_tokens(1).expand(6, -1, -1), clip_tower(6)
    reduced = MergeStatic(0.5)(tokens, tower=tower)
    assert (reduced.place < 20).all() and len(reduced.place) == 20
    torch.testing.assert_close(reduced.tokens, tokens[0])


def slow_select(x: np.ndarray, worth: list[float], count: int) -> list[int]:
    n = len(x)
    scaled = [[(0 if i == j else 1 - cosine(x[i], x[j])) * worth[j] for j in range(n)] for i in range(n)]
    first = [sorted(scaled[i][j] for i in range(n))[min(1, n - 1)] for j in range(n)]
    chosen = [max(range(n), key=lambda j: first[j])]
    while len(chosen) < count:
        rest = [j for j in range(n) if j not in chosen]
        chosen.append(max(rest, key=lambda j: min(scaled[i][j] for i in chosen)))
    return chosen


@pytest.mark.parametrize("count", [1, 5, 20])
def test_flashvid_selects_what_is_far_and_worth_it(count):
    x, worth = clip_tokens(1)[0], clip_tower(1).received[0] - 0.03  # some are below 0
    assert select(x, worth, count).tolist() == slow_select(x.numpy(), worth.tolist(), count)
    assert select(x[:1], worth[:1], 1).tolist() == [0]


def slow_deal(sizes: list[int], total: int) -> list[int]:
    wanted = [total * size / sum(sizes) for size in sizes]
    counts = [min(size, max(1, math.floor(want))) for size, want in zip(sizes, wanted, strict=True)]
    while sum(counts) < total:
        free = [i for i in range(len(sizes)) if counts[i] < sizes[i]]
        counts[max(free, key=lambda i: wanted[i] - counts[i])] += 1
    while sum(counts) > total:
        free = [i for i in range(len(sizes)) if counts[i] > 1]
        counts[max(free, key=lambda i: counts[i] - wanted[i])] -= 1
    return counts


def slow_flashvid(x: np.ndarray, received: np.ndarray, ratio: float) -> Tokens:
    n = x.shape[1]
    budget = math.ceil(round(n * ratio, 9))
    num_selected = math.ceil(round(0.7 * budget, 9))
    expected: Tokens = {}
    for segment in slow_segments(x, 8):
        event = sum(x[t].mean(axis=0) for t in segment) / len(segment)
        free: dict[int, list[int]] = {}
        for t in segment:
            worth = [received[t, j] * float(np.dot(x[t, j], event)) for j in range(n)]
            chosen = slow_select(x[t], worth, num_selected)
            expected |= {t * n + i: {t * n + i: 1.0} for i in chosen}
            free[t] = [i for i in range(n) if i not in chosen]
        left = (budget - num_selected) * len(segment)
        if not left:
            continue
        links = []
        for t in segment[1:]:
            for i in free[t]:
                parent = max(free[t - 1], key=lambda j: cosine(x[t, i], x[t - 1, j]), default=None)
                if parent is not None and (strength := cosine(x[t, i], x[t - 1, parent])) > 0.8:
                    links.append((-strength, (t, i), (t - 1, parent)))
        most = sum(map(len, free.values())) - left
        parents = {child: parent for _, child, parent in sorted(links)[: max(0, most)]}
        trees: dict[tuple[int, int], list[tuple[int, int]]] = {}
        for t in segment:
            for i in free[t]:
                root = (t, i)
                while root in parents:
                    root = parents[root]
                trees.setdefault(root, []).append((t, i))
        by_frame = {t: sorted(root for root in trees if root[0] == t) for t in segment}
        by_frame = {t: roots for t, roots in by_frame.items() if roots}
        counts = slow_deal([len(roots) for roots in by_frame.values()], left)
        for roots, count in zip(by_frame.values(), counts, strict=True):
            means = [sum(x[patch] for patch in trees[root]) / len(trees[root]) for root in roots]
            centres, own = slow_peaks(means, count, 7)
            for number, centre in enumerate(centres):
                cluster = [roots[j] for j in range(len(roots)) if own[j] == number]
                t, i = roots[centre]
                expected[t * n + i] = {
                    s * n + j: 1 / len(trees[root]) / len(cluster) for root in cluster for s, j in trees[root]
                }
    return expected


@pytest.mark.parametrize("ratio", [0.05, 0.3125, 0.6, 0.95, 1.0])
@pytest.mark.parametrize("num_frames", [1, 3, 22])
def test_flashvid_selects_and_grows_trees_through_time(ratio, num_frames):
    tokens, tower = scenes(num_frames, seed=9), clip_tower(num_frames)
    merger = SelectAndTrees(ratio)
    reduced = merger(tokens, tower=tower)
    check_tokens(reduced, tokens, slow_flashvid(tokens.numpy(), tower.received.numpy(), ratio))
    assert len(reduced.tokens) == merger.num_left(num_frames, (4, 5))


@pytest.mark.parametrize("merger", [SalientAndAnchors(0.4), MergeStatic(0.4), SelectAndTrees(0.4)])
def test_equal_patches_are_told_apart_the_same_way_each_time(merger):
    tokens, tower = torch.ones(9, 20, 6, dtype=torch.float64), clip_tower(9)
    tower.received[:] = 0.05
    first, again = merger(tokens, tower=tower), merger(tokens.clone(), tower=tower)
    assert torch.equal(first.place, again.place) and torch.equal(first.group, again.group)
