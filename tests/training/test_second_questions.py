"""Second questions: which pairs are asked, and that all ways of asking are told."""

from __future__ import annotations

from training.eval_sets import Item
from training.questions import Question
from training.second_questions import measure, pairs
from training.world import make_scene

ITEMS = [
    Item(video, make_scene(video), Question("color", f"question {n}", "red", ())) for video in (1, 2) for n in (1, 2)
]


def test_pairs_are_of_one_video(engine):
    assert [(first.video, first.question.text, second.question.text) for first, second in pairs(ITEMS)] == [
        (1, "question 1", "question 2"),
        (2, "question 1", "question 2"),
    ]
    right = measure(engine, [*pairs(ITEMS)][:1])
    assert {name: len(own) for name, own in right.items()} == {
        f"{name}, asked {how}": 1 for name in ("dense", "AIM") for how in ("alone", "on")
    }
