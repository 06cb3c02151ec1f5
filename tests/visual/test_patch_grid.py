"""Patches: they tile every image, whatever its size, and lines lie only between different labels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from visual.patch_grid import borders, patch_edges, patch_rectangle, spread


@given(st.integers(1, 60), st.integers(0, 400))
def test_edges_share_out_every_pixel_evenly(num_patches, extra):
    edges = patch_edges(num_patches + extra, num_patches)
    widths = np.diff(edges)
    assert edges[0] == 0 and edges[-1] == num_patches + extra
    assert widths.min() >= 1 and widths.max() - widths.min() <= 1


def test_rectangles_and_spread_agree_where_the_grid_does_not_divide_the_image():
    grid, size = (3, 4), (50, 67)
    pixels = spread(np.arange(12), grid, size)
    assert pixels.shape == size
    for patch in range(12):
        top, bottom, left, right = patch_rectangle(patch, grid, size)
        assert (pixels[top:bottom, left:right] == patch).all()
        assert (pixels == patch).sum() == (bottom - top) * (right - left)


@pytest.mark.parametrize(("thickness", "expected"), [(1, [10]), (2, [9, 10]), (3, [9, 10, 11]), (4, [8, 9, 10, 11])])
def test_line_has_its_thickness_around_the_boundary(thickness, expected):
    lines = borders(np.array([0, 1]), (1, 2), (10, 20), thickness)
    assert np.flatnonzero(lines.any(axis=0)).tolist() == expected and lines[:, expected].all()


def test_equal_labels_have_no_line():
    assert not borders(np.full(6, 7), (2, 3), (20, 30), 3).any()


def test_refuses_what_does_not_fit():
    with pytest.raises(ValueError, match="patches <= pixels"):
        patch_edges(3, 4)
    with pytest.raises(ValueError, match="needs 6 values, got 5"):
        spread(np.zeros(5), (2, 3), (20, 30))
    with pytest.raises(ValueError, match="patch must be in"):
        patch_rectangle(6, (2, 3), (20, 30))
