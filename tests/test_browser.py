"""The main job in a real Chromium: upload, ask, run, and move every slider; screenshots are kept."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SCREENSHOTS = Path(__file__).parent.parent / "screenshots"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip
PANELS = ("groups", "alive", "scores", "retained", "ranked", "cost")
PATIENCE = 120_000  # ms; a busy machine is no failure

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not CHROMIUM, reason="no Chromium; `make chromium` installs it")]


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def page(browser, served):
    """A page that notes every request and every error of its scripts."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(PATIENCE)
    page.asked, page.broken = [], []
    page.on("request", lambda request: page.asked.append(request.url))
    page.on("pageerror", lambda error: page.broken.append(str(error)))
    page.goto(served)
    page.wait_for_selector("#run")
    return page


def slide(page, name: str, value: float) -> None:
    field = page.locator(f"#{name} input[type=number]")
    field.fill(str(value))
    field.press("Enter")


def value_of(page, name: str) -> float:
    return float(page.locator(f"#{name} input[type=number]").input_value())


def source(page, name: str) -> str:
    return page.locator(f"#{name} img").first.get_attribute("src")


def wait_for_change(page, name: str, before: str) -> str:
    page.wait_for_function(
        "([name, before]) => { const i = document.querySelector(`#${name} img`); return i?.src && i.src !== before; }",
        arg=[name, page.evaluate("source => new URL(source, location).href", before)],
    )
    return source(page, name)


def run(page) -> None:
    """Press Run and wait until other numbers are there."""
    before = page.inner_text("#numbers")
    page.click("#run")
    page.wait_for_function(
        "before => { const now = document.querySelector('#numbers').innerText; "
        "return now !== before && now.includes('measured'); }",
        arg=before,
    )


def show(page, panel: str) -> None:
    """Scroll a picture into view, since it loads only then, and wait until it is drawn."""
    page.wait_for_selector(f"#{panel} img", state="attached")
    page.evaluate("panel => document.querySelector(`#${panel}`).scrollIntoView()", panel)
    page.wait_for_function(
        "panel => { const i = document.querySelector(`#${panel} img`); return i.complete && i.naturalWidth > 200; }",
        arg=panel,
    )


def test_1_upload_ask_and_run(page, clip):
    page.set_input_files("#video input[type=file]", str(clip))
    page.wait_for_selector("#video video")
    page.fill("#question textarea", "which way does the red circle move?")
    run(page)
    assert page.input_value("#dense_answer textarea") and page.input_value("#aim_answer textarea")
    numbers = page.inner_text("#numbers")
    for words in ("Visual tokens into layer 0", "513", "129", "GFLOPs", "share of vision", "ms", "6·n·d·m"):
        assert words in numbers
    for panel in PANELS:
        show(page, panel)
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SCREENSHOTS / "page.png", full_page=True)
    for panel in ("groups", "alive", "scores"):
        page.locator(f"#{panel}").screenshot(path=SCREENSHOTS / f"{panel}.png")


def test_2_the_layer_slider_redraws_without_the_model(page):
    answer, alive, scores = page.input_value("#aim_answer textarea"), source(page, "alive"), source(page, "scores")
    slide(page, "layer", 8)
    wait_for_change(page, "alive", alive)
    wait_for_change(page, "scores", scores)
    playwright.expect(page.locator("#alive_note")).to_contain_text("At layer 8")
    assert page.input_value("#aim_answer textarea") == answer


def test_3_the_layer_slider_listens_to_arrow_keys(page):
    alive = source(page, "alive")
    page.locator("#layer input[type=range]").press("ArrowRight")
    wait_for_change(page, "alive", alive)
    playwright.expect(page.locator("#alive_note")).to_contain_text("At layer 9")


def test_4_keep_ratio_and_frames_change_the_groups(page):
    slide(page, "keep_ratio", 0.5)
    slide(page, "frames", 4)
    run(page)
    playwright.expect(page.locator("#numbers")).to_contain_text(re.compile(r"257\s+129"))


def test_5_l2_stays_above_l1_and_both_reach_the_model(page):
    slide(page, "l1", 10)
    page.wait_for_function("document.querySelector('#l2 input[type=number]').value === '11'")
    slide(page, "l2", 4)
    page.wait_for_function("document.querySelector('#l1 input[type=number]').value === '3'")
    assert value_of(page, "l2") == 4
    groups = source(page, "groups")
    run(page)
    assert source(page, "groups") == groups  # merging does not depend on layers


def test_6_bad_input_is_a_sentence_and_nothing_is_lost(page):
    answer = page.input_value("#aim_answer textarea")
    page.fill("#question textarea", "")
    page.click("#run")
    toast = page.locator("[data-testid=toast-body]").first
    playwright.expect(toast).to_contain_text("Type a question")
    assert page.input_value("#aim_answer textarea") == answer
    assert page.locator("#groups img").count()


def test_7_a_sample_is_one_click_away(browser, served):
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(PATIENCE)
    page.goto(served)
    page.wait_for_selector("#run")
    page.locator("#video_samples tbody tr, #video_samples button.gallery-item").first.click()
    page.wait_for_selector("#video video")
    assert page.input_value("#question textarea")
    run(page)
    for panel in PANELS:
        show(page, panel)
    page.screenshot(path=SCREENSHOTS / "sample.png", full_page=True)
    page.evaluate("scrollTo(0, 0)")
    top = page.locator("#dense_answer").bounding_box()["y"] - 110
    clip = {"x": 0, "y": top, "width": 1280, "height": 1980}
    page.screenshot(path=SCREENSHOTS / "readme.png", full_page=True, clip=clip)
    page.close()


def test_8_a_phone_shows_it_without_scrolling_sideways(browser, served):
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.set_default_timeout(PATIENCE)
    page.goto(served)
    page.wait_for_selector("#run")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.screenshot(path=SCREENSHOTS / "phone.png")
    page.close()


def test_9_no_request_left_this_machine_and_no_script_broke(page, served):
    assert page.asked and all(url.startswith((served, "data:", "blob:")) for url in page.asked)
    assert not page.broken
