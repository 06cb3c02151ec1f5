"""View pictures: the pixels of views that lie in their frame, reach beyond it, or lie outside; figures use the same."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from aim_core.view import View
from tests.helpers.drawn_trace import make_trace
from visual.frame_compose import compose_frame, composed_frames
from visual.view_pictures import view_picture, view_pictures

BEYOND = (-0.25, 0.0, 1.25, 1.0)


def test_a_view_in_its_frame_is_a_part_of_it(frames):
    assert np.array_equal(view_picture(frames[0], (0.25, 0, 1, 0.5)), frames[0][:48, 32:])
    assert np.array_equal(view_picture(frames[0], None), frames[0])


def test_a_view_that_reaches_beyond_its_frame_is_black_there(frames):
    beyond = view_picture(frames[0], BEYOND)
    assert beyond.shape == (96, 192, 3) and not beyond[:, :32].any() and not beyond[:, -32:].any()
    assert np.array_equal(beyond[:, 32:160], frames[0])


@pytest.mark.parametrize("box", [(-1, 0, -0.5, 1), (0, -1, 1, -0.5), (1.5, 0, 2, 1), (0, 1.5, 1, 2)])
def test_a_view_outside_its_frame_is_black_and_leaves_a_figure_faded(box):
    trace = make_trace(num_frames=1, size=(300, 300))
    trace = replace(trace, views=(View(0, (0,), trace.grid, box),), row=trace.rows())
    (picture,) = view_pictures(trace)
    assert sorted(picture.shape[:2]) == [150, 300] and not picture.any()
    assert (compose_frame(trace, composed_frames(trace)[0], lambda drawn, view: drawn + 255, 300) < 255).all()


@pytest.mark.parametrize("box", [None, BEYOND, (0.1, -0.3, 0.9, 0.61), (1 / 3, 0.5, 2 / 3, 1)])
def test_figures_draw_on_the_pixels_that_the_explorer_shows(box):
    trace = make_trace(num_frames=1, size=(300, 400))
    trace = replace(trace, views=(View(0, (0,), trace.grid, box),), row=trace.rows())
    drawn = []
    compose_frame(trace, composed_frames(trace)[0], lambda picture, view: drawn.append(picture) or picture, 300)
    assert np.array_equal(drawn[0], view_pictures(trace)[0])
