"""Plates: views of any shape drawn where they lie: frames that share a plane, tiles, crops with bars around them."""

from __future__ import annotations

import numpy as np

from aim_core.layer_trace import LayerTrace
from aim_core.trace import Trace
from aim_core.view import View
from visual.frame_compose import compose_frame, composed_frames, frame_captions
from visual.heatmaps import drawn_frames, groups_overlay
from visual.overlay import draw_alive, faded


def trace_of(views: list[View], num_frames: int = 1, size: tuple[int, int] = (60, 90)) -> Trace:
    """Every patch a token of its own; the first view's rows alone enter the last of two layers."""
    counts = [view.grid[0] * view.grid[1] for view in views]
    starts = np.cumsum([0, *counts])
    rows = [np.arange(start, start + count) for start, count in zip(starts, counts, strict=False)]
    scores = np.linspace(0, 1, starts[-1], dtype=np.float32)
    layers = (LayerTrace(0, np.arange(starts[-1]), scores), LayerTrace(1, rows[0], np.zeros(0, np.float32)))
    frames = np.full((num_frames, *size, 3), 200, np.uint8)
    times = np.arange(num_frames, dtype=np.float32)
    return Trace.of_views(frames, times, views, rows, layers, np.array([starts[-1], counts[0]]))


def plain(picture: np.ndarray, view: int) -> np.ndarray:
    return picture


def test_tiles_lie_together_and_the_whole_picture_apart():
    tiles = [View(0, (0,), (4, 4), (i / 3, j / 2, (i + 1) / 3, (j + 1) / 2)) for j in range(2) for i in range(3)]
    trace = trace_of([*tiles, View(0, (0,), (4, 4))])
    assert [composed.views for composed in composed_frames(trace)] == [(0, 1, 2, 3, 4, 5), (6,)]
    assert frame_captions(trace) == ["frame 1 · 0.0 s · 6 crops", "frame 1 · 0.0 s · 1 crop"]
    mosaic, whole = drawn_frames(trace, plain)
    assert np.array_equal(mosaic, whole) and (mosaic == 200).all()  # tiles leave no gap
    alive, _ = drawn_frames(trace, lambda picture, view: picture if view == 0 else picture // 2)
    height, width = alive.shape[:2]
    assert (alive[: height // 2, : width // 3] == 200).all() and (alive[height // 2 + 1 :] == 100).all()


def test_frames_that_share_a_plane_are_named_together():
    trace = trace_of([View(0, (0, 1), (2, 3)), View(0, (2, 3), (2, 3)), View(0, (4,), (2, 3))], num_frames=5)
    assert [composed.frame for composed in composed_frames(trace)] == [0, 2, 4]
    assert frame_captions(trace) == ["frames 1–2 · 0.0 s–1.0 s", "frames 3–4 · 2.0 s–3.0 s", "frame 5 · 4.0 s"]


def test_several_pictures_are_their_own_frames():
    trace = trace_of([View(medium, (0,), (2, 3)) for medium in range(3)], num_frames=3)
    assert [composed.frame for composed in composed_frames(trace)] == [0, 1, 2]


def test_what_no_view_covers_is_faded():
    trace = trace_of([View(0, (0,), (3, 3), (0.25, 0, 0.75, 1))])
    (composed,) = drawn_frames(trace, plain)
    width = composed.shape[1]
    grey = faded(np.full((1, 1, 3), 200, np.uint8))[0, 0]
    assert (composed[:, : width // 4 - 1] == grey).all()
    assert (composed[:, width // 4 + 1 : 3 * width // 4 - 1] == 200).all()


def test_bars_beyond_the_picture_are_cut_off():
    """A wide picture padded to a square: of 4 rows of patches the middle two lie on it."""
    trace = trace_of([View(0, (0,), (4, 4), (0, -0.5, 1, 1.5))])
    mask = np.repeat([True, False], 8)  # the two rows on top are alive
    (composed,) = drawn_frames(trace, lambda picture, view: draw_alive(picture, mask, (4, 4)))
    height, width = composed.shape[:2]
    assert composed.shape[1] == round(1.5 * height)
    pale = faded(np.full((1, 1, 3), 200, np.uint8))[0, 0]
    assert (composed[height // 4, width // 8] == 200).all() and (composed[3 * height // 4, width // 8] == pale).all()


def test_a_patch_smaller_than_a_pixel_is_no_error():
    trace = trace_of([View(0, (0,), (40, 300))], size=(60, 2))
    assert groups_overlay(trace).dtype == np.uint8


def test_the_frame_stays_as_it_was():
    trace = trace_of([View(0, (0,), (3, 3))], size=(256, 256))
    before = trace.frames.copy()
    compose_frame(trace, composed_frames(trace)[0], lambda picture, view: picture * 0, 256)
    assert np.array_equal(trace.frames, before)
