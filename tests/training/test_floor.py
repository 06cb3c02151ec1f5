"""The shipped model answers a small fixed sample about as well as its evaluation says, which is well."""

import json
from pathlib import Path

import numpy as np
import pytest

from aim_core.config import AimConfig
from aim_core.engine import Engine
from aim_core.media.decode import load_frames
from training.answering import NAMES, answer_all
from training.build import IMAGE_SIZE
from training.drawing import render
from training.eval_sets import NUM_FRAMES, held_out_set
from training.world import frame_times

ASSETS = Path(__file__).parents[2] / "assets"
PER_TYPE = 3
LEAST = 0.9  # what the shipped model must have been measured at
ERRORS = 3  # standard errors of the sample below what was measured
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def shipped():
    return Engine.from_pretrained(ASSETS / "model", device="cpu")


def test_accuracy_is_near_the_measured_one_and_far_above_chance(shipped):
    measured, items = json.loads((ASSETS / "evaluation.json").read_text())["mean"], held_out_set(PER_TYPE)
    found = answer_all(shipped, items, NUM_FRAMES)
    for name in NAMES:
        share = measured[name]["accuracy"]
        floor = share - ERRORS * np.sqrt(share * (1 - share) / len(items))
        assert share > LEAST and floor > measured["chance"] + 0.2
        assert found[name].right.mean() > floor, name


def test_most_questions_about_the_sample_files_are_answered_right(shipped):
    """The way of a user's video: read from a file, four times as large, compressed."""
    asked = json.loads((ASSETS / "samples" / "samples.json").read_text())
    clips = {name: load_frames(ASSETS / "samples" / name, NUM_FRAMES).frames for name in {row["file"] for row in asked}}
    right = [
        shipped.run(clips[row["file"]], row["question"], config=AimConfig.dense(), max_new_tokens=4).answer
        == row["answer"]
        for row in asked
    ]
    assert sum(right) >= 0.75 * len(asked)


def test_an_answer_is_one_word(shipped):
    """So its first word tells whether it is right."""
    for item in held_out_set(1)[::4]:
        frames = render(item.scene, frame_times(NUM_FRAMES), IMAGE_SIZE)
        for config in (AimConfig.dense(), AimConfig.for_depth(shipped.num_layers)):
            result = shipped.run(frames, item.question.text, config=config, max_new_tokens=4)
            assert len(result.answer_ids) == 2 and " " not in result.answer
