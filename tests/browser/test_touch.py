"""A telephone: whatever can be touched is large enough for a finger, before and after a run."""

from __future__ import annotations

import pytest

from tests.helpers.axe import unfolded
from tests.helpers.browsing import ask, choose_tab, drawn, opened
from tests.helpers.touch import small_targets

pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.browser
PHONE = {"has_touch": True, "is_mobile": True}
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
