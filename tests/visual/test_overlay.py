"""Overlays: groups have their mean, the pruned fade, lines lie where they should, inputs stay as they are."""

import numpy as np
import pytest

from visual.overlay import draw_alive, draw_groups, draw_scores, faded, unit_scale
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
def test_a_group_has_the_mean_colour_of_its_pixels(size):
    """Against a mean over the pixels of its patches, one after the other."""
    frame = make_frame(size)
    image = draw_groups(frame, GROUP, GRID)
    assert image.shape == frame.shape and image.dtype == np.uint8
    for group in set(GROUP):
        pixels = [inside(frame, patch, rim=0).reshape(-1, 3) for patch in np.flatnonzero(group == GROUP)]
        mean = np.mean([own.mean(axis=0) for own in pixels], axis=0)
        for patch in np.flatnonzero(group == GROUP):
            assert np.abs(inside(image, patch) - mean).max() <= 2, patch  # patches of 32 and 33 pixels


@pytest.mark.parametrize("shade", [0, 40, 200, 255])
def test_a_line_lies_between_groups_on_any_ground_and_not_inside(shade):
    image = draw_groups(np.full((96, 128, 3), shade, np.uint8), GROUP, GRID).astype(int)
    assert 30 < np.abs(image[5:28, 62:66] - shade).max() < 120  # between groups 0 and 1
    assert (image[5:25, 5:59] == shade).all()  # across patches 0 and 1
    assert 30 < np.abs(image[70:90, 62:66] - shade).max() < 120  # between lone patches


@pytest.mark.parametrize("size", SIZES)
def test_a_dropped_patch_is_faded_and_gives_no_group_its_colour(size):
    frame = make_frame(size)
    dropped = [1, 5, 11]
    group = GROUP.copy()
    group[dropped] = -1
    image = draw_groups(frame, group, GRID)
    for patch in dropped:
        assert np.array_equal(inside(image, patch), inside(faded(frame), patch))
    pixels = np.concatenate([inside(frame, patch, rim=0).reshape(-1, 3) for patch in (0, 4)])  # what is left of group 0
    for patch in (0, 4):
        assert np.abs(inside(image, patch) - pixels.mean(axis=0)).max() <= 2
    assert np.array_equal(inside(draw_groups(frame, np.full(12, -1), GRID), 3), inside(faded(frame), 3))


def test_picked_group_alone_keeps_its_colours():
    frame = make_frame()
    image = draw_groups(frame, GROUP, GRID, picked=1)
    for patch, group in enumerate(GROUP):
        assert np.array_equal(inside(image, patch), inside(frame, patch)) == (group == 1)
    with pytest.raises(ValueError, match="picked must be a group"):
        draw_groups(frame, GROUP, GRID, picked=8)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("shade", [0, 120])
def test_pruned_patches_are_pale_and_grey_never_black_and_alive_ones_untouched(size, shade):
    frame, alive = make_frame(size) // (1 if shade else 10), np.arange(12) % 3 == 0
    image = draw_alive(frame, alive, GRID)
    for patch in range(12):
        before, after = inside(frame, patch), inside(image, patch)
        if alive[patch]:
            assert np.array_equal(before, after)
        else:
            assert after.min() > 70 and saturation(after) < 40 and after.std() < 0.5 * before.std() + 20


def test_the_line_is_on_the_living_side():
    alive = np.zeros(12, dtype=bool)
    alive[[5, 6]] = True  # one region of two patches: rows 32-64, columns 32-96
    image = draw_alive(np.full((96, 128, 3), 90, np.uint8), alive, GRID)
    marked = (image == ALIVE).all(axis=-1)
    assert marked[40, 32] and marked[40, 95] and marked[32, 50] and marked[63, 50]
    assert not marked[36:60, 36:92].any()
    marked[32:64, 32:96] = False
    assert not marked.any()


def test_what_went_right_before_has_a_dot_in_its_middle():
    dropped = np.arange(12) == 7
    image = draw_alive(make_frame(), np.zeros(12, bool), GRID, dropped)
    marked = np.argwhere((image == ALIVE).all(axis=-1))
    assert marked.min(axis=0).tolist() == [45, 109] and marked.max(axis=0).tolist() == [49, 113]


def test_what_went_on_in_another_has_a_ring():
    dropped = np.arange(12) == 7
    frame = make_frame()
    image = draw_alive(frame, np.zeros(12, bool), GRID, dropped, dropped)
    marked = np.argwhere((image == ALIVE).all(axis=-1))
    assert marked.min(axis=0).tolist() == [44, 108] and marked.max(axis=0).tolist() == [50, 114] and len(marked) == 24
    plain = draw_alive(frame, np.zeros(12, bool), GRID)
    assert np.array_equal(image[45:50, 109:114], plain[45:50, 109:114])


def test_all_alive_is_the_frame():
    frame = make_frame()
    assert np.array_equal(draw_alive(frame, np.ones(12, bool), GRID), frame)


def test_scores_run_from_the_first_to_the_last_colour():
    frame = np.full((96, 128, 3), 128, np.uint8)
    image = draw_scores(frame, np.arange(12.0), GRID, 0, 11)
    light = [inside(image, patch) @ np.array([0.299, 0.587, 0.114]) for patch in range(12)]
    assert (np.diff([patch.mean() for patch in light]) > 0).all()  # an even colour map


def test_patches_without_a_score_are_as_pale_as_pruned_ones():
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
    assert np.array_equal(draw_scores(frame, np.full(12, np.nan), GRID, 0, 1), faded(frame))


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
