"""Stop in a real Chromium, in the middle of a run: the engine waits there until Stop was pressed."""

from __future__ import annotations

import re

import pytest
from gradio_client import Client, handle_file

from page.i18n import ENGLISH

playwright = pytest.importorskip("playwright.sync_api")
from tests.helpers.browsing import TIME, ask, look, mark, opened, run, said, slide, tokens  # noqa: E402
from tests.helpers.held import held_app  # noqa: E402
from tests.helpers.waiting import wait_until  # noqa: E402
from tools.load.visitor import EXTRAS  # noqa: E402

pytestmark = pytest.mark.browser
PARTS = ("dense", "aim", "dense-tokens", "aim-tokens", "aim-time", "verdict", "headline")


@pytest.fixture(scope="module")
def held(browser):
    with held_app() as (engine, address):
        yield engine, address


@pytest.fixture(scope="module")
def page(browser, held, clip):
    """A page after a run of four frames; what each test leaves on it does not matter to the others."""
    with opened(browser, held[1], "/#frames=4") as page:
        ask(page, clip)
        yield page


def stop_in_the_middle(page, engine, button: str) -> None:
    """Press a button that runs the model, and Stop once the run waits between two layers."""
    toast = page.locator("[data-testid=toast-body]").filter(has_text="The run was stopped")
    playwright.expect(toast).to_have_count(0)  # that of the test before goes by itself
    engine.waits.clear()
    engine.hold.set()
    page.locator(button).click()
    assert engine.waits.wait(60)
    page.locator("#stop:not([disabled])").click()
    playwright.expect(toast.first).to_be_visible()
    page.wait_for_selector("#stop[disabled]")
    assert not engine.hold.is_set()


def test_a_stopped_run_leaves_the_page_as_it_was_and_another_may_start(page, held):
    slide(page, "frames", 4)
    playwright.expect(page.locator("#answers [data-part=dense-tokens]")).to_have_text(tokens(4))
    before = {part: said(page, part) for part in PARTS}
    stop_in_the_middle(page, held[0], "#run")
    assert {part: said(page, part) for part in PARTS} == before
    slide(page, "frames", 2)
    playwright.expect(page.locator("#answers [data-part=aim-time]")).to_have_text("–")  # the slider's own run
    run(page)
    assert re.fullmatch(TIME, said(page, "aim-time")) and said(page, "dense-tokens") != before["dense-tokens"]


def test_who_waits_for_another_visitor_is_told_the_place(page, held, clip):
    engine, address = held
    with engine._exclusive(None):  # no run can begin
        asked = [handle_file(str(clip)), None, "why?", 0.25, 6, 9, 4, False, *EXTRAS]
        other = Client(address, verbose=False).submit(*asked, api_name="/run")
        running = ENGLISH["RUNNING"]["dense"]
        wait_until(lambda: any(unit.desc == running for unit in other.status().progress_data or ()))
        page.click("#run")
        told = ENGLISH["WAITING"]["model"].format(count=1)
        playwright.expect(page.locator("#answers")).to_contain_text(told)
    other.result(timeout=100)
    page.wait_for_selector("#stop[disabled]")


def test_a_run_with_marks_can_be_stopped_too(page, held):
    look(page, "one")
    mark(page, "remove", 0.4, 0.4)
    before = {part: said(page, part) for part in PARTS}
    stop_in_the_middle(page, held[0], "#explorer [data-part=ask]")
    assert {part: said(page, part) for part in PARTS} == before
    assert page.locator("#answers [data-part=handCard]").is_hidden()
    note = page.locator("#explorer [data-part=overridesNote]")
    playwright.expect(note).to_have_text("0 protected, 1 removed; not asked yet.")
