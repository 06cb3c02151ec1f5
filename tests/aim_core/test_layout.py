"""Layouts and shortening: every place is given to one medium, every patch knows its row, also beside separators."""

from __future__ import annotations

from functools import partial

import pytest
import torch

from aim_core.adapters.layout import MediaSpan, ViewSpan, assign_media, assign_rows, consecutive
from aim_core.forward.merged_prompt import merge_prompt
from aim_core.ops.merging import merge_tokens
from aim_core.view import View


def with_newlines(medium: int) -> MediaSpan:
    """Four rows of five cells, a newline after each."""
    rows = torch.arange(24).view(4, 6)[:, :5].flatten()
    return MediaSpan(24, (ViewSpan(View(medium, (0,), (4, 5)), rows),))


def two_frames() -> MediaSpan:
    return MediaSpan(13, tuple(consecutive(View(0, (f,), (2, 3)), 6 * f) for f in range(2)))


def test_places_go_to_media_in_turn():
    places = torch.tensor([*range(3, 16), *range(20, 44)])
    layout = assign_rows(places, [two_frames(), with_newlines(1)])
    assert [part.view.medium for part in layout.views] == [0, 0, 1]
    assert layout.views[1].rows.tolist() == list(range(9, 15))
    assert layout.views[2].rows[:6].tolist() == [20, 21, 22, 23, 24, 26]
    with pytest.raises(ValueError, match=r"37 places for 13"):
        assign_rows(places, [two_frames()])


def test_beams_share_what_was_encoded_once():
    is_place = torch.zeros(4, 40, dtype=torch.bool)
    is_place[:2, 5:18] = True
    is_place[2:, 10:34] = True
    layouts = assign_media(is_place, [two_frames(), with_newlines(0)])
    assert [int(layout.visual[0]) for layout in layouts] == [5, 5, 10, 10]


@pytest.mark.parametrize("num_places", [0, 12, 14])
def test_places_that_do_not_match_are_refused(num_places):
    is_place = torch.arange(40)[None] < num_places
    with pytest.raises(ValueError, match="all of it at once"):
        assign_media(is_place, [two_frames()])


@pytest.mark.parametrize("keep_positions", [False, True])
def test_separators_stay_and_every_patch_finds_its_token(keep_positions):
    embeds = torch.randn(50, 8, generator=torch.Generator().manual_seed(0))
    layout = assign_rows(torch.arange(10, 34), [with_newlines(0)])
    short = merge_prompt(embeds, layout, partial(merge_tokens, keep_ratio=0.5), keep_positions)
    newlines = torch.tensor([15, 21, 27, 33])
    assert torch.isin(newlines, short.rows).all() and len(short.rows) == 50 - 10
    assert torch.equal(short.embeds[~short.visual], embeds[[*range(10), *range(34, 50)]])
    visual = short.embeds[short.visual]
    expected = merge_tokens(embeds[layout.views[0].rows][None], 0.5)
    spread = expected.tokens[0][expected.group[0]]
    torch.testing.assert_close(visual[short.groups[0]], spread)
    torch.testing.assert_close(short.merge_like(embeds), short.embeds)
    assert torch.equal(short.rows, short.position_of) == keep_positions


def test_views_of_different_sizes_are_merged_apart():
    embeds = torch.randn(60, 8, generator=torch.Generator().manual_seed(1))
    layout = assign_rows(torch.arange(4, 41), [two_frames(), with_newlines(1)])
    short = merge_prompt(embeds, layout, partial(merge_tokens, keep_ratio=0.5))
    assert [len(part.token_rows) for part in short.parts] == [6, 10]
    for part, group in zip(layout.views, short.groups, strict=True):
        alone = merge_tokens(embeds[part.rows][None], 0.5)
        torch.testing.assert_close(short.embeds[short.visual][group], alone.tokens[0][alone.group[0]])
