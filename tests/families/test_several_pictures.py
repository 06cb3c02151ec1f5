"""Several pictures in one question, each of its own size, and one with its crops: in the engine, on every family."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from aim_core.adapters.registry import adapter_for
from aim_core.config import AimConfig
from aim_core.engine import Engine
from aim_core.media.errors import MediaError
from aim_core.trace import Trace
from tests.families.calls import made, rows_of
from tests.families.family import QUESTION, pictures
from tests.families.table import FAMILIES
from visual.heatmaps import drawn_frames
from visual.view_pictures import view_pictures

SIZES = [(64, 96), (80, 56), (112, 112)]
SEVERAL = [name for name in FAMILIES if name != "llava_next_video"]


def several() -> tuple[np.ndarray, ...]:
    return tuple(pictures(1, size, seed)[0] for seed, size in enumerate(SIZES))


@pytest.mark.parametrize("name", SEVERAL)
def test_pictures_are_answered_about_as_the_stock_model_does(family_model, name, tmp_path):
    engine = Engine(adapter_for(*family_model(name)))
    shown, config = several(), engine.adapter.default_config()
    dense = engine.run(shown, QUESTION, config=AimConfig.dense(), max_new_tokens=4)
    inputs = engine.adapter.inputs(shown, np.zeros(3, np.float32), QUESTION)
    stock = engine.adapter.model.generate(**inputs, max_new_tokens=4, do_sample=False)
    assert list(dense.answer_ids) == stock[0, inputs["input_ids"].shape[1] :].tolist()[: len(dense.answer_ids)]

    trace = (aim := engine.run(shown, QUESTION, config=config, max_new_tokens=1)).trace
    assert {view.medium for view in trace.views} == {0, 1, 2} and all(view.box for view in trace.views)
    assert all(np.array_equal(trace.frame(index), shown[index]) for index in range(3))
    assert 0 < aim.cost.vision_flops <= dense.cost.vision_flops
    groups = [set(rows[rows >= 0].tolist()) for rows in trace.rows()]
    assert len(set().union(*groups)) == sum(map(len, groups)) == trace.num_merged < trace.num_patches  # none across

    seen = engine.pictures(engine.frames(shown))
    for own, picture in zip(seen, view_pictures(trace), strict=True):
        resized = cv2.resize(picture, own.shape[1::-1], interpolation=cv2.INTER_AREA)
        inside = resized.any(axis=2)  # bars have a colour of their own
        assert np.corrcoef(own[inside].ravel(), resized[inside].ravel())[0, 1] > 0.9

    trace.save(tmp_path / "run.npz")
    assert np.array_equal(Trace.load(tmp_path / "run.npz").frame(1), shown[1])
    drawn = drawn_frames(trace, lambda picture, _: picture)  # in their own proportions, on one sheet
    assert len({own.shape for own in drawn}) == 1 and len(drawn) >= 3


@pytest.mark.parametrize("name", SEVERAL)
def test_what_several_pictures_will_put_into_a_prompt_is_known(family_model, name):
    adapter = adapter_for(*family_model(name))
    (call,), expected = made(adapter, several()), adapter.expected_calls([(1, *size) for size in SIZES])
    counts = [
        [(rows, [(view.grid, own) for view, own in views]) for rows, views in rows_of(adapter.media(one))]
        for one in (call, *expected)
    ]
    assert counts[0] == [medium for one in counts[1:] for medium in one]
    assert adapter.vision_flops(call) == sum(map(adapter.vision_flops, expected)) > 0


def test_a_family_of_single_pictures_says_so(family_model):
    engine = Engine(adapter_for(*family_model("llava_next_video")))
    with pytest.raises(ValueError, match="about one picture, and got 3: give it one"):
        engine.run(several(), QUESTION, config=AimConfig.dense())


def test_onevisions_picture_is_shown_whole_and_in_crops(family_model):
    """As released; a model without canvases beyond one crop gets a video of one frame, as the embedded one does."""
    engine = Engine(adapter_for(*family_model("llava_onevision")))
    aim = engine.run(pictures(1, (64, 96)), QUESTION, config=AimConfig(0.5, 2, 4), max_new_tokens=1)
    assert [view.grid for view in aim.trace.views] == [(5, 5), (10, 15)]
    whole, crops = engine.pictures(engine.frames(pictures(1, (64, 96))))
    assert whole.shape == (40, 40, 3) and crops.shape == (80, 120, 3)
    stock = engine.adapter.model.config.image_grid_pinpoints
    try:
        engine.adapter.model.config.image_grid_pinpoints = [[40, 40]]
        assert engine.adapter.kind(range(1)) == "video"
    finally:
        engine.adapter.model.config.image_grid_pinpoints = stock


def test_a_bad_picture_is_named(family_model, tmp_path, blocks):
    engine = Engine(adapter_for(*family_model("llava")))
    Image.new("RGB", (40, 30)).save(tmp_path / "good.png")
    (tmp_path / "bad.png").write_bytes((tmp_path / "good.png").read_bytes()[:60])
    files = [tmp_path / "good.png", tmp_path / "bad.png"]
    with pytest.raises(MediaError, match=r"^Picture 2 \(bad\.png\): "):
        engine.run(files, QUESTION, config=AimConfig.dense())
    with pytest.raises(MediaError, match=r"^Picture 2 \(blocks\.mp4\) is a video: ask about it alone\.$"):
        engine.run([files[0], blocks["video"]], QUESTION, config=AimConfig.dense())
    with torch.inference_mode(), pytest.raises(ValueError, match="at least one picture"):
        engine.run([], QUESTION, config=AimConfig.dense())
