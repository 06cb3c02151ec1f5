"""The tour from its first step to its last, and the page in Chinese, in a real Chromium; screenshots are kept."""

from __future__ import annotations

import re
from contextlib import ExitStack

import pytest

playwright = pytest.importorskip("playwright.sync_api")
from page.i18n import by_language  # noqa: E402
from tests.helpers.browsing import EMPTY, keep, opened, value_of  # noqa: E402

SIZES = [(390, 844), (1280, 900), (2560, 1300)]
EN, ZH = (by_language("TOUR")[language] for language in ("en", "zh"))
NUM_STEPS = len(EN["steps"])

pytestmark = pytest.mark.browser


@pytest.fixture
def open_tour(browser, served):
    """Open the page; every script error fails the test."""
    with ExitStack() as pages:

        def open_page(query: str = EMPTY, **settings):
            page = pages.enter_context(opened(browser, served, f"/{query}", **settings))
            page.wait_for_selector("#tour [data-part=start]")
            return page

        yield open_page


def part(page, name: str):
    return page.locator(f"#tour [data-part={name}]")


def expect_step(page, index: int, words: dict = EN) -> None:
    playwright.expect(part(page, "title")).to_have_text(words["steps"][index]["title"])
    playwright.expect(part(page, "title")).to_be_focused()
    playwright.expect(part(page, "found")).to_be_empty()


def expect_revealed(page, index: int, words: dict = EN) -> list[str]:
    """Wait for the measurement; the lines that are told."""
    part(page, "choices").locator("button[data-came=true]").wait_for()
    lines = part(page, "found").locator("p").all_inner_texts()
    assert lines[2] in words["steps"][index]["means"]
    assert page.evaluate("document.activeElement.dataset.part") == "next"
    return lines


def settled(page) -> None:
    """Scrolling has come to rest."""
    page.wait_for_function(
        "() => new Promise(done => { const y = scrollY; setTimeout(() => done(y === scrollY), 250); })"
    )


def test_the_tour_by_keyboard_from_start_to_end(open_tour):
    page = open_tour()
    part(page, "start").focus()
    page.keyboard.press("Enter")
    views = []
    for index in range(NUM_STEPS):
        expect_step(page, index)
        page.keyboard.press("Tab")  # to the first choice
        assert page.evaluate("document.activeElement.parentElement.dataset.part") == "choices"
        page.keyboard.press("Enter")
        playwright.expect(part(page, "choices").locator("button").first).to_have_attribute("aria-pressed", "true")
        lines = expect_revealed(page, index)
        came = part(page, "choices").locator("[data-came=true]").inner_text()
        first = EN["steps"][index]["choices"][0]
        assert lines[0] == (EN["right"] if came == first else EN["other"].format(said=first, came=came))
        views.append(page.locator("#explorer .tx-overlays input:checked").get_attribute("value"))
        settled(page)
        keep(page, f"tour_{index + 1}")
        page.keyboard.press("Enter")
    assert views == ["original", "groups", "scores", "alive", "alive"]
    playwright.expect(part(page, "card")).to_be_hidden()
    playwright.expect(part(page, "start")).to_be_focused()
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0  # nothing is remembered


def test_steps_set_the_sliders_and_tell_what_this_run_measured(open_tour):
    page = open_tour()
    part(page, "start").click()
    part(page, "choices").locator("button").nth(2).click()
    lines = expect_revealed(page, 0)
    assert value_of(page, "keep_ratio") == 1 and page.locator("#question textarea").input_value()
    tokens = page.locator("#answers [data-part=dense-tokens]").inner_text()
    assert tokens in lines[1]
    part(page, "next").click()
    part(page, "choices").locator("button").nth(1).click()
    lines = expect_revealed(page, 1)
    assert value_of(page, "keep_ratio") < 1
    assert f"{tokens} tokens became {page.locator('#answers [data-part=aim-tokens]').inner_text()}" in lines[1]
    part(page, "back").click()
    expect_step(page, 0)
    for _ in range(NUM_STEPS - 1):
        part(page, "next").click()
    expect_step(page, NUM_STEPS - 1)
    part(page, "choices").locator("button").nth(1).click()
    lines = expect_revealed(page, NUM_STEPS - 1)
    dense, aim = (page.locator(f"#answers [data-part={side}]").inner_text().strip() for side in ("dense", "aim"))
    assert f"“{dense}”" in lines[1] and f"“{aim}”" in lines[1]
    assert lines[2] == EN["steps"][-1]["means"][int(dense != aim)]
    assert value_of(page, "l1") == 0 and value_of(page, "l2") == 1


def test_a_step_may_be_left_while_it_waits_and_escape_closes_the_tour(open_tour):
    page = open_tour()
    part(page, "start").click()
    page.route("**/queue/join*", lambda route: route.abort())
    part(page, "choices").locator("button").first.click()
    playwright.expect(part(page, "found")).to_contain_text(EN["running"])
    part(page, "next").click()
    expect_step(page, 1)  # a step may be left while it waits
    page.keyboard.press("Escape")
    playwright.expect(part(page, "card")).to_be_hidden()
    playwright.expect(part(page, "start")).to_be_focused()


def test_the_page_and_its_tour_in_chinese_at_every_width_and_in_both_themes(open_tour):
    page = open_tour(width=390, height=844, locale="zh-CN")
    assert page.evaluate("document.documentElement.lang") == "zh-CN"
    playwright.expect(page.locator("#run")).to_have_text("运行")
    part(page, "start").click()
    part(page, "next").click()
    expect_step(page, 1, ZH)
    part(page, "choices").locator("button").first.click()
    expect_revealed(page, 1, ZH)
    for size in SIZES:
        card_fits(page, *size)
    page.keyboard.press("Escape")
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        settled(page)
        keep(page, f"page_zh_{width}", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert "__i18n__" not in page.inner_text("body")
    assert not sentences_in_english(page.inner_text("body"))


def card_fits(page, width: int, height: int) -> None:
    """The card of the tour is in the window, and nothing beside it is wider than the window."""
    page.set_viewport_size({"width": width, "height": height})
    settled(page)
    for theme in ("light", "dark"):
        page.evaluate("dark => document.body.classList.toggle('dark', dark)", theme == "dark")
        keep(page, f"tour_zh_{width}_{theme}")
        card = part(page, "card").bounding_box()
        assert card["x"] >= 0 and card["x"] + card["width"] <= width and card["y"] + card["height"] <= height + 1
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def sentences_in_english(text: str) -> list[str]:
    """Lines of four and more English words that no Chinese reader was to see; questions are in English on purpose."""
    lines = [line.strip() for line in text.splitlines()]
    plain = [line for line in lines if not re.search("[\u4e00-\u9fff]", line) and not line.endswith("?")]
    return [line for line in plain if len(re.findall(r"\b[A-Za-z]{3,}\b", line)) > 3]


@pytest.mark.parametrize(
    ("query", "locale", "run", "error"),
    [
        ("?lang=en" + EMPTY, "zh-CN", "Run", "Type a question"),
        (EMPTY, "zh-HK", "运行", "请先输入一个问题"),
        ("?lang=zh" + EMPTY, "en-US", "运行", "请先输入一个问题"),
    ],
)
def test_the_query_and_the_browser_choose_the_language_of_page_and_server(open_tour, query, locale, run, error):
    page = open_tour(query, locale=locale)
    playwright.expect(page.locator("#run")).to_have_text(run)
    page.click("#run")
    playwright.expect(page.locator("[data-testid=toast-body]").first).to_contain_text(error)
