"""VisionZip, PruMerge and ToMe, which rank and match by the vision tower, against plain loops written from their
papers."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from aim_core.methods.prumerge import KeepOutliers
from aim_core.methods.tome import MergeByKeys
from aim_core.methods.tome_in_tower import MergeInTower, first_equal
from aim_core.methods.visionzip import DominantAndContextual
from aim_core.ops.tower_attention import TowerAttention
from tests.aim_core.methods.clip import Tokens, check_tokens, clip_tokens, clip_tower, cosine
from tests.aim_core.methods.slow_tome import slow_tome


def slow_visionzip(received: np.ndarray, keys: np.ndarray, ratio: float) -> Tokens:
    expected: Tokens = {}
    frames, n = received.shape
    budget = max(1, round(n * ratio))
    num_dominant = round(budget * 54 / 64)
    for frame in range(frames):
        order = sorted(range(n), key=lambda i: -received[frame, i])
        expected |= {frame * n + i: {frame * n + i: 1.0} for i in order[:num_dominant]}
        rest, num_targets = sorted(order[num_dominant:]), budget - num_dominant
        if not num_targets:
            continue
        targets = [rest[number * (len(rest) // num_targets)] for number in range(num_targets)]
        joined: dict[int, list[int]] = {target: [] for target in targets}
        for i in rest:
            if i not in targets:
                likest = max(targets, key=lambda target: cosine(keys[frame, i], keys[frame, target]))
                joined[likest].append(i)
        for target, others in joined.items():
            members = {frame * n + target: 1.0}
            expected[frame * n + target] = members | {frame * n + i: 1 / len(others) for i in others}
    return expected


@pytest.mark.parametrize("ratio", [0.05, 0.35, 0.7, 1.0])
def test_visionzip_keeps_what_is_attended_to_and_adds_means_of_the_others_to_targets(ratio):
    tokens, tower = clip_tokens(3), clip_tower(3)
    merger = DominantAndContextual(ratio)
    reduced = merger(tokens, tower=tower)
    check_tokens(reduced, tokens, slow_visionzip(tower.received.numpy(), tower.keys.numpy(), ratio))
    assert len(reduced.tokens) == merger.num_left(3, (4, 5))


@pytest.mark.parametrize(("left", "num_dominant"), [(192, 162), (128, 108), (64, 54)])
def test_visionzip_of_576_has_the_published_counts(left, num_dominant):
    """Table of the paper: 162 + 30, 108 + 20 and 54 + 10 tokens."""
    draw = np.random.default_rng(0)
    tokens, keys = (torch.from_numpy(draw.normal(size=(1, 576, 4))) for _ in range(2))
    tower = TowerAttention(torch.from_numpy(draw.random((1, 576))), keys)
    reduced = DominantAndContextual(left / 576)(tokens, tower=tower)
    sizes = torch.bincount(reduced.group.flatten())
    assert len(sizes) == left == DominantAndContextual(left / 576).num_left(1, (24, 24))
    assert int((sizes > 1).sum()) == left - num_dominant and (reduced.group >= 0).all()


def slow_prumerge(received: np.ndarray, keys: np.ndarray, ratio: float, spread: bool) -> Tokens:
    expected: Tokens = {}
    frames, n = received.shape
    for frame in range(frames):
        a = received[frame]
        if ratio == 0:
            low, high = np.percentile(a, 25), np.percentile(a, 75)
            count = max(1, sum(a[i] > high + 1.5 * (high - low) for i in range(n)))
        else:
            count = max(1, round(n * ratio / (4 if spread else 1)))
        kept = set(sorted(range(n), key=lambda i: -a[i])[:count])
        if spread:
            kept |= set(range(0, n - 1, max(1, int(int(n / count) / 3))))
        if ratio == 1:
            kept = set(range(n))
        pruned = [i for i in range(n) if i not in kept]
        near = {k: sorted(pruned, key=lambda i: -cosine(keys[frame, k], keys[frame, i]))[:32] for k in kept}
        members: Tokens = {k: {k: 1.0} for k in kept}
        left = []
        for i in pruned:
            likest = max(sorted(kept), key=lambda k: cosine(keys[frame, k], keys[frame, i]))
            if i in near[likest]:
                members[likest][i] = a[i]
            else:
                left.append(i)
        if left:
            members[left[0]] = {i: a[i] for i in left}
        for place, own in members.items():
            expected[frame * n + place] = {frame * n + i: share for i, share in own.items()}
    return expected


@pytest.mark.parametrize("spread", [False, True])
@pytest.mark.parametrize("ratio", [0.0, 0.05, 0.5, 1.0])
def test_prumerge_keeps_outliers_and_adds_the_others_times_their_attention(ratio, spread):
    tokens, tower = clip_tokens(5), clip_tower(5)
    expected = slow_prumerge(tower.received.numpy(), tower.keys.numpy(), ratio, spread)
    check_tokens(KeepOutliers(ratio, spread)(tokens, tower=tower), tokens, expected)


def test_prumerge_makes_an_extra_token_of_what_is_near_to_none():
    draw = np.random.default_rng(1)
    tokens = torch.from_numpy(draw.normal(size=(1, 60, 4)))
    tower = TowerAttention(torch.from_numpy(draw.random((1, 60))), torch.from_numpy(draw.normal(size=(1, 60, 3))))
    reduced = KeepOutliers(1 / 60)(tokens, tower=tower)  # one kept patch takes in 32 of 59
    check_tokens(reduced, tokens, slow_prumerge(tower.received.numpy(), tower.keys.numpy(), 1 / 60, False))
    assert sorted(torch.bincount(reduced.group[0]).tolist()) == [27, 33]


def test_prumerge_keeps_as_many_as_stand_out():
    tower = clip_tower(4)
    tower.received[:, :] = 0.01
    for frame in range(4):
        tower.received[frame, 2 : 2 + frame] = 0.2 + frame
    reduced = KeepOutliers()(clip_tokens(4), tower=tower)
    assert torch.bincount(reduced.place // 20).tolist() == [1, 1, 2, 3]


@pytest.mark.parametrize("per_round", [1, 4, 16])
@pytest.mark.parametrize("ratio", [0.05, 0.3, 0.9, 1.0])
def test_tome_merges_by_keys_and_every_patch_of_a_token_counts_alike(ratio, per_round):
    tokens, tower = clip_tokens(3), clip_tower(3)
    merger = MergeByKeys(ratio, per_round)
    check_tokens(merger(tokens, tower=tower), tokens, slow_tome(tower.keys.numpy(), ratio, per_round))
    assert len(merger(tokens, tower=tower).tokens) == merger.num_left(3, (4, 5))


def tower_with_equals(seed: int = 0) -> TowerAttention:
    """Three frames: with few patches whose keys are equal but for rounding, with many, and of such alone."""
    tower, draw = clip_tower(3), np.random.default_rng(seed)
    tower.keys[0, [3, 8, 9]], tower.keys[0, [11, 19]] = tower.keys[0, 1].clone(), tower.keys[0, 10].clone()
    tower.keys[1, 4:18], tower.keys[2, :] = tower.keys[1, 2].clone(), tower.keys[2, 2].clone()
    tower.keys.mul_(torch.from_numpy(1 + 1e-9 * draw.normal(size=tower.keys.shape)))
    return tower


@pytest.mark.parametrize("ratio", [0.05, 0.3, 0.75, 0.9, 1.0])
def test_tome_in_the_tower_first_joins_what_is_equal_then_goes_on_by_keys(ratio):
    tokens, merger = clip_tokens(3), MergeInTower(ratio)
    expected = slow_tome(tower_with_equals().keys.numpy(), ratio, 16, equal_first=True)
    for seed in range(3):  # rounding decides nothing
        check_tokens(merger(tokens, tower=tower_with_equals(seed)), tokens, expected)
    assert len(expected) == merger.num_left(3, (4, 5)) and merger.tower_share == ratio


def test_a_row_of_keys_each_a_little_unlike_the_one_before_is_no_group():
    keys = torch.ones(1, 9, 4, dtype=torch.float64) + 7e-6 * torch.arange(9)[None, :, None]
    assert first_equal(keys, 9).tolist() == [[0, 0, 2, 3, 4, 5, 6, 7, 8]]
    assert first_equal(torch.ones(2, 5, 3), 2).tolist() == [[0, 0, 0, 3, 4]] * 2


@pytest.mark.parametrize(
    "merger",
    [DominantAndContextual(0.4), KeepOutliers(0.3), KeepOutliers(0.3, True), MergeByKeys(0.3), MergeInTower(0.3)],
)
def test_equal_patches_are_told_apart_by_their_place(merger):
    tokens = torch.ones(2, 20, 6, dtype=torch.float64)
    tower = TowerAttention(torch.full((2, 20), 0.05, dtype=torch.float64), torch.ones(2, 20, 3, dtype=torch.float64))
    first, again = merger(tokens, tower=tower), merger(tokens.clone(), tower=tower)
    assert torch.equal(first.place, again.place) and torch.equal(first.group, again.group)


@pytest.mark.parametrize("merger", [DominantAndContextual(0.4), KeepOutliers(), MergeByKeys(0.3), MergeInTower(0.3)])
def test_a_merger_that_needs_the_tower_says_so(merger):
    with pytest.raises(ValueError, match="must be called with the vision tower's attention"):
        merger(clip_tokens())
