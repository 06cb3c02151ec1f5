"""Shorter videos for training: the same tokens as the method's own merging, with gradients and with the labels left."""

import pytest
import torch

from aim_core.ops.merging import merge_tokens, num_kept
from training.token_reduction import COVERED, VisualTokens, drop, merge

VIDEOS, FRAMES, TOKENS, WIDTH, THINGS = 2, 3, 36, 8, 4
RATIOS = (0.5, 0.25, 0.125, 0.3, 1 / 36)
by_ratio = pytest.mark.parametrize("keep", RATIOS)


@pytest.fixture
def visual() -> VisualTokens:
    draw = torch.Generator().manual_seed(0)
    owner = torch.randint(-1, THINGS, (VIDEOS, FRAMES, TOKENS), generator=draw)
    center = torch.rand(VIDEOS, FRAMES, TOKENS, generator=draw)
    tokens = torch.randn(VIDEOS, FRAMES, TOKENS, WIDTH, generator=draw)
    return VisualTokens(tokens, owner, center, torch.arange(TOKENS).expand_as(owner))


def merged_by_the_method(visual: VisualTokens, keep: float):
    return merge_tokens(visual.tokens.flatten(0, 1), keep)


@by_ratio
def test_merging_gives_the_methods_tokens_in_the_methods_order(visual, keep):
    assert torch.equal(merge(visual, keep, THINGS).tokens.flatten(0, 1), merged_by_the_method(visual, keep).tokens)


@by_ratio
def test_a_merged_token_shows_the_thing_that_covers_most_of_its_patches_if_it_covers_enough(visual, keep):
    short, group = merge(visual, keep, THINGS), merged_by_the_method(visual, keep).group
    owner, shown = visual.owner.flatten(0, 1), short.owner.flatten(0, 1)
    for frame in range(VIDEOS * FRAMES):
        for token in range(shown.shape[1]):
            patches = owner[frame, group[frame] == token]
            counts = torch.bincount(patches[patches >= 0], minlength=THINGS)
            if counts.max() < COVERED * len(patches) - 1e-6:
                assert shown[frame, token] == -1
            else:
                assert counts[shown[frame, token]] == counts.max()


@by_ratio
def test_a_merged_token_has_all_of_its_patches_share_in_a_middle(visual, keep):
    short, group = merge(visual, keep, THINGS), merged_by_the_method(visual, keep).group
    center, shown = visual.center.flatten(0, 1), short.center.flatten(0, 1)
    for frame in range(VIDEOS * FRAMES):
        for token in range(shown.shape[1]):
            torch.testing.assert_close(shown[frame, token], center[frame, group[frame] == token].sum())


@by_ratio
def test_a_merged_token_comes_from_a_patch_of_its_group(visual, keep):
    short, group = merge(visual, keep, THINGS), merged_by_the_method(visual, keep).group
    place = short.place.flatten(0, 1)
    assert torch.equal(group.gather(1, place), torch.arange(place.shape[1]).expand_as(place))


def test_a_pair_stands_where_the_other_joined():
    """Tokens 0 and 3 are alike, so 0 joins 3; 2 joins 1."""
    tokens = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 0.9], [0.9, 0.1]])[None, None]
    none = torch.full((1, 1, 4), -1)
    short = merge(VisualTokens(tokens, none, torch.zeros(1, 1, 4), torch.arange(4)[None, None]), 0.5, THINGS)
    assert short.place.tolist() == [[[1, 3]]]


def test_gradients_reach_every_token_that_was_merged(visual):
    tokens = visual.tokens.clone().requires_grad_()
    short = merge(VisualTokens(tokens, visual.owner, visual.center, visual.place), 0.25, THINGS)
    short.tokens.square().sum().backward()
    assert (tokens.grad.abs().sum(-1) > 0).all()


@by_ratio
def test_dropping_leaves_tokens_and_their_labels_together(visual, keep):
    short = drop(visual, keep, torch.Generator().manual_seed(1))
    assert short.owner.shape == (VIDEOS, FRAMES, num_kept(TOKENS, keep))
    for name in ("owner", "center"):
        assert torch.equal(getattr(short, name), getattr(visual, name).gather(2, short.place))
    assert torch.equal(short.tokens, visual.rows(short.place).tokens)
    assert all(len(set(row.tolist())) == row.numel() for row in short.place.flatten(0, 1))


def test_dropping_is_drawn_for_each_frame_and_the_same_from_the_same_seed(visual):
    one, two, other = (drop(visual, 0.5, torch.Generator().manual_seed(seed)).place for seed in (1, 1, 2))
    assert torch.equal(one, two) and not torch.equal(one, other)
    assert len({tuple(row.tolist()) for row in one.flatten(0, 1)}) == VIDEOS * FRAMES
