"""DivPrune, random, uniform and average pooling against plain loops."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from aim_core.methods.average_pooling import AveragePooling
from aim_core.methods.divprune import KeepDiverse, farthest
from aim_core.methods.fewer_frames import WholeFrames
from aim_core.methods.random_patches import RandomPatches
from aim_core.methods.uniform import UniformPatches
from tests.aim_core.methods.clip import clip_tokens, cosine, kept_by


def slow_divprune(x: np.ndarray, count: int) -> list[int]:
    n = len(x)
    distance = [[1 - cosine(x[i], x[j]) for j in range(n)] for i in range(n)]
    lonely = [min((distance[i][j] for j in range(n) if j != i), default=0) for i in range(n)]
    chosen = [max(range(n), key=lambda i: lonely[i])]
    while len(chosen) < count:
        rest = [i for i in range(n) if i not in chosen]
        chosen.append(max(rest, key=lambda i: min(distance[i][j] for j in chosen)))
    return chosen


@pytest.mark.parametrize(("ratio", "count"), [(0.005, 1), (0.098, 6), (0.5, 30), (1.0, 60)])
def test_divprune_takes_the_farthest_each_time(ratio, count):
    tokens = clip_tokens(3, seed=5)
    flat = tokens.flatten(0, 1)
    expected = slow_divprune(flat.numpy(), count)
    unit = flat / flat.norm(dim=-1, keepdim=True)
    assert farthest(unit, count).tolist() == expected
    assert kept_by(KeepDiverse(ratio), tokens) == {divmod(index, 20) for index in expected}


def test_divprune_over_several_blocks_of_rows_is_the_same():
    tokens = clip_tokens(15, dim=6, seed=6)  # 300 patches, blocks of 256
    expected = slow_divprune(tokens.flatten(0, 1).numpy(), 15)
    assert kept_by(KeepDiverse(0.05), tokens) == {divmod(index, 20) for index in expected}


def test_divprune_chooses_no_patch_twice_where_all_are_equal():
    assert len(kept_by(KeepDiverse(0.5), torch.ones(2, 20, 4, dtype=torch.float64))) == 20


def test_random_patches_come_from_their_seed_and_are_spread_over_the_video():
    tokens = clip_tokens(7)
    first = kept_by(RandomPatches(0.25, 3), tokens)
    assert first == kept_by(RandomPatches(0.25, 3), tokens + 1) != kept_by(RandomPatches(0.25, 4), tokens)
    assert len(first) == 35
    times = np.zeros((7, 20))
    for seed in range(400):
        for frame, place in kept_by(RandomPatches(0.25, seed), tokens):
            times[frame, place] += 1
    assert abs(times / 400 - 0.25).max() < 0.09  # 4 standard deviations


@pytest.mark.parametrize(("ratio", "places"), [(0.01, [10]), (0.25, [2, 6, 10, 14, 18]), (1.0, list(range(20)))])
def test_uniform_patches_are_at_even_distances_in_every_frame(ratio, places):
    assert kept_by(UniformPatches(ratio), clip_tokens(3)) == {(t, place) for t in range(3) for place in places}


@pytest.mark.parametrize("side", [1, 2, 3])
def test_average_pooling_is_the_mean_of_squares(side):
    tokens = clip_tokens(3)
    x = tokens.numpy().reshape(3, 4, 5, 12)
    reduced = AveragePooling(side).on_grid((4, 5))(tokens)
    number = 0
    for frame in range(3):
        for top in range(0, 4, side):
            for left in range(0, 5, side):
                square = x[frame, top : top + side, left : left + side].reshape(-1, 12)
                np.testing.assert_allclose(reduced.tokens[number], square.mean(axis=0), atol=1e-12)
                assert reduced.place[number] == frame * 20 + top * 5 + left
                members = (reduced.group[frame].reshape(4, 5) == number).nonzero().tolist()
                inside = [
                    (row, column) for row in range(top, min(4, top + side)) for column in range(left, left + side)
                ]
                assert [tuple(cell) for cell in members] == [cell for cell in inside if cell[1] < 5]
                number += 1
    assert number == len(reduced.tokens) == AveragePooling(side).num_left(3, (4, 5))


@pytest.mark.parametrize(
    ("num_frames", "ratio", "frames"),
    [(8, 0.25, [2, 6]), (8, 0.01, [4]), (7, 0.43, [1, 3, 5]), (5, 1.0, [0, 1, 2, 3, 4]), (1, 0.1, [0])],
)
def test_fewer_frames_keep_all_patches_of_frames_at_even_distances(num_frames, ratio, frames):
    tokens = clip_tokens(num_frames)
    assert kept_by(WholeFrames(ratio), tokens) == {(frame, place) for frame in frames for place in range(20)}
    assert WholeFrames(ratio).num_left(num_frames, (4, 5)) == 20 * len(frames)
