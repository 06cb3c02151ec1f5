"""The story at /explain from its first step to its last, in a real Chromium; screenshots are kept."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

playwright = pytest.importorskip("playwright.sync_api")
from page.i18n import by_language  # noqa: E402
from tests.helpers.axe import audited  # noqa: E402
from tests.helpers.browsing import BEGUN, keep, opened, said, value_of  # noqa: E402

SIZES = [(390, 844), (768, 1024), (1440, 1000), (2560, 1300)]
EN, ZH = (by_language("TOUR")[language] for language in ("en", "zh"))
NUM_STEPS = len(EN["steps"])
READY = "document.querySelector('#tour [data-part=choices] button')"
expect = playwright.expect

pytestmark = pytest.mark.browser


@pytest.fixture
def explain(browser, served):
    """Open the page at a step; every script error fails the test."""
    with ExitStack() as pages:

        def open_page(address: str = "", **settings):
            return pages.enter_context(opened(browser, served, f"/explain{address}", ready=READY, **settings))

        yield open_page


def part(page, name: str):
    return page.locator(f"#tour [data-part={name}]")


def expect_step(page, index: int, words: dict = EN) -> None:
    expect(part(page, "title")).to_have_text(words["steps"][index]["title"])
    expect(part(page, "found")).to_be_empty()


def predict(page, index: int, choice: int = 0, words: dict = EN) -> list[str]:
    """Choose, wait for the measurement; the lines that are told."""
    part(page, "choices").locator("button").nth(choice).click()
    return revealed(page, index, words)


def revealed(page, index: int, words: dict = EN) -> list[str]:
    part(page, "choices").locator("button[data-came=true]").wait_for()
    lines = part(page, "found").locator("p").all_inner_texts()
    assert lines[2] in words["steps"][index]["means"]
    return lines


def overlay(page) -> str:
    return page.locator("#explorer .tx-overlays input:checked").get_attribute("value")


def test_all_steps_by_keyboard_and_the_way_to_ones_own_video(explain):
    page = explain(reduced_motion="reduce")
    expect(page.locator("#clip video")).to_be_visible()  # what is asked about, until its frames are there
    views = []
    for index in range(NUM_STEPS):
        expect_step(page, index)
        part(page, "choices").locator("button").first.focus()
        page.keyboard.press("Enter")
        lines = revealed(page, index)
        came = part(page, "choices").locator("[data-came=true]").inner_text()
        first = EN["steps"][index]["choices"][0]
        assert lines[0] == (EN["right"] if came == first else EN["other"].format(said=first, came=came))
        page.wait_for_selector("#explorer .tx[data-empty=false]")
        assert page.locator("#clip").is_hidden()
        views.append(overlay(page))
        keep(page, f"explain_{index + 1}")
        assert page.evaluate("document.activeElement.dataset.part") == ("finish" if index == NUM_STEPS - 1 else "next")
        page.keyboard.press("Enter")
    assert views == ["original", "groups", "scores", "alive", "alive"]
    page.wait_for_function(BEGUN)  # the page that explores, with nothing of the story in its settings
    assert value_of(page, "keep_ratio") == 0.25
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0  # nothing is remembered


def test_steps_tell_what_this_run_measured(explain):
    page = explain()
    lines = predict(page, 0, 2)
    tokens = said(page, "dense-tokens")
    assert tokens in lines[1]
    part(page, "next").click()
    lines = predict(page, 1, 1)
    assert f"{tokens} tokens became {said(page, 'aim-tokens')}" in lines[1]
    part(page, "back").click()
    expect_step(page, 0)
    page.locator("#tour .tr-dots a").last.click()
    expect_step(page, NUM_STEPS - 1)
    lines = predict(page, NUM_STEPS - 1, 1)
    dense, aim = said(page, "dense"), said(page, "aim")
    assert f"“{dense}”" in lines[1] and f"“{aim}”" in lines[1]
    assert lines[2] == EN["steps"][-1]["means"][int(dense != aim)]


def test_a_step_has_an_address_and_its_run_can_be_taken_up_where_all_settings_move(explain):
    page = explain("#step=4")
    expect_step(page, 3)
    predict(page, 3)
    tokens = said(page, "aim-tokens")
    part(page, "open").click()
    page.wait_for_function(BEGUN)
    page.wait_for_selector("#explorer .tx[data-empty=false]")  # it runs by itself
    assert said(page, "aim-tokens") == tokens and overlay(page) == "alive"
    assert page.locator("#explorer [data-part=layer]").input_value() == "7"


@pytest.mark.parametrize("address", ["#step=0", "#step=99", "#step=x", "#step=-1", "#nothing"])
def test_an_address_that_names_no_step_shows_the_nearest(explain, address):
    expect_step(explain(address), NUM_STEPS - 1 if "99" in address else 0)


def test_a_step_may_be_left_while_it_waits(explain):
    page = explain()
    held = []
    page.route("**/queue/join*", lambda route: held.append(route) if not held else route.continue_())
    part(page, "choices").locator("button").first.click()
    expect(part(page, "found")).to_contain_text(EN["running"])
    part(page, "next").click()
    expect_step(page, 1)
    part(page, "choices").locator("button").first.click()
    revealed(page, 1)
    told = part(page, "found").inner_text()
    with page.expect_response("**/queue/join*"):
        held[0].continue_()
    page.wait_for_selector("#answers [data-part=aim-tokens]:has-text('1,153')")  # what comes back late is of step 1
    expect_told = part(page, "title"), part(page, "found")
    expect(expect_told[0]).to_have_text(EN["steps"][1]["title"])
    assert expect_told[1].inner_text() == told


def test_every_width_in_chinese_has_no_violation(explain):
    page = explain("?lang=zh#step=2", locale="zh-CN")
    expect(page.locator("#nav [aria-current=page]")).to_have_text(by_language("NAV")["zh"]["pages"]["explain"])
    assert not audited(page)
    predict(page, 1, 0, ZH)
    page.wait_for_selector("#explorer .tx[data-empty=false]")
    assert not audited(page)
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        keep(page, f"explain_zh_{width}", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        card = part(page, "card").bounding_box()
        assert card["x"] >= 0 and card["x"] + card["width"] <= width
    page.locator("#nav ul a").first.click()
    page.wait_for_function(BEGUN)
    expect(page.locator("#run")).to_have_text("运行")  # the language goes along
