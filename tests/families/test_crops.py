"""Boxes of crops against the stock code that makes them."""

from __future__ import annotations

import pytest
import torch
from transformers import LlavaOnevisionImageProcessor
from transformers.models.llava_onevision.modeling_llava_onevision import get_anyres_image_grid_shape, unpad_image

from aim_core.adapters.crops import anyres, centre_crop, padded_to_square, tile

CANVASES = [[384 * rows, 384 * columns] for rows in range(1, 7) for columns in range(1, 7)]
SIZES = [(480, 640), (720, 1280), (1080, 1920), (33, 1000), (1000, 41), (384, 384), (383, 769), (2000, 3001)]


@pytest.mark.parametrize("size", SIZES)
def test_the_grid_of_crops_is_the_stock_models(size):
    crops = get_anyres_image_grid_shape(size, CANVASES, 384)
    stock = unpad_image(torch.empty(1, crops[0] * 27, crops[1] * 27), size)
    assert anyres(size, CANVASES, 384, 27)[0] == tuple(stock.shape[1:])


@pytest.mark.parametrize("size", SIZES[:6])
def test_the_box_is_where_the_stock_processor_puts_the_picture(size):
    """A gradient says of each pixel of the crops where in the picture it comes from."""
    height, width = size
    columns = torch.linspace(0, 1, width).expand(height, width)
    rows = torch.linspace(0, 1, height)[:, None].expand(height, width)
    picture = torch.stack([columns, rows, torch.ones(size)])
    processor = LlavaOnevisionImageProcessor(
        size={"height": 384, "width": 384}, image_grid_pinpoints=CANVASES, do_rescale=False, do_normalize=False
    )
    crops = processor(picture, return_tensors="pt")["pixel_values"][0, 1:]
    down, across = get_anyres_image_grid_shape(size, CANVASES, 384)
    canvas = crops.unflatten(0, (down, across)).permute(2, 0, 3, 1, 4).flatten(3).flatten(1, 2)
    (num_rows, num_columns), (left, top, right, bottom) = anyres(size, CANVASES, 384, 27)
    cell = 384 / 27
    first_row, first_column = (down * 27 - num_rows) // 2, (across * 27 - num_columns) // 2
    for share in (0.3, 0.5, 0.7):
        x, y = first_column * cell + share * num_columns * cell, first_row * cell + share * num_rows * cell
        seen = canvas[:, int(y), int(x)]
        assert seen[2] > 0.99  # not padding
        assert seen[0] == pytest.approx(left + share * (right - left), abs=2.5 / min(width, 384))
        assert seen[1] == pytest.approx(top + share * (bottom - top), abs=2.5 / min(height, 384))


def test_a_centred_crop_leaves_the_long_sides_out():
    assert centre_crop(100, 200, 50, (50, 50)) == (0.25, 0, 0.75, 1)
    assert centre_crop(200, 100, 50, (50, 50)) == (0, 0.25, 1, 0.75)
    assert centre_crop(100, 100, 50, (25, 25)) == (0.25, 0.25, 0.75, 0.75)


def test_bars_are_beyond_the_picture():
    assert padded_to_square(100, 200) == (0, -0.5, 1, 1.5)
    assert padded_to_square(70, 70) == (0, 0, 1, 1)


def test_tiles_are_counted_in_raster_order():
    assert tile(0, 2, 4) == (0, 0, 0.25, 0.5)
    assert tile(6, 2, 4) == (0.5, 0.5, 0.75, 1)
