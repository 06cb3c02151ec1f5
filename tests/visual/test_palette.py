"""Colours: touching groups differ, the choice is repeatable, and the set survives colour blindness."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from visual.palette import GROUP_COLOURS, assign_colours, colour_table, touching

# Machado, Oliveira and Fernandes 2009, severity 1, on linear RGB.
VISION = {
    "normal": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}


@st.composite
def group_maps(draw):
    """A grid and a map in which every group up to the largest has a patch, scattered anyhow."""
    rows, cols = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    labels = draw(st.lists(st.integers(0, draw(st.integers(0, 40))), min_size=rows * cols, max_size=rows * cols))
    return (rows, cols), np.unique(labels, return_inverse=True)[1]


@settings(max_examples=80, deadline=None)
@given(group_maps())
def test_merged_groups_that_touch_never_share_a_colour(case):
    grid, group = case
    table, merged = group.reshape(grid), np.bincount(group) > 1
    colours = colour_table(64)[assign_colours(group, grid)][table]  # (rows, cols, 3)
    for row, col in np.ndindex(grid):
        for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
            y, x = row + down, col + right
            if not (y < grid[0] and 0 <= x < grid[1]) or table[row, col] == table[y, x]:
                continue
            if merged[table[row, col]] and merged[table[y, x]]:
                assert (colours[row, col] != colours[y, x]).any()


@settings(max_examples=30, deadline=None)
@given(group_maps())
def test_same_map_same_colours(case):
    grid, group = case
    assert np.array_equal(assign_colours(group, grid), assign_colours(group.copy(), grid))


def test_touching_sees_sides_and_corners_of_scattered_groups():
    group = np.array([0, 1, 1, 1, 2, 1, 1, 1, 0])  # group 0 lies in two corners of a 3 x 3 grid, 2 in the middle
    assert np.array_equal(touching(group, (3, 3)), [[0, 1, 1], [1, 0, 1], [1, 1, 0]])
    assert not touching(np.array([0, 1, 1, 2]), (1, 4))[0, 2]


def test_more_colours_are_found_when_all_are_taken():
    group = np.array([0, 1, 0, 2, 0, 3, 1, 2, 3])  # 0 touches all others, in a 3 x 3 grid
    colours = assign_colours(group, (3, 3), num_colours=1)
    assert len(set(colours.tolist())) > 1 and (colours[1:] != colours[0]).all()


def test_a_patch_that_was_not_merged_takes_no_colour():
    assert assign_colours(np.arange(16), (4, 4), num_colours=1).tolist() == [0] * 16


@pytest.mark.parametrize("num_colours", [0, 1, 10, 200])
def test_colour_table_has_no_twins(num_colours):
    assert len(np.unique(colour_table(num_colours), axis=0)) == num_colours


@pytest.mark.parametrize("eye", VISION)
def test_group_colours_stay_apart_for_every_eye(eye):
    rgb = np.array(GROUP_COLOURS) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ np.array(VISION[eye]).T, 0, 1)
    seen = np.where(seen <= 0.0031308, seen * 12.92, 1.055 * seen ** (1 / 2.4) - 0.055)
    lab = cv2.cvtColor(seen.astype(np.float32)[None], cv2.COLOR_RGB2LAB)[0]
    apart = np.linalg.norm(lab[:, None] - lab[None], axis=-1) + 1e3 * np.eye(len(lab))
    assert apart.min() > 20  # CIELAB; about 2 can just be told apart
