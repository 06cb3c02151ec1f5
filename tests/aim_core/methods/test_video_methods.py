"""EVS, DyCoke, VidCom² and V-CAST against plain loops written from their papers."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from aim_core.methods.dycoke import DropRepeated
from aim_core.methods.evs import DropUnchanged
from aim_core.methods.v_cast import KeepAtBends
from aim_core.methods.vidcom2 import KeepUnusual
from aim_core.ops.deal_out import deal_out
from tests.aim_core.methods.clip import clip_tokens, cosine, kept_by


@pytest.mark.parametrize("ratio", [0.05, 0.25, 0.5, 1.0])
@pytest.mark.parametrize("num_frames", [1, 2, 7])
def test_evs_keeps_what_changed_most_over_the_whole_video(ratio, num_frames):
    tokens = clip_tokens(num_frames)
    x = tokens.numpy()
    changes = []
    for frame in range(num_frames):
        for place in range(20):
            change = 255.0 if frame == 0 else 1 - cosine(x[frame, place], x[frame - 1, place])
            changes.append((-change, frame, place))
    count = max(20, math.floor(num_frames * 20 * ratio + 1e-9))
    expected = {(frame, place) for _, frame, place in sorted(changes)[:count]}
    assert kept_by(DropUnchanged(ratio), tokens) == expected


def test_evs_leaves_the_first_frame_of_a_video_that_never_changes():
    tokens = clip_tokens(1).expand(5, -1, -1)
    assert kept_by(DropUnchanged(0.2), tokens) == {(0, place) for place in range(20)}


@pytest.mark.parametrize("ratio", [0.0, 0.3, 0.5, 1.0])
@pytest.mark.parametrize("num_frames", [1, 4, 6, 9])
def test_dycoke_compares_in_groups_of_four(ratio, num_frames):
    tokens = clip_tokens(num_frames, seed=1)
    x = tokens.numpy()
    expected = set()
    for frame in range(num_frames):
        start = frame - frame % 4
        if frame == start:
            expected |= {(frame, place) for place in range(20)}
            continue
        with_frame = {1: start, 2: start, 3: start + 2}[frame - start]
        alike = sorted((cosine(x[frame, place], x[with_frame, place]), place) for place in range(20))
        expected |= {(frame, place) for _, place in alike[: math.floor(20 * ratio + 1e-9)]}
    assert kept_by(DropRepeated(ratio), tokens) == expected


def test_dycoke_keeps_the_published_shares_of_whole_groups():
    for keep_ratio, published in ((0.7, 0.775), (0.5, 0.625), (0.3, 0.475), (0.0, 0.25)):
        assert len(DropRepeated(keep_ratio)(clip_tokens(8)).place) / 160 == pytest.approx(published)
        assert DropRepeated(keep_ratio).num_left(32, (14, 14)) / 6272 == pytest.approx(published, abs=0.75 / 196)


def slow_vidcom2(x: np.ndarray, ratio: float) -> set[tuple[int, int]]:
    frames, n, dim = x.shape
    if ratio == 1:
        return {(t, i) for t in range(frames) for i in range(n)}
    spread = [np.var([x[t, i, c] for t in range(frames) for i in range(n)]) for c in range(dim)]
    channels = sorted(range(dim), key=lambda c: spread[c])[: dim // 2]
    unit = np.zeros((frames, n, dim // 2))
    for t in range(frames):
        for i in range(n):
            unit[t, i] = x[t, i, channels] / np.sqrt(sum(x[t, i, c] ** 2 for c in channels))
    video = sum(unit[t, i] for t in range(frames) for i in range(n)) / (frames * n)

    def typical(one, centre):
        return sum(math.exp(-sum((one - centre) ** 2) / (2 * 2.0**k)) for k in (-3, -2, -1, 0, 1))

    unusual = [-sum(typical(unit[t, i], video) for i in range(n)) / n for t in range(frames)]
    powers = [math.exp((u - max(unusual)) / 0.01) for u in unusual]
    shares = [power / sum(powers) for power in powers]
    kept = set()
    for t in range(frames):
        count = min(n, max(1, round(ratio * (1 + shares[t] - sum(shares) / frames) * n)))
        centre = sum(unit[t, i] for i in range(n)) / n
        order = sorted(range(n), key=lambda i: typical(unit[t, i], video) + typical(unit[t, i], centre))
        kept |= {(t, i) for i in order[:count]}
    return kept


@pytest.mark.parametrize("ratio", [0.01, 0.25, 0.6, 1.0])
@pytest.mark.parametrize("num_frames", [1, 2, 7])
def test_vidcom2_keeps_what_is_unusual(ratio, num_frames):
    tokens = clip_tokens(num_frames, seed=2)
    assert kept_by(KeepUnusual(ratio), tokens) == slow_vidcom2(tokens.numpy(), ratio)


def test_vidcom2_gives_the_frame_that_stands_out_more():
    tokens = clip_tokens(6, seed=3)
    tokens[4] = -tokens[4]
    counts = (KeepUnusual(0.3)(tokens).group >= 0).sum(dim=1).tolist()
    assert counts[4] == max(counts) > sorted(counts)[-2]


def slow_v_cast(x: np.ndarray, ratio: float) -> set[tuple[int, int]]:
    frames, n, _ = x.shape
    means = [sum(x[t, i] for i in range(n)) / n for t in range(frames)]
    means = [mean / np.sqrt(np.dot(mean, mean)) for mean in means]
    bends = [1.0] * frames
    for t in range(1, frames - 1):
        bends[t] = 1 - cosine(means[t] - means[t - 1], means[t + 1] - means[t])
    powers = [math.exp(bend / 0.7) for bend in bends]
    total = max(frames, round(ratio * frames * n))
    wanted = [total * power / sum(powers) for power in powers]
    counts = [min(n, max(1, math.floor(want))) for want in wanted]
    while sum(counts) < total:
        counts[max((t for t in range(frames) if counts[t] < n), key=lambda t: wanted[t] - counts[t])] += 1
    while sum(counts) > total:
        counts[max((t for t in range(frames) if counts[t] > 1), key=lambda t: counts[t] - wanted[t])] -= 1
    kept = set()
    for t in range(frames):
        lengths = [np.sqrt(np.dot(x[t, i], x[t, i])) for i in range(n)]
        low, high = min(lengths), max(lengths)
        stands_out = [1 - cosine(x[t, i], means[t]) + (lengths[i] - low) / (high - low) for i in range(n)]
        kept |= {(t, i) for i in sorted(range(n), key=lambda i: -stands_out[i])[: counts[t]]}
    return kept


@pytest.mark.parametrize("ratio", [0.01, 0.25, 0.6, 0.97, 1.0])
@pytest.mark.parametrize("num_frames", [1, 2, 3, 8])
def test_v_cast_keeps_more_where_the_video_turns(ratio, num_frames):
    tokens = clip_tokens(num_frames, seed=4)
    assert kept_by(KeepAtBends(ratio), tokens) == slow_v_cast(tokens.numpy(), ratio)


def test_dealing_out_stays_within_bounds_and_adds_up():
    draw = np.random.default_rng(0)
    for _ in range(200):
        frames = int(draw.integers(1, 9))
        most = draw.integers(1, 12, frames).tolist()
        total = int(draw.integers(frames, sum(most) + 1))
        shares = draw.dirichlet([0.3] * frames).tolist()
        counts = deal_out(shares, most, total)
        assert sum(counts) == total and all(1 <= count <= limit for count, limit in zip(counts, most, strict=True))
    assert deal_out([0.5, 0.25, 0.25], [10] * 3, 5) == [3, 1, 1]  # 2.5 lacks most
    for total in (1, 7):
        with pytest.raises(ValueError, match=f"cannot deal out {total}"):
            deal_out([0.5, 0.5], [2, 4], total)


@pytest.mark.parametrize("merger", [DropUnchanged(0.3), DropRepeated(0.3), KeepUnusual(0.3), KeepAtBends(0.3)])
def test_equal_patches_are_told_apart_by_their_place(merger):
    tokens = torch.ones(4, 20, 6, dtype=torch.float64)
    first, again = merger(tokens), merger(tokens.clone())
    assert torch.equal(first.place, again.place)
    for frame in range(4):
        own = [int(place) % 20 for place in first.place if int(place) // 20 == frame]
        assert own == list(range(len(own)))  # of equals the earlier
