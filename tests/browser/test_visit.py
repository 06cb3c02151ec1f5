"""A visit in a real Chromium, from before its first run to a telephone: what the results are about, whom the page
shuts out, and the bar at hand."""

from __future__ import annotations

import pytest

from tests.helpers.axe import AXE, audited
from tests.helpers.browsing import drawn, keep, look, mark, one_run, opened, run, said, slide, tokens

playwright = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.browser
expect = playwright.expect


@pytest.fixture(scope="module")
def page(browser, served):
    """A page after a sample was asked about, shared by tests that put back what they change."""
    with opened(browser, served, width=1440, height=1000) as page:
        page.wait_for_selector("#estimate svg")
        page.audit = audited(page) if AXE.exists() else []
        sample(page, 0)
        run(page)
        yield page


def sample(page, index: int) -> None:
    """Choose a sample; its file and question take the place of those before."""
    before = page.evaluate("document.querySelector('#video video')?.src ?? ''")
    row = page.locator("#video_samples tbody tr").nth(index)
    row.click()
    page.wait_for_function("src => ![null, '', src].includes(document.querySelector('#video video')?.src)", arg=before)
    expect(page.locator("#question textarea")).to_have_value(row.inner_text().strip())


def strip(page, part: str):
    return page.locator(f"#asked [data-part={part}]")


def opacity(page) -> float:
    """Of the answers, once it has come to rest."""
    cards = "document.querySelector('#answers .an')"
    page.wait_for_function(f"{cards}.getAnimations().length === 0")
    return float(page.evaluate(f"getComputedStyle({cards}).opacity"))


def test_the_strip_says_what_the_results_are_about(page):
    question = page.input_value("#question textarea")
    assert strip(page, "question").inner_text() == question and strip(page, "file").inner_text().endswith(".mp4")
    how = strip(page, "how").inner_text()
    assert "the embedded model · keep ratio 25 %, l1 6, l2 9 · 8 frames · " in how and ":" in how.split(" · ")[-1]
    expect(strip(page, "changed")).to_have_text("")
    assert opacity(page) == 1


def test_what_the_model_sees_says_its_size(page):
    merged = drawn(page)
    look(page, "original")
    note = page.locator("#explorer [data-part=overlayNote]")
    expect(note).to_contain_text("The very pixels that the model gets: 96×96, out of ")
    assert drawn(page) != merged
    keep(page.locator("#explorer"), "seen")
    look(page, "groups")


def test_another_question_makes_the_answers_stale_and_a_slider_does_not_ask_the_old_one(page):
    question, answer = page.input_value("#question textarea"), said(page, "aim")
    page.fill("#question textarea", "how many objects are there?")
    expect(strip(page, "changed")).to_have_text("Changed: question. Press Run.")
    assert opacity(page) < 0.7
    slide(page, "keep_ratio", 0.5)
    expect(strip(page, "changed")).to_have_text("Changed: question, settings. Press Run.")
    keep(page, "stale")
    slide(page, "frames", 4)
    page.wait_for_timeout(1500)  # longer than a rerun takes
    assert said(page, "aim") == answer and said(page, "aim-tokens") == tokens(8, 0.25)
    slide(page, "frames", 8)
    slide(page, "keep_ratio", 0.25)
    page.fill("#question textarea", f" {question} ")
    expect(strip(page, "changed")).to_have_text("")
    assert opacity(page) == 1 and said(page, "aim") == answer


def test_another_sample_makes_them_stale_until_it_is_put_back(page):
    sample(page, 1)
    expect(strip(page, "changed")).to_contain_text("Changed: file")
    sample(page, 0)
    expect(strip(page, "changed")).to_have_text("")


def test_marks_make_them_stale_until_they_are_cleared(page):
    look(page, "all")
    drawn(page)
    mark(page, "remove", 0.1, 0.3)
    expect(strip(page, "changed")).to_contain_text("Changed: marks")
    page.locator("#explorer [data-part=clear]").click()
    expect(strip(page, "changed")).to_have_text("")
    look(page, "look")


def test_a_slider_asks_again_where_nothing_else_has_changed(page):
    slide(page, "keep_ratio", 0.4)
    expect(page.locator("#answers [data-part=aim-tokens]")).to_have_text(tokens(8, 0.4))
    expect(strip(page, "how")).to_contain_text("keep ratio 40 %")
    expect(strip(page, "changed")).to_have_text("")
    slide(page, "keep_ratio", 0.25)
    expect(strip(page, "how")).to_contain_text("keep ratio 25 %")


def test_nobody_is_shut_out_before_a_run_or_after_it(page):
    if not AXE.exists():
        pytest.skip("no axe-core; `make test` installs it")
    run(page)
    assert [*page.audit, *audited(page)] == []


def test_run_on_a_telephone_takes_the_eye_to_the_answers_and_a_slider_does_not(page):
    seen = (
        "(({ top, bottom }) => top >= 0 && bottom <= innerHeight)(document.querySelector('%s').getBoundingClientRect())"
    )
    page.emulate_media(reduced_motion="reduce")
    page.set_viewport_size({"width": 390, "height": 844})
    try:
        page.evaluate("scrollTo(0, 0)")
        assert not page.evaluate(seen % "#answers .an-said")
        with one_run(page):
            page.locator("#bar button", has_text="Run").click()
        page.wait_for_selector("#bar [data-part=stop][disabled]")
        answers = ["Dense", said(page, "dense"), "AIM", said(page, "aim")]
        assert page.locator("#bar .br").inner_text().split() == [*answers, "Keep", "ratio", "25", "%", "Run", "Stop"]
        assert page.evaluate(seen % "#asked .as") and page.evaluate(seen % "#answers .an-said")
        assert page.evaluate("document.activeElement === document.querySelector('#asked .as')")
        keep(page, "after_run_390")
        page.locator("#keep_ratio").scroll_into_view_if_needed()
        slide(page, "keep_ratio", 0.3)
        expect(strip(page, "how")).to_contain_text("keep ratio 30 %")
        assert page.evaluate("document.activeElement.closest('#keep_ratio') !== null")
        assert not page.evaluate(seen % "#answers .an-said")
    finally:
        page.set_viewport_size({"width": 1440, "height": 1000})
        page.emulate_media(reduced_motion=None)
