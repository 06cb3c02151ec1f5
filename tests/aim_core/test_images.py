"""Images of LLaVA-OneVision under aim(): one image with its crops, several images, provenance of every patch."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from aim_core.attach import aim
from aim_core.config import AimConfig
from tests.helpers.prompts import QUESTION

SIDE = 16  # cells along a side of the tower's grid


@pytest.fixture(scope="module", autouse=True)
def crops(engine):
    """Cut pictures into crops as the released checkpoints do; the small checkpoint has a single crop."""
    shapes = [[128, 256], [256, 128], [256, 256]]
    places = (engine.adapter.model.config, engine.adapter.processor.image_processor)
    before = [place.image_grid_pinpoints for place in places]
    for place in places:
        place.image_grid_pinpoints = shapes
    yield
    for place, old in zip(places, before, strict=True):
        place.image_grid_pinpoints = old


@pytest.fixture(scope="module")
def wide(frames) -> np.ndarray:
    """(96, 224, 3), a picture that is cut into crops."""
    return np.concatenate([frames[0], frames[1][:, :96]], axis=1)


def image_inputs(engine, images):
    processor = engine.adapter.processor
    content = [{"type": "image"}] * len(images) + [{"type": "text", "text": QUESTION}]
    text = processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)
    return processor(text=text, images=[images], return_tensors="pt").to(dtype=engine.adapter.model.dtype)


def test_an_image_with_crops_knows_its_patches(engine, wide):
    model, inputs = engine.adapter.model, image_inputs(engine, [wide])
    with torch.inference_mode():
        plain = model(**inputs).logits
        with aim(model, AimConfig.dense()) as recorder:
            assert torch.equal(model(**inputs).logits, plain)
    base, stitched = recorder.record.views
    assert base.grid == (SIDE, SIDE) and base.box == (0, 0, 1, 1)
    assert stitched.box == pytest.approx((0, 0, 1, 1), abs=0.01)  # cells at the edge reach into the padding
    height, width = stitched.grid
    assert (height, width) == (14, 32) and height * (width + 1) + SIDE**2 == recorder.record.planned[0]
    # a bright spot in the picture moves the tokens of its own cells most
    spotted = wide.copy()
    spotted[48:60, 168:186] = 255
    with torch.inference_mode():
        before, after = (
            model.get_image_features(
                **{k: v for k, v in image_inputs(engine, [i]).items() if k in ("pixel_values", "image_sizes")}
            ).pooler_output[0]
            for i in (wide, spotted)
        )
    change = (after - before).norm(dim=-1)[recorder.record.groups[1]].view(height, width)
    row, column = divmod(int(change.argmax()), width)
    assert 48 / 96 <= (row + 0.5) / height <= 60 / 96 and 168 / 224 <= (column + 0.5) / width <= 186 / 224


def test_an_image_with_crops_is_merged_and_pruned(engine, wide):
    model, inputs = engine.adapter.model, image_inputs(engine, [wide])
    with torch.inference_mode(), aim(model, AimConfig(0.25, 2, 9)) as recorder:
        model.generate(**inputs, max_new_tokens=3, do_sample=False)
    record = recorder.record
    patches = [view.grid[0] * view.grid[1] for view in record.views]
    newlines = record.views[1].grid[0]
    assert record.planned[0] == sum(-(-n // 4) for n in patches) + newlines
    assert [len(kept) for kept in record.kept] == list(record.planned)


def test_several_images_are_told_apart(engine, frames, wide):
    model, inputs = engine.adapter.model, image_inputs(engine, [frames[0], wide])
    with torch.inference_mode():
        plain = model.generate(**inputs, max_new_tokens=3, do_sample=False)
        with aim(model, AimConfig.dense()):
            assert torch.equal(model.generate(**inputs, max_new_tokens=3, do_sample=False), plain)
        with aim(model, AimConfig(0.25, 2, 9)) as recorder:
            model.generate(**inputs, max_new_tokens=3, do_sample=False)
    assert [view.medium for view in recorder.record.views] == [0, 1]
    assert recorder.record.planned[0] == 2 * (SIDE**2 // 4 + 1)
