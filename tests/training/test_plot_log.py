"""The training curve: a log as a picture, also one that a stop has written twice."""

import json

import pytest
from PIL import Image

from training.plot_log import draw, read_log


def line(stage: str, step: int, minutes: float, right: float = 0.5, loss: str = "answer") -> dict:
    return {"stage": stage, "step": step, "minutes": minutes, "right": right, "losses": {loss: 1 / step, "other": 0.1}}


LINES = [line("look", 50, 1, 0.0, "patch"), line("clips", 50, 2, 0.2), line("clips", 100, 4, 0.7)]


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in LINES))
    return path


def test_steps_done_twice_count_once(log):
    again = line("clips", 100, 5, 0.6)
    with open(log, "a") as file:
        file.write(json.dumps(again) + "\n")
    assert read_log(log) == [*LINES[:2], again]


def test_the_curve_shows_answers_only_where_some_were_asked_for():
    right, loss = draw(LINES).axes
    assert [list(curve.get_ydata()) for curve in right.lines] == [[20, 70]]
    assert [list(curve.get_xdata()) for curve in loss.lines] == [[1], [2, 4]]
    assert [text.get_text().strip() for text in right.texts] == ["look", "clips"]


def test_pictures_are_written(log, tmp_path):
    draw(read_log(log)).savefig(tmp_path / "curve.png", dpi=50)
    assert Image.open(tmp_path / "curve.png").size == (400, 225)
    draw(LINES).savefig(tmp_path / "curve.svg")


def test_a_missing_or_empty_log_is_told_in_a_sentence(tmp_path):
    with pytest.raises(ValueError, match="Train first"):
        read_log(tmp_path / "log.jsonl")
    (tmp_path / "log.jsonl").write_text("")
    with pytest.raises(ValueError, match="first line"):
        read_log(tmp_path / "log.jsonl")
