"""The sound of a film on the page of a model that hears: counted before, on a timeline after, and kept in a replay."""

from __future__ import annotations

import re

import pytest

from page.i18n import ENGLISH
from tests.families.family import pictures
from tests.families.qwen2_5_omni import FAMILY
from tests.helpers.browsing import choose_tab, drawn, keep, look, opened, run, slide
from tests.helpers.heard import write_film
from tests.helpers.here import app_here, quick
from tests.helpers.touch import small_targets

playwright = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.browser
SETTINGS = {"keep_ratio": 0.4, "audio_keep_ratio": 0.5, "audio_floor": 0.2}


@pytest.fixture(scope="module")
def asked(browser, family_folder, tmp_path_factory):
    """The page, as wide as a telephone's, after one run; what its estimate said of audio before."""
    film = tmp_path_factory.mktemp("film") / "film.mp4"
    write_film(film, "aac", pictures=pictures(30, (128, 192)))
    with (
        app_here(quick(str(family_folder(FAMILY.model_type)))) as address,
        opened(browser, address, width=390, height=844, has_touch=True) as page,
    ):
        page.set_input_files("#video input[type=file]", str(film))
        page.fill("#question textarea", ENGLISH["EXAMPLE_QUESTION"])  # which the estimate counts
        playwright.expect(page.locator("#estimate [data-part=sound]")).to_contain_text("75 of 75 enter")
        for name, value in SETTINGS.items():
            slide(page, name, value)
        playwright.expect(page.locator("#estimate [data-part=sound]")).to_contain_text("38 of 75 enter, 8 reach")
        before = page.inner_text("#estimate [data-part=flops]"), page.inner_text("#estimate [data-part=flopsOf]")
        run(page)
        yield page, before


def strip(page, part: str) -> str:
    drawn(page, "sound")
    return page.locator(f"#explorer [data-part={part}]").inner_text()


def test_the_estimate_counts_audio_as_the_run_does(asked):
    page, (reduced, dense) = asked
    choose_tab(page, "numbers")
    table = page.locator("#comparison_table").inner_text()
    counted = re.search(r"Language model, prefill \(counted\)\s+([\d.]+ \w+)\s+([\d.]+ \w+)", table)
    assert (reduced, dense) == (counted[2], f"of {counted[1]}")
    assert "sound: 50 % of its tokens kept, 20 % of them to the end" in page.inner_text("#asked [data-part=how]")


def test_the_timeline_follows_the_layer_and_the_overlay_of_the_frames(asked):
    page, _ = asked
    layers, said, seen = page.locator("#explorer input[data-part=layer]"), [], set()
    for layer in range(6):
        layers.fill(str(layer))
        said.append(int(re.search(r"(\d+) of 38 audio tokens are alive; 75 before", strip(page, "soundCount"))[1]))
    assert said == sorted(said, reverse=True) and said[0] == 38 and said[-1] == 8
    layers.fill("4")
    for overlay in ("original", "groups", "alive", "scores", "size", "lastLayer"):
        look(page, overlay)
        seen.add(drawn(page, "sound"))
    assert len(seen) == 6
    keep(page.locator("#explorer"), "sound_explorer")


def test_keys_read_a_token_and_enter_tells_its_history(asked):
    page, _ = asked
    canvas = page.locator("#explorer canvas[data-part=sound]")
    canvas.focus()
    for key in ("Home", "PageDown", "ArrowRight"):
        page.keyboard.press(key)
    assert strip(page, "soundNow").startswith("2.04–2.08 s, chunk 2")
    page.keyboard.press("Enter")
    events = page.locator("#explorer [data-part=soundHistory] li")
    playwright.expect(events).to_have_count(3)
    assert events.first.inner_text() == "A piece of sound: 2.04–2.08 s, chunk 2."
    assert page.locator("#tx-tab-sound").get_attribute("aria-selected") == "true"
    page.keyboard.press("Escape")
    playwright.expect(events).to_have_count(0)


def test_a_finger_reads_a_token_and_nothing_is_wider_than_the_screen(asked):
    page, _ = asked
    box = page.locator("#explorer canvas[data-part=sound]").bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + 40)
    playwright.expect(page.locator("#explorer [data-part=soundHistory] li")).to_have_count(3)
    first = strip(page, "soundNow")
    nudge = page.locator("#explorer [data-part=soundNext]")
    nudge.tap()
    assert strip(page, "soundNow") != first
    assert not [line for line in small_targets(page) if "ound" in line or "udio" in line]
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_replay_shows_the_timeline(asked, browser, tmp_path):
    page, _ = asked
    page.locator("#exports button").first.click()
    with page.expect_download() as download:
        page.locator("#export_page").click()
    download.value.save_as(tmp_path / "run.html")
    replay = browser.new_page(viewport={"width": 900, "height": 900})
    try:
        replay.goto((tmp_path / "run.html").as_uri())
        playwright.expect(replay.locator("[data-part=soundCount]")).to_contain_text("of 38 audio tokens are alive")
        replay.locator("canvas[data-part=sound]").focus()
        replay.keyboard.press("End")
        playwright.expect(replay.locator("[data-part=soundNow]")).to_contain_text("chunk 2")
    finally:
        replay.close()


def test_a_model_that_does_not_hear_shows_nothing_of_it(browser, served):
    with opened(browser, served, query="") as page:
        page.wait_for_selector("#explorer .tx[data-empty=false]")
        for hidden in ("#sound", "#tx-tab-sound", "#explorer [data-part=soundBox]", "#estimate [data-part=sound]"):
            playwright.expect(page.locator(hidden)).not_to_be_visible()
