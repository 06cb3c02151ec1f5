"""Asking on in a real Chromium: a further question to the caches, and the same asked anew."""

from __future__ import annotations

import pytest

playwright = pytest.importorskip("playwright.sync_api")
from tests.helpers.browsing import ask, keep, one_run, opened, said, slide, tokens  # noqa: E402

pytestmark = pytest.mark.browser
FURTHER = "is there a <b>red</b> circle?"


def test_a_further_question_goes_to_the_caches_and_then_to_a_run(browser, served, clip):
    with opened(browser, served, "/#frames=4") as page:
        page.locator("#talk > button").click()
        note, turns = page.locator("#talked [data-part=held]"), page.locator("#talked li")
        playwright.expect(note).to_contain_text("Press Run, then ask on")
        ask(page, clip)
        playwright.expect(note).to_contain_text(f"dense cache holds {tokens(4)} visual tokens in every layer")
        playwright.expect(note).to_contain_text(f"AIM's holds {tokens(4, 0.25)} in layers 0–6")
        playwright.expect(note).to_contain_text("none in layers 9–11")
        before = said(page, "aim")
        page.fill("#further textarea", FURTHER)
        with one_run(page):
            page.locator("#further textarea").press("Enter")
        playwright.expect(turns).to_have_count(1)
        playwright.expect(turns.locator("p")).to_have_text(FURTHER)  # as text
        for answer in turns.locator("dd").all():
            assert "new tokens" in answer.inner_text() and not answer.inner_text().startswith("…")
        assert said(page, "aim") == before
        keep(page.locator("#talk"), "talk")
        slide(page, "keep_ratio", 0.5)
        playwright.expect(note).to_contain_text(f"AIM's holds {tokens(4, 0.5)} in layers 0–6")
        playwright.expect(turns).to_have_count(0)
        with one_run(page):
            page.click("#ask_anew")
        assert page.locator("#question textarea").input_value() == FURTHER
        assert page.locator("#asked").inner_text().count("circle?") == 1
