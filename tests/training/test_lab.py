"""The lab on the embedded model: questions to choose by and to report on, and a page that says what the numbers say."""

from __future__ import annotations

import pickle
import re

import pytest

from training.lab import items
from training.lab.experiment import ASSETS
from training.lab.page import EXPERIMENTS, PAGE, block
from training.lab.solver import section

INTERVAL = {"value": 0.8, "low": 0.7, "high": 0.9}


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(items, "PER_TYPE", 4)
    items._clips.cache_clear()
    yield
    items._clips.cache_clear()


def test_questions_to_choose_by_are_of_other_videos_and_more_of_them_begin_with_the_same(few):
    calibration, others = items.documents("calibration", 3), items.documents("held_out", 3)
    assert len(calibration) == len(others) == 3 * items.PER_VIDEO
    assert not {own.clip.content() for own in calibration} & {own.clip.content() for own in others}
    assert items.documents("calibration", 4)[: len(calibration)] == calibration
    assert all(own.wanted and own.clip.frames(2).shape[0] == 2 for own in calibration)
    assert pickle.loads(pickle.dumps(calibration[0])) == calibration[0]  # as another process is given it


def report(value: float, low: float, high: float, **others) -> dict:
    row = {"name": "dense, 8 frames", "n": 120, "num_videos": 40, "accuracy": INTERVAL, "agreement": INTERVAL}
    row |= {"kl": 0.1, "flops": 1e9, "kv": 2.0}
    names = [row, row | {"name": "aim, l1=6"}, row | {"name": "aim, l1=7"}]
    stands = {"num_settings": 8, "num_questions": 48, "rank": 0.5, "low": 0.2, "high": 0.7, "lost": 0.01}
    own = {
        "keep_ratio": 0.25,
        "gflops": 1.2,
        "share": 0.09,
        "weights": "0123456789abcdef",
        "why": "Because.",
        "choice": {"name": "aim, l1=7"},
        "default": {"name": "aim, l1=6"},
        "check": {"rows": names, "beside_default": {"value": value, "low": low, "high": high}},
        "fidelity": [stands | {"stand_in": "agreement"}, stands | {"stand_in": "kl", "rank": None}],
    }
    return {"budgets": {"0.25": own | others}}


@pytest.mark.parametrize(
    ("gap", "told"),
    [
        ((0.05, 0.01, 0.09), "the choice beats the released schedule: +5.0 points (+1.0 to +9.0"),
        ((-0.05, -0.09, -0.01), "the released schedule is better than the choice: -5.0 points"),
        ((0.01, -0.03, 0.05), "not surely better than the released schedule, nor worse: +1.0 points"),
    ],
)
def test_the_page_says_how_sure_the_choice_is(gap, told):
    page = section(report(*gap))
    assert told in page and "| aim, l1=7 | 120 | 80.0 (70.0–90.0) |" in page
    assert "+0.50 (+0.20 to +0.70)" in page and "(no order)" in page


def test_the_page_says_which_budget_is_not_measured():
    assert "Not measured to its end yet: keep ratio 0.0625." in section(report(0, 0, 0))


def test_the_page_says_when_there_is_nothing_to_choose():
    assert "is the released schedule itself" in section(report(0, 0, 0, choice={"name": "aim, l1=6"}))


def test_the_page_is_made_of_the_results_that_lie_there():
    page = PAGE.read_text(encoding="utf-8")
    assert block() in page
    assert {path.stem for path in ASSETS.glob("*.json")} <= {*EXPERIMENTS}
    assert {path.name for path in ASSETS.glob("*.png")} == {*re.findall(r"\(\.\./assets/lab/([^)]*)\)", page)}
