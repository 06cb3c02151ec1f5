"""Overlays: the right patches are tinted, dimmed or coloured, lines lie where groups meet, inputs stay as they are."""

import numpy as np
import pytest

from visual.overlay import draw_alive, draw_groups, draw_scores, unit_scale
from visual.palette import ALIVE
from visual.patch_grid import patch_rectangle

GRID = (3, 4)
SIZES = [(96, 128), (100, 131)]  # the second is a multiple of neither rows nor columns
GROUP = np.array([0, 0, 1, 2, 0, 3, 1, 4, 5, 6, 7, 1])  # 0 in one piece, 1 scattered, the others alone


def make_frame(size=(96, 128)):
    return np.random.default_rng(0).integers(60, 200, (*size, 3), dtype=np.uint8)


def inside(image, patch, grid=GRID, rim=5):
    """Pixels of a patch, without those near its edge."""
    top, bottom, left, right = patch_rectangle(patch, grid, image.shape[:2])
    return image[top + rim : bottom - rim, left + rim : right - rim].astype(int)


def saturation(pixels):
    return np.mean(pixels.max(axis=-1) - pixels.min(axis=-1))


@pytest.mark.parametrize("size", SIZES)
def test_merged_patches_are_tinted_and_lone_ones_are_not(size):
    frame = make_frame(size)
    image = draw_groups(frame, GROUP, GRID)
    assert image.shape == frame.shape and image.dtype == np.uint8
    for patch, group in enumerate(GROUP):
        change = np.abs(inside(image, patch) - inside(frame, patch)).mean()
        assert (change > 15) == (group in (0, 1)), patch


def test_one_group_has_one_tint_and_touching_groups_differ():
    frame = np.full((96, 128, 3), 128, np.uint8)
    image = draw_groups(frame, GROUP, GRID)
    tint = [inside(image, patch).reshape(-1, 3) for patch in range(12)]
    assert all((tint[patch] == tint[0][0]).all() for patch in (0, 1, 4))
    assert all((tint[patch] == tint[2][0]).all() for patch in (2, 6, 11))
    assert (tint[0][0] != tint[2][0]).any()


def test_line_lies_between_groups_and_not_inside():
    image = draw_groups(np.zeros((96, 128, 3), np.uint8), GROUP, GRID)
    assert image[16, 63:65].min() > 200  # between groups 0 and 1
    assert image[5:25, 20:44].max(axis=(0, 1)).tolist() == image[16, 16].tolist()  # across patches 0 and 1
    assert 20 < image[70:90, 64].mean() < 120  # two lone patches: only faint


@pytest.mark.parametrize("shade", [0, 255])
def test_lone_patches_have_a_faint_line_on_any_ground(shade):
    image = draw_groups(np.full((96, 128, 3), shade, np.uint8), np.arange(12), GRID).astype(int)
    assert 30 < abs(image[70, 64, 0] - shade) < 120 and (image[70:90, 70:90] == shade).all()


def test_picked_group_alone_keeps_its_colours():
    frame = make_frame()
    image = draw_groups(frame, GROUP, GRID, picked=1)
    for patch, group in enumerate(GROUP):
        assert np.array_equal(inside(image, patch), inside(frame, patch)) == (group == 1)
    with pytest.raises(ValueError, match="picked must be a group"):
        draw_groups(frame, GROUP, GRID, picked=8)


@pytest.mark.parametrize("size", SIZES)
def test_pruned_patches_are_darker_and_greyer_and_alive_ones_untouched(size):
    frame, alive = make_frame(size), np.arange(12) % 3 == 0
    image = draw_alive(frame, alive, GRID)
    for patch in range(12):
        before, after = inside(frame, patch), inside(image, patch)
        if alive[patch]:
            assert np.array_equal(before, after)
        else:
            assert after.mean() < 0.5 * before.mean() and saturation(after) < 0.2 * saturation(before)


def test_alive_region_has_a_crisp_line_around_it_and_none_inside():
    alive = np.zeros(12, dtype=bool)
    alive[[5, 6]] = True  # one region of two patches: rows 32-64, columns 32-96
    image = draw_alive(np.full((96, 128, 3), 90, np.uint8), alive, GRID)
    marked = (image == ALIVE).all(axis=-1)
    assert marked[40, 31:34].any() and marked[40, 94:98].any() and marked[31:34, 50].any()
    assert not marked[40:56, 40:90].any() and not marked[:25].any()


def test_all_alive_is_the_frame_and_none_alive_is_all_dark():
    frame = make_frame()
    assert np.array_equal(draw_alive(frame, np.ones(12, bool), GRID), frame)
    assert draw_alive(frame, np.zeros(12, bool), GRID).mean() < 0.5 * frame.mean()


def test_scores_run_from_the_first_to_the_last_colour():
    frame = np.full((96, 128, 3), 128, np.uint8)
    image = draw_scores(frame, np.arange(12.0), GRID, 0, 11)
    light = [inside(image, patch) @ np.array([0.299, 0.587, 0.114]) for patch in range(12)]
    assert (np.diff([patch.mean() for patch in light]) > 0).all()  # an even colour map


def test_patches_without_a_score_are_as_dark_as_pruned_ones():
    frame, scores = make_frame(), np.arange(12.0)
    scores[[3, 7]] = np.nan
    image = draw_scores(frame, scores, GRID, 0, 11)
    pruned = draw_alive(frame, np.zeros(12, bool), GRID)
    for patch in (3, 7):
        assert np.abs(inside(image, patch) - inside(pruned, patch)).max() <= 1
    assert saturation(inside(image, 0)) > 4 * saturation(inside(image, 3))


def test_constant_and_missing_scores_can_be_drawn():
    frame = np.full((96, 128, 3), 128, np.uint8)
    middle = draw_scores(frame, np.full(12, 0.3), GRID, 0.3, 0.3)
    assert np.array_equal(middle, draw_scores(frame, np.full(12, 0.5), GRID, 0, 1))
    assert draw_scores(frame, np.full(12, np.nan), GRID, 0, 1).max() < 64


def test_unit_scale_clips_and_refuses_a_reversed_range():
    assert unit_scale(np.array([-1.0, 0.0, 1.0, 9.0]), 0, 2).tolist() == [0, 0, 0.5, 1]
    with pytest.raises(ValueError, match="low <= high"):
        unit_scale(np.zeros(2), 1, 0)


@pytest.mark.parametrize(
    "draw",
    [
        lambda frame, group: draw_groups(frame, group, GRID),
        lambda frame, group: draw_alive(frame, group > 2, GRID),
        lambda frame, group: draw_scores(frame, group.astype(float), GRID, 0, 7),
    ],
)
def test_inputs_are_not_modified_and_not_returned(draw):
    frame, group = make_frame(), GROUP.copy()
    frame.setflags(write=False)
    group.setflags(write=False)
    before = frame.copy()
    assert not np.shares_memory(draw(frame, group), frame)
    assert np.array_equal(frame, before)
    with pytest.raises(ValueError, match="needs 12 values"):
        draw(frame, group[:11])
    with pytest.raises(ValueError, match="uint8"):
        draw(frame.astype(float), group)
