"""The page in Chinese, and what chooses its language, in a real Chromium; screenshots are kept."""

from __future__ import annotations

import re

import pytest

playwright = pytest.importorskip("playwright.sync_api")
from tests.helpers.browsing import EMPTY, keep, opened  # noqa: E402

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("width", [390, 1280, 2560])
def test_the_page_in_chinese_at_every_width(browser, served, width):
    with opened(browser, served, "/", width, 1000, locale="zh-CN", reduced_motion="reduce") as page:
        assert page.evaluate("document.documentElement.lang") == "zh-CN"
        playwright.expect(page.locator("#run")).to_have_text("运行")
        page.wait_for_selector("#explorer .tx[data-empty=false]")
        keep(page, f"page_zh_{width}", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert "__i18n__" not in page.inner_text("body")
        assert not sentences_in_english(page.inner_text("body"))


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
def test_the_query_and_the_browser_choose_the_language_of_page_and_server(browser, served, query, locale, run, error):
    with opened(browser, served, f"/{query}", locale=locale) as page:
        playwright.expect(page.locator("#run")).to_have_text(run)
        page.click("#run")
        playwright.expect(page.locator("[data-testid=toast-body]").first).to_contain_text(error)
