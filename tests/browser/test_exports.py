"""Taking a run away and bringing it back, in a real Chromium: files, link and saved run; screenshots are kept."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from page.exports.saved_run.file import load_run
from tests.helpers.browsing import choose_tab, drawn, keep, look, opened, run, said, value_of

playwright = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.browser
SETTINGS = {
    "question": "does the purple ring <b>vanish</b>?",
    "keep_ratio": 0.5,
    "l1": 3,
    "l2": 8,
    "frames": 4,
    "sample": "busy.mp4",
}


LOOK = {"overlay": "groups", "layer": "4", "frame": "1", "tab": "frames"}  # what the explorer shows after a run
LINK = f"/#{urlencode(SETTINGS)}"


@pytest.fixture(scope="module")
def linked(browser, served):
    """The page as a link with all settings opens it, for tests that leave the settings."""
    with opened(browser, served, LINK) as page:
        page.wait_for_selector("#video video")
        yield page


@pytest.fixture(scope="module")
def page(browser, served):
    """Such a page after a run, shared by tests that do not change what was asked."""
    with opened(browser, served, LINK) as page:
        page.wait_for_selector("#video video")
        run(page)
        yield page


def open_exports(page) -> None:
    if not page.locator("#export_csv").is_visible():
        page.locator("#exports button").first.click()
    page.wait_for_selector("#export_csv")


def taken(page, kind: str, folder: Path) -> Path:
    """Press a button and keep the file that the browser gets."""
    open_exports(page)
    with page.expect_download() as download:
        page.locator(f"#export_{kind}").click()
    file = folder / download.value.suggested_filename
    download.value.save_as(file)
    return file


def shown(page) -> dict:
    names = ("keep_ratio", "l1", "l2", "frames")
    return {name: value_of(page, name) for name in names} | {"question": page.input_value("#question textarea")}


def test_a_link_restores_every_setting_and_the_sample(linked):
    assert shown(linked) == {name: value for name, value in SETTINGS.items() if name != "sample"}
    assert "busy" in linked.locator("#video video").get_attribute("src")


def test_before_a_run_there_is_nothing_to_take(linked):
    open_exports(linked)
    assert linked.locator("#export_figures").is_disabled() and linked.locator("#export_link").is_enabled()
    run(linked)
    linked.wait_for_selector("#export_figures:not([disabled])")


def test_the_link_holds_all_settings(page):
    open_exports(page)
    page.click("#export_link")
    page.wait_for_function("document.querySelector('#link textarea').value.startsWith('http')")
    link = urlsplit(page.input_value("#link textarea"))
    given = {name: values[0] for name, values in parse_qs(link.fragment).items()}
    assert given == {name: str(value) for name, value in SETTINGS.items()} | LOOK and not link.query


@pytest.mark.parametrize("allowed", [True, False])
def test_the_page_says_whether_the_link_was_copied(page, allowed):
    open_exports(page)
    answer = "(text) => { window.copied = text; return Promise.resolve(); }" if allowed else "() => Promise.reject()"
    page.evaluate(
        f"Object.defineProperty(navigator, 'clipboard', {{ value: {{ writeText: {answer} }}, configurable: true }})"
    )
    page.fill("#link textarea", "")
    page.click("#export_link")
    toast = page.locator("[data-testid=toast-body]").last
    playwright.expect(toast).to_contain_text("is in your clipboard" if allowed else "let nothing be copied")
    page.wait_for_function("document.querySelector('#link textarea').value.startsWith('http')")
    link = page.input_value("#link textarea")
    if allowed:
        assert page.evaluate("copied") == link
    else:
        page.wait_for_function("document.activeElement.value?.startsWith('http')")
        assert page.evaluate("document.activeElement.selectionEnd - document.activeElement.selectionStart") == len(link)
    page.locator("[data-testid=toast-close]").last.click()


def test_files_of_several_presses_stay_listed(page, tmp_path):
    taken(page, "csv", tmp_path)
    assert taken(page, "json", tmp_path).name == "aim_trace.json"
    assert taken(page, "csv", tmp_path).name == "aim_counts_2.csv"
    links = page.locator("#export_files a[download]")
    names = [link.get_attribute("download") for link in links.all()]
    assert names[:3] == ["aim_counts_2.csv", "aim_trace.json", "aim_counts.csv"]


def test_a_link_shows_what_was_shown_and_no_request_carries_its_question(browser, served):
    """The run itself, a view of it, and the pinned patch: a lesson is a list of links."""
    pinned = "#explorer [data-part=history] li"
    with opened(browser, served, LINK) as page:
        page.wait_for_selector("#video video")
        run(page)
        look(page, "alive")
        page.locator("#explorer [data-part=layer]").fill("4")
        canvas = page.locator("#explorer canvas[data-part=canvas]")
        canvas.focus()
        canvas.press("ArrowRight")
        canvas.press("Enter")
        choose_tab(page, "words")
        open_exports(page)
        page.click("#export_link")
        page.wait_for_function("document.querySelector('#link textarea').value.startsWith('http')")
        link, answer = page.input_value("#link textarea"), said(page, "aim")
        history = page.locator(pinned).first.text_content()
    with opened(browser, served, link.removeprefix(served)) as other:
        other.wait_for_selector("#explorer .tx[data-empty=false]")
        playwright.expect(other.locator("#explorer input[value=alive]")).to_be_checked()
        assert other.locator("#explorer [data-part=layer]").input_value() == "4"
        assert other.locator("#tx-tab-words").get_attribute("aria-selected") == "true"
        assert said(other, "aim") == answer and other.locator(pinned).first.text_content() == history
        assert not [url for url in other.asked if "vanish" in url.partition("#")[0]]


def test_the_code_is_there_to_copy(page):
    open_exports(page)
    code = page.locator("#export_code .cm-content").inner_text()
    assert repr(SETTINGS["question"]) in code and "keep_ratio=0.5, l1=3, l2=8" in code
    assert "'assets/samples/busy.mp4'" in code and page.locator("#export_code button").first.is_visible()


@pytest.mark.parametrize(
    ("kind", "begins"),
    [("csv", b"layer,planned"), ("json", b'{"format"'), ("gif", b"GIF8"), ("page", b"<!doctype")],
)
def test_a_button_gives_its_file(page, tmp_path, kind, begins):
    file = taken(page, kind, tmp_path)
    assert file.name.startswith("aim_") and file.read_bytes().startswith(begins)


def test_the_film_is_an_mp4(page, tmp_path):
    assert taken(page, "mp4", tmp_path).read_bytes()[4:8] == b"ftyp"


def test_figures_are_there_in_an_archive_and_singly(page, tmp_path):
    file = taken(page, "figures", tmp_path)
    assert file.name.startswith("aim_") and file.read_bytes().startswith(b"PK")
    playwright.expect(page.locator("#export_files")).to_contain_text("aim_groups")
    links = page.locator("#export_files a[download]")
    assert links.count() >= 13 and links.first.is_visible() and links.last.get_attribute("href")


@pytest.fixture(scope="module")
def saved(page, tmp_path_factory):
    return taken(page, "saved", tmp_path_factory.mktemp("saved"))


def test_a_saved_run_holds_what_the_page_shows(page, saved):
    stored = load_run(saved)
    assert stored.question == SETTINGS["question"] and stored.path == "busy.mp4"
    assert stored.aim.answer == said(page, "aim") and stored.dense.answer == said(page, "dense")


def test_a_saved_run_comes_back_on_another_page_without_the_model(page, browser, served, saved):
    with opened(browser, served) as other:
        comes_back(page, other, saved)


def comes_back(page, other, saved) -> None:
    open_exports(other)
    other.set_input_files("#exports input[type=file]", str(saved))
    other.wait_for_selector("#explorer .tx[data-empty=false]")
    for part in ("dense", "aim", "aim-tokens", "aim-flops", "aim-time", "verdict"):
        playwright.expect(other.locator(f"#answers [data-part={part}]")).to_have_text(said(page, part))
    playwright.expect(other.locator("#load_note")).to_contain_text("A saved run is on the page")
    assert shown(other) == shown(page)
    for one in (page, other):
        one.locator("#explorer input[value=alive]").check(force=True)
        one.locator("#explorer input[data-part=layer]").fill("6")
    assert drawn(other) == drawn(page)
    other.wait_for_selector("#export_csv:not([disabled])")
    assert other.locator("#export_code .cm-content").inner_text().startswith("# Needs")


def test_a_file_that_is_no_run_is_a_sentence_and_nothing_is_lost(page, tmp_path):
    answer = said(page, "aim")
    (tmp_path / "other.npz").write_bytes(b"PK\x03\x04 no run")
    open_exports(page)
    page.set_input_files("#exports input[type=file]", str(tmp_path / "other.npz"))
    playwright.expect(page.locator("[data-testid=toast-body]").first).to_contain_text("not a saved run")
    assert said(page, "aim") == answer


def test_a_damaged_link_gives_the_usual_values_and_a_sentence(browser, served):
    query = "/#keep_ratio=9&l1=x&frames=1e99&sample=../../etc/passwd&question=why%3F"
    with opened(browser, served, query) as page:
        toast = page.locator("[data-testid=toast-body]").first
        playwright.expect(toast).to_contain_text("keep_ratio, frames, sample, l1")
        assert shown(page) == {"keep_ratio": 0.25, "l1": 6, "l2": 9, "frames": 8, "question": "why?"}


def test_a_link_to_a_picture_opens_its_tab(browser, served):
    with opened(browser, served, "/?lang=zh#sample=shapes.png") as page:
        page.wait_for_selector("#image img")
        assert page.locator("#image").is_visible() and page.evaluate("document.documentElement.lang") == "zh-CN"


@pytest.mark.parametrize("width", [390, 1280, 2560])
def test_the_panel_fits_every_width_in_both_themes(page, width):
    page.set_viewport_size({"width": width, "height": 900})
    open_exports(page)
    for theme in ("light", "dark"):
        page.evaluate("dark => document.body.classList.toggle('dark', dark)", theme == "dark")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        keep(page.locator("#exports"), f"exports_{width}_{theme}")
    page.evaluate("document.body.classList.remove('dark')")
