"""What tests of the lab share: a folder with a clip, questions about it, and lines made by hand."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from training.drawing import render
from training.world import frame_times, make_scene

QUESTIONS = ("where is the red circle?", "how many objects are there?", "is there a blue star?")


@pytest.fixture(scope="session")
def folder(tmp_path_factory) -> Path:
    """Two pictures and three questions about each, one without a right answer known."""
    from PIL import Image

    own = tmp_path_factory.mktemp("questions")
    with (own / "asked.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["video", "question", "answer"])
        for seed in (3, 4):
            Image.fromarray(render(make_scene(seed), frame_times(1), 128)[0]).save(own / f"{seed}.png")
            writer.writerows([f"{seed}.png", text, "yes|no" if idx else "left"] for idx, text in enumerate(QUESTIONS))
    return own
