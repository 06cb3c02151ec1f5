"""A telephone: whatever can be touched is large enough for a finger, before and after a run."""

from __future__ import annotations

import pytest

from tests.helpers.axe import unfolded
from tests.helpers.browsing import ask, choose_tab, drawn, opened
from tests.helpers.touch import small_targets

pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.browser
PHONE = {"has_touch": True, "is_mobile": True}
STORY = "document.querySelector('#tour [data-part=choices] button')"
COMPARED = "document.querySelector('#compare tr[data-name=random] .cp-answer')"
TABS = ("patch", "frames", "words", "firstToken", "numbers", "why")


def test_every_target_is_large_enough_for_a_finger(browser, served, clip):
    with opened(browser, served, width=390, height=844, **PHONE) as page:
        assert page.evaluate("matchMedia('(pointer: coarse)').matches")
        with unfolded(page):
            assert small_targets(page) == []
        ask(page, clip)
        with unfolded(page):
            for tab in TABS:
                choose_tab(page, tab)
                drawn(page)
                assert small_targets(page) == [], tab


def test_so_it_is_on_the_story_and_where_methods_are_compared(browser, served):
    with opened(browser, served, "/explain", 390, 844, STORY, **PHONE) as page:
        assert small_targets(page) == []
        page.locator("#tour [data-part=choices] button").first.click()
        page.wait_for_selector("#explorer .tx[data-empty=false]")
        drawn(page)
        assert small_targets(page) == []
    link = "/compare#question=what+color+is+the+star%3F&methods=aim+random&sample=crossing.mp4"
    with opened(browser, served, link, 390, 844, COMPARED, **PHONE) as page, unfolded(page):
        assert small_targets(page) == []
