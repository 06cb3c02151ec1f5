"""Links: settings go into a query and come back; a bad query gives the usual values and says so."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest

from aim_core.config import AimConfig
from page.permalink import PermalinkSettings, permalink_query, read_permalink

DEFAULT = AimConfig.for_depth(12)


def back(**query: str) -> PermalinkSettings:
    return read_permalink(query, 12, DEFAULT)


@pytest.mark.parametrize("question", ["how does it move?", 'a&b=c #1 %41 é 你好 "quoted" <script>', "1 + 1"])
@pytest.mark.parametrize("samples", [("busy.mp4",), ("shapes.png", "counting.png"), ()])
def test_settings_survive_a_link(question, samples):
    query = permalink_query(question, AimConfig(0.37, 3, 11), 5, samples)
    assert "<" not in query and " " not in query
    assert read_permalink(dict(parse_qsl(query)), 12, DEFAULT) == PermalinkSettings(question, 0.37, 3, 11, 5, samples)


def test_without_a_query_nothing_is_set():
    assert back() == PermalinkSettings() and set(PermalinkSettings().settings) == {None}


def test_an_empty_question_is_left_out():
    assert permalink_query("", AimConfig(0.25, 6, 9), 8, ()) == "keep_ratio=0.25&l1=6&l2=9&frames=8"


def test_what_the_page_does_not_know_is_no_business_of_ours():
    assert back(utm_source="x", __theme="dark") == PermalinkSettings()


@pytest.mark.parametrize(
    ("query", "bad"),
    [
        ({"keep_ratio": "0"}, ("keep_ratio",)),
        ({"keep_ratio": "nan"}, ("keep_ratio",)),
        ({"keep_ratio": "7"}, ("keep_ratio",)),
        ({"frames": "33"}, ("frames",)),
        ({"frames": "2.5"}, ("frames",)),
        ({"frames": "9" * 5000}, ("frames",)),
        ({"l1": "9", "l2": "6"}, ("l1", "l2")),
        ({"l1": "x"}, ("l1",)),
        ({"l1": "inf"}, ("l1",)),
        ({"question": "why " * 999}, ("question",)),
        ({"question": ""}, ("question",)),
        ({"sample": "../model/config.json"}, ("sample",)),
        ({"sample": "/etc/passwd"}, ("sample",)),
        ({"sample": "shapes.png crossing.mp4"}, ("sample",)),
        ({"sample": "shapes.png " * 9}, ("sample",)),
    ],
)
def test_what_cannot_be_is_named_and_left_as_usual(query, bad):
    assert back(**query) == PermalinkSettings(bad=bad)


def test_good_settings_stay_beside_a_bad_one():
    found = back(keep_ratio="0.5", frames="many", question="why?")
    assert (found.keep_ratio, found.question, found.frames, found.bad) == (0.5, "why?", None, ("frames",))


def test_settings_of_a_deeper_model_are_pulled_into_reach():
    found = back(l1="14", l2="22", keep_ratio="0.001")
    assert (found.l1, found.l2, found.keep_ratio, found.bad) == (12, 13, 0.02, ())


def test_one_layer_alone_goes_with_the_usual_other():
    assert back(l2="12").settings[2:4] == (DEFAULT.l1, 12)
