"""The page at /lab: its cost first, points and rows as they come, and a sweep that is found again by its address."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

playwright = pytest.importorskip("playwright.sync_api")
from page import lab_plan  # noqa: E402
from page.i18n import by_language  # noqa: E402
from tests.helpers.axe import audited, unfolded  # noqa: E402
from tests.helpers.browsing import keep, opened  # noqa: E402
from tests.helpers.here import app_here, quick  # noqa: E402
from tests.helpers.touch import small_targets  # noqa: E402

pytestmark = pytest.mark.browser
expect = playwright.expect
READY = "document.querySelector('#questions li') && document.querySelector('#methods input')"
SHOWN = "document.querySelector('#lab tbody tr')"
DONE = "#lab .lb-progress[data-ended=done]"
SIZES = [(390, 844), (768, 1024), (1440, 1000), (2560, 1300)]
ASKED = (
    "video,question,answer\ncrossing.mp4,how does the cyan star move?,down\nshapes.png,how many objects are there?,4\n"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("sweeps")


@pytest.fixture(scope="module")
def address(folder):
    """A server whose sweeps lie in a folder of this test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lab_plan, "NEW_TOKENS", 4)
        with app_here(quick(""), sweeps=folder) as own:
            yield own


@pytest.fixture(scope="module")
def swept(browser, address, tmp_path_factory):
    """Two questions from a table to dense and AIM at two budgets, measured."""
    table = tmp_path_factory.mktemp("table") / "asked.csv"
    table.write_text(ASKED)
    with opened(browser, address, "/lab", 1440, 1000, READY) as page:
        assert page.locator("#questions li").count() == 12  # of the samples
        page.set_input_files("#lab_fill input[type=file]", str(table))
        expect(page.locator("#questions li")).to_have_count(2)
        for name, wanted in (("methods", {"AIM"}), ("shares", {"10 %", "50 %"}), ("lab_frames", {"4"})):
            for label in page.locator(f"#{name} label").all():
                box = label.locator("input")
                if box.is_checked() != (label.inner_text().strip() in wanted):
                    label.click()
        expect(page.locator("#run")).to_be_disabled()
        page.click("#cost_of")
        expect(page.locator("#lab [data-part=cells]")).to_have_text("6")
        keep(page, "lab_cost")
        page.click("#run")
        page.wait_for_selector(DONE)
        yield page


def test_settings_come_as_points_and_rows_that_say_the_same(swept):
    expect(swept.locator("#lab tbody tr")).to_have_count(3)
    points = swept.locator("#lab .lb-chart a")
    assert points.count() == 3 and swept.locator("#lab .lb-chart .front").count() == 1
    points.filter(has=swept.locator("[data-kind=aim]")).first.hover()
    detail = swept.locator("#lab [data-part=detailSaid]")
    expect(detail).to_contain_text("AIM, ")
    expect(detail).to_contain_text("right")
    opens = swept.locator("#lab [data-part=open]").get_attribute("href")
    assert "#question=" in opens and "keep_ratio=" in opens and "sample=crossing.mp4" in opens
    swept.locator("#lab tbody a").first.focus()
    assert swept.locator("#lab .lb-chart a[data-on=true]").get_attribute("data-name") == swept.locator(
        "#lab tbody tr"
    ).first.get_attribute("data-name")
    keep(swept, "lab", full_page=True)


def test_axes_change_and_the_papers_points_stand_only_where_they_can(swept):
    paper, x = swept.locator("#lab circle.paper"), swept.locator("#lab text.axis").last
    for name, told in (("ms", "Prefill, ms"), ("kv", "KV cache, MiB"), ("share", "FLOPs, of dense")):
        swept.locator(f"#lab input[name=lb-x][value={name}]").check()
        expect(x).to_have_text(told)
    swept.locator("#lab [data-part=published]").check()
    expect(paper).to_have_count(19)
    expect(swept.locator("#lab input[value=ofDense]")).to_be_checked()
    keep(swept, "lab_published", full_page=True)
    swept.locator("#lab input[value=kl]").check()
    expect(paper).to_have_count(0)
    expect(swept.locator("#lab [data-part=published]")).not_to_be_checked()
    swept.locator("#lab input[value=right]").check()


def test_it_is_taken_away(swept):
    swept.locator("#exports button").first.click()
    with swept.expect_download() as download:
        swept.get_by_role("button", name="Lines (CSV)").click()
    with open(download.value.path(), newline="") as file:
        assert len(list(csv.DictReader(file))) == 6
    expect(swept.locator("#export_code")).to_contain_text("aim_lab sweep questions.csv")


def test_every_width_and_both_themes_have_no_violation(swept):
    swept.mouse.move(0, 0)
    assert not audited(swept)
    for width, height in SIZES:
        swept.set_viewport_size({"width": width, "height": height})
        keep(swept, f"lab_{width}", full_page=True)
        assert swept.evaluate("document.documentElement.scrollWidth") <= width


def test_its_address_finds_it_and_what_a_killed_server_lacks_is_measured(browser, address, swept, folder):
    (path,) = folder.glob("*/lines.jsonl")
    whole = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(whole[:4]) + whole[4][:30])  # as a server leaves it that is killed
    link = "/lab#" + swept.url.partition("#")[2] + "&going=1"
    with opened(browser, address, link, 390, 844, SHOWN, has_touch=True, is_mobile=True) as page:
        page.wait_for_selector(DONE)
        assert path.read_bytes().splitlines(keepends=True)[:4] == whole[:4] and path.read_bytes().count(b"\n") == 6
        assert page.locator("#questions li").count() == 2 and "going" not in page.url
        point = page.locator("#lab .lb-chart a").first
        point.tap()  # reads, and opens nothing
        expect(page.locator("#lab .lb-detail a")).to_be_visible()
        with unfolded(page):
            assert small_targets(page) == []


def test_what_is_missing_is_said_in_chinese(browser, address):
    with opened(browser, address, "/lab?lang=zh", 390, 844, READY, locale="zh-CN") as page:
        expect(page.locator("#nav [aria-current=page]")).to_have_text(by_language("NAV")["zh"]["pages"]["lab"])
        page.locator("#questions input").first.fill("")
        page.click("#cost_of")
        expect(page.locator("[data-testid=toast-body]").first).to_contain_text("第 1 行（busy.mp4）没有问题")
