"""Several pictures with one question: chosen together, put in another order, asked about, one taken away, a bad one."""

from __future__ import annotations

import pytest

from page.state.samples import SAMPLES
from tests.helpers.browsing import drawn, keep, one_run, opened, said

playwright = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.browser
COUNTING, SHAPES = (str(SAMPLES / name) for name in ("counting.png", "shapes.png"))


def test_pictures_are_chosen_ordered_asked_about_and_taken_away(browser, served, tmp_path):
    expect, broken = playwright.expect, tmp_path / "broken.png"
    broken.write_bytes((SAMPLES / "shapes.png").read_bytes()[:300])
    with opened(browser, served) as page:
        page.get_by_role("tab", name="Image").click()
        with page.expect_file_chooser() as chooser:
            page.locator("#image button:has(input[type=file])").first.click()
        chooser.value.set_files([SHAPES, COUNTING])
        cards, names = page.locator("#pictures li"), page.locator("#pictures li img")
        expect(cards).to_have_count(2)
        cards.nth(1).get_by_role("button", name="forward").click()
        expect(names.first).to_have_attribute("title", "counting.png")
        expect(page.locator("#estimate [data-part=tokensOf]")).to_have_text("of 1,154")
        page.fill("#question textarea", "how many circles are there?")
        with one_run(page):
            page.click("#run")
        expect(page.locator("#asked [data-part=file]")).to_have_text("2 pictures: counting.png, shapes.png")
        assert said(page, "dense-tokens") == "1,154" and said(page, "aim-tokens") == "290"
        drawn(page)
        keep(page, "several_pictures", full_page=True)

        with page.expect_file_chooser() as chooser:
            page.locator("#pictures [data-part=add]").click()
        chooser.value.set_files([str(broken)])
        expect(cards).to_have_count(3)
        expect(page.locator("#asked [data-part=changed]")).to_contain_text("file")
        page.click("#run")
        expect(page.locator("[data-testid=toast-body]").first).to_contain_text("Picture 3 (broken.png)")
        expect(cards).to_have_count(3)  # nothing is lost
        cards.nth(2).get_by_role("button", name="away").click()
        expect(cards).to_have_count(2)
        expect(page.locator("#asked [data-part=changed]")).to_have_text("")
        page.locator("#image").get_by_label(
            "Remove"
        ).first.click()  # of the first, in its upload: the next one moves up
        expect(page.locator("#image img").first).to_be_visible()
        expect(cards).to_have_count(0)
