"""Sheets: every frame is there unharmed, at one size, with a caption under it; legends fit beside them."""

import numpy as np
import pytest

from visual.contact_sheet import LARGEST, SMALLEST, contact_sheet, display_side, enlarge, sheet_columns
from visual.legends import alive_legend, groups_legend, scores_legend
from visual.palette import BACKGROUND
from visual.text_raster import fitting_size, line_height, line_width, write


def flat(shade, height=64, width=96):
    return np.full((height, width, 3), shade, np.uint8)


@pytest.mark.parametrize("num_images", [1, 2, 5, 8, 16, 31, 32])
def test_every_image_is_on_the_sheet_untouched_in_reading_order(num_images):
    shades = [2 + 3 * index for index in range(num_images)]  # none is a colour of card or caption
    sheet = contact_sheet([flat(shade) for shade in shades], [f"frame {n + 1} · 0.4 s" for n in range(num_images)])
    corners = []
    for shade in shades:
        rows, cols = np.nonzero((sheet == shade).all(axis=-1))
        corners.append((rows.min(), cols.min()))
        area = sheet[rows.min() : rows.min() + 64, cols.min() : cols.min() + 96]
        assert (area == shade).all() and area.shape == (64, 96, 3)
    assert corners == sorted(corners)


def test_caption_stands_under_its_image_and_a_title_above_all():
    plain = contact_sheet([flat(10)], [""], gap=16)
    named = contact_sheet([flat(10)], ["frame 1"], gap=16)
    titled = contact_sheet([flat(10)], ["frame 1"], gap=16, title="Layer 3")
    assert (plain[16 + 64 :] == BACKGROUND).all()
    assert (named[16 + 64 :] != BACKGROUND).any() and np.array_equal(named[:80], plain[:80])
    assert titled.shape[0] > named.shape[0] and np.array_equal(titled[-60:], named[-60:])


def test_caption_too_wide_for_its_image_is_made_smaller():
    long = "frame 12 · 1234567.8 s"
    assert line_width(long, fitting_size([long], 40, 200)) <= 202
    assert fitting_size(["a"], 40, 200) == 40


@pytest.mark.parametrize("size", [8, 20, 41])
def test_text_is_antialiased_and_stays_inside_its_line(size):
    text, pad = "Ågjy|1–2 · 0.4 s", 7
    picture = flat(255, line_height(size) + 2 * pad, line_width(text, size) + 2 * pad)
    write(picture, text, pad, pad, size, (0, 0, 0))
    ink = picture[pad:-pad, pad:-pad] < 255
    assert ink.sum() == (picture < 255).sum() > 0 and picture.min() < 20
    assert ((picture > 50) & (picture < 200)).any()
    assert line_width("$x_1$", size) > line_width("x1", size)  # no formulas: shown as written


def test_text_is_clipped_at_the_rim():
    picture = flat(255, 30, 40)
    write(picture, "wider than the picture", 15, 20, 20, (0, 0, 0))
    assert (picture[:15] == 255).all() and (picture[:, :20] == 255).all() and (picture < 255).any()


@pytest.mark.parametrize(("size", "side"), [((128, 128), 256), ((112, 200), 300), ((384, 384), 256), ((256, 256), 256)])
def test_enlarge_keeps_proportions_and_colours(size, side):
    frame = np.zeros((*size, 3), np.uint8)
    frame[:, size[1] // 2 :] = (250, 20, 90)
    before, image = frame.copy(), enlarge(frame, side)
    assert image.shape == (side, round(size[1] * side / size[0]), 3)
    assert image[5, 5].tolist() == [0, 0, 0] and image[5, -5].tolist() == [250, 20, 90]
    assert np.array_equal(frame, before) and not np.shares_memory(image, frame)


@pytest.mark.parametrize("num_images", range(1, 33))
def test_layout_is_wide_with_few_empty_places(num_images):
    columns = sheet_columns(num_images)
    rows = -(-num_images // columns)
    assert rows <= columns and rows * columns - num_images <= max(1, num_images // 5)
    assert SMALLEST <= display_side(num_images) <= LARGEST


def test_refuses_what_makes_no_sheet():
    with pytest.raises(ValueError, match="at least one image"):
        contact_sheet([], [])
    with pytest.raises(ValueError, match="one label"):
        contact_sheet([flat(1)], [])
    with pytest.raises(ValueError, match="one size"):
        contact_sheet([flat(1), flat(1, 32)], ["a", "b"])
    with pytest.raises(ValueError, match="side"):
        enlarge(flat(1), 0)


def test_legends_show_samples_on_the_card():
    for legend in (groups_legend(), alive_legend(), scores_legend("rank"), scores_legend("log", size=30)):
        assert legend.dtype == np.uint8 and (legend[0] == BACKGROUND).all() and (legend != BACKGROUND).any()
        assert legend.shape[1] > 10 * legend.shape[0]
    with pytest.raises(ValueError, match="scale"):
        scores_legend("linear")
