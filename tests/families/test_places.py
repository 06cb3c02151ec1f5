"""Provenance: the visual tokens that a bright spot changes are those whose patches say they lie there."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from aim_core.adapters.registry import adapter_for
from aim_core.attach import aim
from aim_core.config import AimConfig
from tests.families.family import ask, load
from tests.families.reference import encoded
from tests.families.table import ASKED_OR_SLOW, FAMILIES

COUNTS = {"image": 1, "images": 3, "video": 5}
# (height, width) of the pictures; top, left, bottom, right of the spot in them
CASES = [((64, 96), (16, 32, 48, 64)), ((40, 120), (0, 48, 24, 80)), ((112, 48), (64, 0, 112, 32))]
OUTPUTS = ("out_proj.weight", "out_proj.bias", "attn.proj.weight", "attn.proj.bias", "projection_layer.weight")


@pytest.fixture(scope="module")
def short_sighted(family_folder):
    """name → a model whose vision tower's attention adds nothing, so that a token knows its own patches only."""
    made = {}

    def model(name: str):
        if name not in made:
            loaded, processor = load(family_folder(name))
            with torch.no_grad():
                for key, weight in loaded.named_parameters():
                    if key.endswith((*OUTPUTS, "projection_layer.bias")):
                        weight.zero_()
            made[name] = loaded, processor
        return made[name]

    return model


def plain(medium: str, size: tuple[int, int] = (64, 96)) -> np.ndarray:
    """Grey pictures (count, height, width, 3)."""
    return np.full((COUNTS[medium], *size, 3), 60, dtype=np.uint8)


def changed_rows(model, processor, medium: str, dark: np.ndarray, bright: np.ndarray) -> np.ndarray:
    """Which visual rows differ between two media, (v,) bool."""
    rows = []
    for media in (dark, bright):
        with torch.inference_mode():
            features = encoded(model, ask(processor, medium, media)).pooler_output
        parts = [features] if isinstance(features, torch.Tensor) else list(features)
        rows.append(torch.cat([part.flatten(0, -2) for part in parts]))
    difference = (rows[1] - rows[0]).abs().amax(dim=-1)
    return (difference > 0.02 * difference.max().clamp(min=1e-6)).numpy()


def cells(view, height: int, width: int) -> np.ndarray:
    """(n, 4) left, top, right, bottom of every patch of a view, in pixels."""
    rows, columns = view.grid
    left, top, right, bottom = view.box
    x = np.linspace(left, right, columns + 1) * width
    y = np.linspace(top, bottom, rows + 1) * height
    row, column = np.divmod(np.arange(rows * columns), columns)
    return np.stack([x[column], y[row], x[column + 1], y[row + 1]], axis=1)


def located(model, processor, medium: str, media: np.ndarray):
    """The views of a prompt in their pictures, and the visual row of each of their patches."""
    with torch.inference_mode(), aim(model, AimConfig.dense()) as recorder:
        model(**ask(processor, medium, media), logits_to_keep=1)
    record = recorder.record
    sizes = [media.shape[:3]] if medium == "video" else [(1, *media.shape[1:3])] * len(media)
    return adapter_for(model, processor).locate(record.views, sizes), [group.numpy() for group in record.groups]


@pytest.mark.parametrize(("size", "spot"), CASES)
@pytest.mark.parametrize(("name", "medium"), ASKED_OR_SLOW)
def test_patches_lie_where_the_spot_that_changes_them_is(short_sighted, name, medium, size, spot):
    model, processor = short_sighted(name)
    dark = plain(medium, size)
    which = {"image": 0, "images": 1, "video": 3}[medium]
    top, left, bottom, right = spot
    bright = dark.copy()
    bright[which, top:bottom, left:right] = 250
    changed = changed_rows(model, processor, medium, dark, bright)
    views, groups = located(model, processor, medium, bright)
    showing = 0
    for view, group in zip(views, groups, strict=True):
        shown = (which in view.frames) if medium == "video" else (which == view.medium)
        x0, y0, x1, y1 = cells(view, *size).T
        x, y = (x0 + x1) / 2, (y0 + y1) / 2
        inside = (left + 1 < x) & (x < right - 1) & (top + 1 < y) & (y < bottom - 1)
        wide, high = (x1 - x0)[0] / 2 + 4, (y1 - y0)[0] / 2 + 4  # resizing and pooling reach a little further
        near = (x1 > left - wide) & (x0 < right + wide) & (y1 > top - high) & (y0 < bottom + high)
        if shown:
            showing += int(inside.sum())
            assert changed[group][inside].all(), view
        assert not changed[group][~near | (not shown)].any(), view
    assert showing


def test_two_frames_share_a_plane_and_an_odd_one_is_alone(short_sighted):
    for name in ("qwen2_vl", "qwen2_5_vl", "qwen3_vl"):
        model, processor = short_sighted(name)
        views, _ = located(model, processor, "video", plain("video"))
        assert [view.frames for view in views] == [(0, 1), (2, 3), (4,)]
        assert {view.grid for view in views} == {(4, 6)}


@pytest.mark.parametrize("name", FAMILIES)
def test_every_view_says_which_picture_it_shows(short_sighted, name):
    model, processor = short_sighted(name)
    for medium, number in (("images", 3), ("video", 1)):
        if medium in FAMILIES[name].media:
            views, _ = located(model, processor, medium, plain(medium))
            assert {view.medium for view in views} == set(range(number))


def test_crops_know_their_place(short_sighted):
    """Tiles of InternVL and SmolVLM, and the whole picture after them."""
    for name, rows, columns in (("internvl", 2, 3), ("smolvlm", 2, 2)):
        model, processor = short_sighted(name)
        views, _ = located(model, processor, "image", plain("image"))
        assert [view.box[:2] for view in views[:-1]] == [
            (column / columns, row / rows) for row in range(rows) for column in range(columns)
        ]
        assert views[-1].box == (0, 0, 1, 1)
