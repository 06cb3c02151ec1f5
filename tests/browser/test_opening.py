"""The page before anyone has asked: a recorded example that moves, and what a visitor does next."""

from __future__ import annotations

import pytest

from page.exports.opening import QUESTION
from tests.helpers.browsing import choose_tab, drawn, keep, opened, said, tokens, value_of
from tests.helpers.here import app_here, quick

playwright = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.browser
expect = playwright.expect


@pytest.fixture(scope="module")
def page(browser, served):
    with opened(browser, served, "", reduced_motion="reduce") as page:
        page.wait_for_selector("#explorer .tx[data-empty=false]")
        expect(page.locator("#question textarea")).to_have_value(QUESTION)
        yield page


def test_a_finished_example_is_there_and_its_sample_is_in_the_inputs(page):
    assert said(page, "dense") == said(page, "aim") == "red"
    assert said(page, "dense-tokens") == tokens(8) and said(page, "aim-tokens") == tokens(8, 0.25)
    told = said(page, "headline")
    assert told.startswith(f"{tokens(8)} → {tokens(8, 0.25)} → 0 visual tokens · 9 % ")
    expect(page.locator("#asked")).to_contain_text("recorded beforehand")
    expect(page.locator("#asked [data-stale=false]")).to_be_attached()
    assert page.locator("#video video").count() == 1
    keep(page, "opening", full_page=True)


@pytest.mark.parametrize(
    ("tab", "part"),
    [
        ("patch", "#explorer .tx-patch"),
        ("frames", "#explorer .tx-timebox"),
        ("words", "#word_frames .wf-side"),
        ("firstToken", "#first_token table tbody tr"),
        ("numbers", "#comparison_table table"),
        ("why", "#whys"),
    ],
)
def test_a_tab_shows_its_part_and_no_other(page, tab, part):
    choose_tab(page, tab)
    expect(page.locator(part).first).to_be_visible()
    assert page.locator("#results [role=tabpanel]:visible").count() == 1
    assert page.locator("#results [role=tab][aria-selected=true]").count() == 1


def test_tabs_are_walked_with_arrow_keys(page):
    choose_tab(page, "why")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#tx-tab-patch")).to_be_focused()
    expect(page.locator("#tx-tab-patch")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#whys")).to_be_visible()


def test_what_was_pinned_is_shown_at_once(page):
    choose_tab(page, "numbers")
    canvas = page.locator("#explorer canvas[data-part=canvas]")
    canvas.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator("#explorer .tx-patch")).to_be_visible()
    page.keyboard.press("Escape")


def test_one_button_breaks_it_and_puts_it_back_for_this_visitor_alone(page, browser, served):
    """On a page of its own; the others see the example as it was."""
    with opened(browser, served, "", reduced_motion="reduce") as own:
        breaks(own)
        page.reload()
        expect(page.locator("#asked")).to_contain_text("recorded beforehand")
        expect(page.locator("#answers [data-part=aim]")).to_have_text("red")


def breaks(page) -> None:
    button = page.locator("#answers [data-part=break]")
    button.click()
    expect(page.locator("#answers [data-part=aim]")).to_have_text("orange")
    expect(page.locator("#answers [data-part=aim-right]")).to_contain_text("wrong")
    assert value_of(page, "keep_ratio") == 0.02
    expect(page.locator("#asked")).not_to_contain_text("recorded beforehand")
    expect(button).to_have_text("Put it back")
    button.click()
    expect(page.locator("#answers [data-part=aim]")).to_have_text("red")
    expect(button).to_contain_text("Break it")
    button.click()
    expect(page.locator("#answers [data-part=aim]")).to_have_text("orange")


def test_it_plays_once_by_itself_and_ends_as_it_began(browser, served):
    with opened(browser, served, "", reduced_motion="no-preference") as page:
        layer = page.locator("#explorer [data-part=layer]")
        page.wait_for_function("document.querySelector('#explorer [data-part=layerPlay]').dataset.on === 'true'")
        assert page.locator("#explorer input[value=alive]").is_checked()
        page.evaluate("""() => {
            window.layers = new Set();
            const layer = document.querySelector('#explorer [data-part=layer]');
            setInterval(() => layers.add(layer.value), 50); }""")
        expect(page.locator("#explorer input[value=groups]")).to_be_checked()
        assert {"9", "10", "11"} <= {*page.evaluate("[...layers]")}
        drawn(page)
        assert layer.input_value() == "7"  # the first that fewer enter


def test_a_model_that_reads_pictures_shows_it_as_a_saved_run(browser, family_folder):
    with (
        app_here(quick(str(family_folder("llava")))) as address,
        opened(browser, address, "", reduced_motion="reduce") as page,
    ):
        expect(page.locator("#asked")).to_contain_text("the embedded model")
        expect(page.locator("#asked [data-stale=false]")).to_be_attached()
        assert said(page, "aim") == "red" and page.input_value("#question textarea") == ""
        assert page.locator("#answers [data-part=break]").is_hidden()  # nothing here could ask it again
