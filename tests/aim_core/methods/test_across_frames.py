"""Merging through time: AIM's rule and ToMe's over windows of frames, against loops that move lists of patches."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from aim_core.methods.across_frames import MergeAcross
from aim_core.methods.aim import MergeSimilar
from aim_core.methods.tome_over_frames import MergeByKeysOverFrames
from aim_core.ops.reduced import as_reduced
from tests.aim_core.methods.clip import Tokens, check_tokens, clip_tokens, clip_tower, cosine
from tests.aim_core.methods.slow_tome import slow_tome

SIZE = 20  # patches of a frame


@dataclass
class Group:
    """A token: the patch (frame, place) at which it stands, its feature, and what each patch counts in it."""

    at: tuple[int, int]
    x: np.ndarray
    patches: dict[tuple[int, int], float]


def merge(groups: list[Group], count: int) -> list[Group]:
    """AIM's rounds on a list of tokens."""
    while len(groups) > count:
        removed = min(len(groups) // 2, len(groups) - count)
        a, b = groups[0::2], groups[1::2]
        links = [max((cosine(one.x, other.x), -j) for j, other in enumerate(b)) for one in a]
        ranked = sorted(range(len(a)), key=lambda i: -links[i][0])
        joining: dict[int, list[Group]] = {}
        for i in ranked[:removed]:
            joining.setdefault(-links[i][1], []).append(a[i])
        groups = [a[i] for i in ranked[removed:]]
        groups += [joined(other, joining.get(j, [])) for j, other in enumerate(b)]
    return groups


def joined(into: Group, others: list[Group]) -> Group:
    whole = [into, *others]
    patches = {patch: share / len(whole) for own in whole for patch, share in own.patches.items()}
    return Group(into.at, np.mean([own.x for own in whole], axis=0), patches)


def rounded_up(number: float) -> int:
    return math.ceil(round(number, 9))


def slow(x: np.ndarray, ratio: float, within: float, window: int, places: str) -> Tokens:
    expected: list[Group] = []
    for start in range(0, len(x), window):
        frames = range(start, min(len(x), start + window))
        one = {(t, i): Group((t, i), x[t, i], {(t, i): 1.0}) for t in frames for i in range(SIZE)}
        count = rounded_up(len(frames) * SIZE * ratio)
        if places == "any":
            inside = {t: merge([one[t, i] for i in range(SIZE)], rounded_up(SIZE * ratio**within)) for t in frames}
            row = [inside[t][j] for j in range(len(inside[start])) for t in frames]
            expected += merge(row, count)
            continue
        likeness = [np.mean([cosine(x[t, i], x[t + 1, i]) for t in frames[:-1]] or [0.0]) for i in range(SIZE)]
        moving = sorted(range(SIZE), key=lambda i: likeness[i])[: max(0, count - SIZE) % SIZE]
        for i in range(SIZE):
            expected += merge([one[t, i] for t in frames], max(count, SIZE) // SIZE + (i in moving))
    return {
        t * SIZE + i: {s * SIZE + j: share for (s, j), share in own.patches.items()}
        for own in expected
        for t, i in [own.at]
    }


@pytest.mark.parametrize(("num_frames", "window"), [(1, 8), (4, 4), (7, 3), (6, 2)])
@pytest.mark.parametrize("ratio", [0.03, 0.25, 0.4, 1.0])
@pytest.mark.parametrize(("within", "places"), [(0.0, "any"), (0.5, "any"), (1.0, "any"), (0.0, "same")])
def test_windows_are_merged_by_aims_rounds(num_frames, window, ratio, within, places):
    tokens, merger = clip_tokens(num_frames, seed=5), MergeAcross(ratio, within, window, places)
    reduced = merger(tokens)
    check_tokens(reduced, tokens, slow(tokens.numpy(), ratio, within, window, places))
    assert len(reduced.tokens) == merger.num_left(num_frames, (4, 5))


def test_with_all_within_frames_the_groups_are_aims_own():
    tokens = clip_tokens(4, seed=6)
    ours, aims = MergeAcross(0.5, 1.0)(tokens), as_reduced(MergeSimilar(0.5)(tokens), 4, SIZE)
    assert torch.equal(ours.place[ours.group], aims.place[aims.group])
    torch.testing.assert_close(ours.tokens[ours.group], aims.tokens[aims.group])


def test_a_still_video_at_an_eighth_is_one_of_its_eight_frames():
    """The first rounds join what is equal at the same place, so no two places mix, whichever may join."""
    tokens = clip_tokens(1, seed=7).expand(8, -1, -1)
    for places in ("any", "same"):
        reduced = MergeAcross(1 / 8, places=places)(tokens)
        assert torch.equal(reduced.place % SIZE, torch.arange(SIZE))
        torch.testing.assert_close(reduced.tokens, tokens[0])


def test_a_token_may_join_another_place_only_where_any_will_do():
    """The first frame's places move on by one in the second."""
    first = clip_tokens(1, seed=8)
    tokens = torch.cat([first, first.roll(1, dims=1)])
    any_place, same = (MergeAcross(0.5, window=2, places=own)(tokens) for own in ("any", "same"))
    torch.testing.assert_close(any_place.tokens, tokens[1])
    assert torch.equal(any_place.group[0].roll(1), any_place.group[1])
    assert torch.equal(same.group[0], same.group[1])


def test_half_precision_is_merged_in_single():
    tokens = clip_tokens(4, seed=9).to(torch.bfloat16)
    half, single = (MergeAcross(0.25, 0.5)(own) for own in (tokens, tokens.float()))
    assert torch.equal(half.group, single.group) and half.tokens.dtype == torch.bfloat16
    torch.testing.assert_close(half.tokens, single.tokens.to(torch.bfloat16))


@pytest.mark.parametrize("num_frames", [1, 4, 7])
@pytest.mark.parametrize("ratio", [0.05, 0.35, 1.0])
def test_tome_over_frames_is_tome_of_each_window_as_one_view(num_frames, ratio):
    tokens, tower = clip_tokens(num_frames), clip_tower(num_frames)
    merger, expected = MergeByKeysOverFrames(ratio, 3, window=3), {}
    for start in range(0, num_frames, 3):
        keys = tower.keys[start : start + 3].flatten(0, 1)[None].numpy()
        moved = slow_tome(keys, ratio, 3 * len(tower.keys[start : start + 3]))
        shift = start * SIZE
        expected |= {at + shift: {i + shift: share for i, share in own.items()} for at, own in moved.items()}
    reduced = merger(tokens, tower=tower)
    check_tokens(reduced, tokens, expected)
    assert len(reduced.tokens) == merger.num_left(num_frames, (4, 5))
