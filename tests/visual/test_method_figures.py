"""Figures of several methods at one cost, of real runs of the embedded model."""

from __future__ import annotations

from pathlib import Path

import matplotlib.image
import numpy as np
import pytest

from aim_core.engine import Engine
from aim_core.method_comparison import compare_methods
from visual.method_figures import DrawnRun, method_figures, methods_frames

ROOT = Path(__file__).parents[2]
LAYER = 7


@pytest.fixture(scope="module")
def runs():
    engine, media = Engine.from_pretrained(ROOT / "assets" / "model"), ROOT / "assets" / "samples" / "crossing.mp4"
    asked = {"methods": ["aim", "random"], "budget": 0.1, "num_frames": 3, "num_timed": 0, "max_new_tokens": 1}
    found = compare_methods(engine, media, "how does the cyan star move?", **asked)
    return [DrawnRun(run.name, run.title, run.trace) for run in found if run.trace]


def test_each_line_is_what_entered_each_layer(runs):
    figure = method_figures(runs, LAYER)["methods_per_layer"]()
    (axes,) = figure.axes
    lines = {patch.get_label(): patch.get_data().values.tolist() for patch in axes.patches}
    assert list(lines) == ["dense", "AIM", "random patches"]
    assert [*lines.values()] == [run.trace.retained.tolist() for run in runs]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [*lines]


def test_each_row_has_the_frames_with_what_is_left(runs, tmp_path):
    figure = method_figures(runs, LAYER)["methods_frames"]()
    texts = [text.get_text() for text in figure.texts]
    assert all(run.title in texts and f"{run.trace.retained[LAYER]:,}" in texts for run in runs)
    assert len(figure.axes) == 3 * len(runs)
    shown = np.stack([np.asarray(axes.images[0].get_array()) for axes in figure.axes]).reshape(len(runs), 3, -1)
    dense, aim, random = shown.astype(int)
    assert (aim != dense).any() and (random != dense).mean() > 0.7  # most of its patches are faded
    figure.savefig(tmp_path / "frames.png")
    assert matplotlib.image.imread(tmp_path / "frames.png").std() > 0.05


def test_a_layer_that_is_not_there_is_named(runs):
    with pytest.raises(ValueError, match="layer"):
        methods_frames(runs, 12)
