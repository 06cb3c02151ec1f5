"""Boxes of crops against the stock code that makes them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from transformers import CLIPImageProcessor, LlavaNextImageProcessor, LlavaOnevisionImageProcessor
from transformers.models.llava_onevision.modeling_llava_onevision import get_anyres_image_grid_shape, unpad_image

from aim_core.adapters.crops import anyres, centre_crop, padded_to_square, tile
from visual.view_pictures import view_picture

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


@pytest.mark.parametrize("processor_class", [LlavaNextImageProcessor, LlavaOnevisionImageProcessor])
@pytest.mark.parametrize("size", [(20, 56), (56, 20), (56, 56)])
def test_a_views_picture_is_what_the_processor_of_crops_shows_the_model(size, processor_class):
    """At the size of its canvas a picture is not resized, so that every pixel can be compared; the padding too."""
    picture = np.random.default_rng(0).integers(1, 256, (*size, 3), dtype=np.uint8)
    (rows, columns), box = anyres(size, [[56, 56]], crop=28, side=2)
    side = {"height": 28, "width": 28}
    settings = {"size": side, "crop_size": side, "image_grid_pinpoints": [[56, 56]]}
    processor = processor_class(**settings, do_rescale=False, do_normalize=False)
    crops = processor(picture, return_tensors="np")["pixel_values"][0, 1:].reshape(2, 2, 3, 28, 28)
    canvas = crops.transpose(0, 3, 1, 4, 2).reshape(56, 56, 3)
    top, left = 7 * (4 - rows), 7 * (4 - columns)  # cells of 14 pixels, as many taken away on either side
    assert np.array_equal(view_picture(picture, box), canvas[top : 56 - top, left : 56 - left])


@pytest.mark.parametrize("size", [(20, 30), (30, 20), (20, 20)])
def test_a_views_picture_is_what_clips_crop_shows_the_model(size):
    """A crop of 28 pixels reaches 4 beyond a picture of 20, and leaves 1 of 30 out."""
    picture = np.random.default_rng(0).integers(1, 256, (*size, 3), dtype=np.uint8)
    settings = {"size": {"shortest_edge": 20}, "crop_size": {"height": 28, "width": 28}}
    processor = CLIPImageProcessor(**settings, do_rescale=False, do_normalize=False)
    seen = processor(picture, return_tensors="np")["pixel_values"][0].transpose(1, 2, 0)
    assert np.array_equal(view_picture(picture, centre_crop(*size, 20, (28, 28))), seen)


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
