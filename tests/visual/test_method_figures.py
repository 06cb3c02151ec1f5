"""Figures of several methods at one cost, of real runs of the embedded model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest

from aim_core.engine import Engine
from aim_core.method_comparison import compare_methods
from visual.method_figures import method_figures, methods_frames

ROOT = Path(__file__).parents[2]
LAYER = 7


@pytest.fixture(scope="module")
def runs():
    engine, media = Engine.from_pretrained(ROOT / "assets" / "model"), ROOT / "assets" / "samples" / "crossing.mp4"
    methods = ["aim", "random", "pyramid_drop"]  # the last cannot cost so little
    asked = {"methods": methods, "budget": 0.1, "num_frames": 3, "num_timed": 0, "max_new_tokens": 1}
    return compare_methods(engine, media, "how does the cyan star move?", **asked)


def test_each_line_is_what_entered_each_layer(runs):
    figure = method_figures(runs, LAYER)["methods_per_layer"]()
    (axes,) = figure.axes
    lines = {patch.get_label(): patch.get_data().values.tolist() for patch in axes.patches}
    assert list(lines) == ["dense", "AIM", "random patches"]
    assert [*lines.values()] == [list(run.visual_per_layer) for run in runs if not run.refused]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [*lines]


def test_each_row_has_the_frames_with_what_is_left(runs, tmp_path):
    figure = method_figures(runs, LAYER)["methods_frames"]()
    texts = [text.get_text() for text in figure.texts]
    ran = [run for run in runs if not run.refused]
    assert all(run.title in texts and f"{run.visual_per_layer[LAYER]:,}" in texts for run in ran if run.name != "dense")
    assert len(figure.axes) == 3 * len(ran) and not any("Pyramid" in text for text in texts)
    shown = np.stack([np.asarray(axes.images[0].get_array()) for axes in figure.axes]).reshape(len(ran), 3, -1)
    dense, aim, random = shown.astype(int)
    assert (aim != dense).any() and (random != dense).mean() > 0.7  # most of its patches are faded
    figure.savefig(tmp_path / "frames.png")
    assert matplotlib.image.imread(tmp_path / "frames.png").std() > 0.05


def test_a_layer_that_is_not_there_is_named(runs):
    with pytest.raises(ValueError, match="layer"):
        methods_frames([replace(run) for run in runs if run.trace], 12)
