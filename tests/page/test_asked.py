"""The strip above the answers: which inputs have changed, and what a saved run says of itself; without the app."""

from __future__ import annotations

import pytest

from aim_core.config import AimConfig
from page.components.asked.component import Asked, asked_record
from page.i18n import ENGLISH
from tests.helpers.modules import evaluate, module_page, panel_page

pytestmark = pytest.mark.browser
ASKED = Asked(("/cache/a.mp4",), "why?", 8, 8, AimConfig(0.25, 6, 9), 1e9)
SLIDERS = (0.25, 6, 9, 8)
SAME = {"video": "/cache/a.mp4", "image": None, "question": "why?", "sliders": list(SLIDERS)}


@pytest.fixture(scope="module")
def page(browser):
    page = module_page(browser)
    yield page
    page.close()


@pytest.mark.parametrize(
    ("now", "changed"),
    [
        ({}, []),
        ({"question": "who?"}, ["question"]),
        ({"video": "/cache/b.mp4"}, ["file"]),
        ({"video": None}, ["file"]),
        ({"image": "/cache/c.png"}, []),  # on the other tab
        ({"image": "/cache/c.png", "tab": "image"}, ["file"]),
        ({"tab": "image"}, []),  # nothing is there, so that the video counts
        ({"sliders": [0.5, 6, 9, 8]}, ["settings"]),
        ({"sliders": [0.25, 6, 10, 4], "question": ""}, ["question", "settings", "frames"]),
    ],
)
def test_what_differs_is_named(page, now, changed):
    inputs = asked_record(ASKED, "tiny", SLIDERS)["inputs"]
    assert evaluate(page, ("components/asked/asked.js",), "changedInputs(...argument)", [inputs, SAME | now]) == changed


def test_before_anything_was_heard_nothing_has_changed(page):
    inputs = asked_record(ASKED, "tiny", SLIDERS)["inputs"]
    assert evaluate(page, ("components/asked/asked.js",), "changedInputs(argument, {})", inputs) == []


@pytest.mark.parametrize(
    ("now", "changed"),
    [
        ({}, []),
        ({"more": ["/cache/b.png", "/cache/c.png"]}, ["file"]),
        ({"more": []}, ["file"]),
        ({"image": "/cache/b.png", "more": ["/cache/a.png"]}, ["file"]),  # in another order
    ],
)
def test_every_picture_of_several_counts(page, now, changed):
    asked = Asked(("/cache/a.png", "/cache/b.png"), "why?", 8, 2, AimConfig(0.25, 6, 9), 1e9)
    inputs = asked_record(asked, "tiny", SLIDERS)["inputs"]
    same = SAME | {"video": None, "image": "/cache/a.png", "more": ["/cache/b.png"], "tab": "image"}
    assert evaluate(page, ("components/asked/asked.js",), "changedInputs(...argument)", [inputs, same | now]) == changed


def test_a_saved_run_says_what_does_not_apply_to_it_and_gives_no_place_of_its_file(browser):
    record = asked_record(ASKED, "tiny", SLIDERS, is_saved=True)
    assert "/cache" not in str(record)
    page = panel_page(browser, "asked", {"value": record, "texts": {"en": ENGLISH["ASKED"]}})
    assert "sliders, marks and times do not apply to it" in page.locator("[data-part=note]").inner_text()
    assert page.locator("[data-part=how]").inner_text() == "tiny · keep ratio 25 %, l1 6, l2 9 · 8 frames"
    page.close()
