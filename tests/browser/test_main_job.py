"""The main job in a real Chromium: upload, ask, run, and explore every token; screenshots are kept."""

from __future__ import annotations

import re

import pytest

from tests.helpers.browsing import (
    SIDE,
    TIME,
    ask,
    choose_tab,
    comparison_table,
    drawn,
    keep,
    look,
    one_run,
    open_figures,
    opened,
    patch_point,
    reading,
    run,
    said,
    slide,
    source,
    tokens,
    value_of,
    wait_for_change,
)

playwright = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def answered(browser, served, clip):
    """A page after a run, shared by tests that only look at it or ask the same again."""
    with opened(browser, served) as page:
        ask(page, clip)
        yield page


@pytest.fixture
def page(answered):
    """The shared page, its explorer as a run leaves it."""
    answered.locator("#explorer canvas[data-part=canvas]").press("Escape")
    look(answered, "rank")
    look(answered, "all")
    look(answered, "groups")
    return answered


@pytest.fixture
def own(browser, served, clip):
    """A page after a run of four frames, for a test that changes it."""
    with opened(browser, served, "/#frames=4&keep_ratio=0.5") as page:
        ask(page, clip)
        yield page


def test_upload_ask_and_run(page):
    assert said(page, "dense") not in ("", "–") and said(page, "aim") not in ("", "–")
    assert said(page, "dense-tokens") == tokens(8) and said(page, "aim-tokens") == tokens(8, 0.25)
    assert re.fullmatch(TIME, said(page, "aim-time")) and "answer" in said(page, "verdict").lower()
    for words in (
        "Visual tokens into layer 0",
        tokens(8),
        tokens(8, 0.25),
        "GFLOPs",
        "share of vision",
        "ms",
        "6·n·d·m",
    ):
        assert words in comparison_table(page)
    keep(page, "page", full_page=True)


def test_a_slider_and_what_it_does_are_seen_together(page):
    """The inputs stay beside the results, however far down one reads; below each other where there is no room."""
    beside = """() => {
        document.querySelector('#explorer').scrollIntoView();
        const [slider, canvas] = ['#keep_ratio', '#explorer canvas'].map(one => document.querySelector(one));
        const [a, b] = [slider, canvas].map(one => one.getBoundingClientRect());
        return [a.top >= 0 && a.bottom <= innerHeight, a.right < b.left]; }"""
    try:
        assert page.evaluate(beside) == [True, True]
        page.set_viewport_size({"width": 1000, "height": 900})
        assert page.evaluate(beside) == [False, False]
    finally:
        page.set_viewport_size({"width": 1280, "height": 900})


def test_every_view_is_drawn_in_the_browser_alone(page):
    before, seen = len(page.asked), set()
    for view in ("original", "groups", "alive", "scores", "size", "lastLayer"):
        look(page, view)
        seen.add(drawn(page))
        keep(page.locator("#explorer"), f"view_{view}")
    assert len(seen) == 6
    for view in ("alive", "scores"):
        look(page, view)
        page.locator("#explorer input[data-part=layer]").fill("6")
        all_alive = drawn(page)
        page.locator("#explorer input[data-part=layer]").fill("7")
        assert drawn(page) != all_alive
    note = page.locator("#explorer [data-part=timeNote]").inner_text()
    assert re.search(r"tokens hold [<\d]+ % of all PageRank.* explains -?[01]\.\d\d of this ranking", note)
    rank = drawn(page)
    look(page, "log")
    assert drawn(page) != rank
    look(page, "rank")
    assert len(page.asked) == before


def test_layers_play_by_themselves_and_stop(page):
    look(page, "alive")
    page.locator("#explorer input[data-part=layer]").fill("5")
    page.locator("#explorer [data-part=layerPlay]").click()
    page.wait_for_function("Number(document.querySelector('#explorer input[data-part=layer]').value) > 6")
    page.locator("#explorer [data-part=layerPlay]").click()
    assert page.locator("#explorer [data-part=layerPlay]").get_attribute("aria-pressed") == "false"
    layer = page.locator("#explorer input[data-part=layer]").input_value()
    page.wait_for_timeout(900)
    assert page.locator("#explorer input[data-part=layer]").input_value() == layer


def test_a_patch_is_read_by_pointer_and_by_keys_and_pinned(page):
    look(page, "groups")
    look(page, "one")
    page.locator("#explorer input[data-part=view]").fill("0")
    page.locator("#explorer input[data-part=layer]").fill(str(int(value_of(page, "l1"))))  # a layer with scores
    canvas = page.locator("#explorer canvas[data-part=canvas]")
    x, y = patch_point(page, -0.47, -0.47)
    canvas.hover(position={"x": x, "y": y})
    assert reading(page)["place"] == "frame 1, row 1, col 1"
    canvas.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    read = reading(page)
    assert read["place"] == "frame 1, row 2, col 2" and int(read["size"]) >= 1 and " of " in read["rank"]
    playwright.expect(page.locator("#explorer [data-part=live]")).to_contain_text("frame 1, row 2, column 2. Group 1.")
    unpinned = drawn(page)
    page.keyboard.press("Enter")
    assert drawn(page) != unpinned
    told = page.locator("#explorer [data-part=history]")
    playwright.expect(told).to_contain_text("frame 1, row 2, column 2")
    assert told.locator("svg circle").count() >= 1
    keep(page.locator("#explorer"), "pinned")
    page.keyboard.press("Escape")
    playwright.expect(told.locator("svg")).to_have_count(0)
    page.keyboard.press("PageDown")
    assert reading(page)["place"].startswith("frame 2,")
    look(page, "all")


def test_a_tap_pins_too(page):
    canvas = page.locator("#explorer canvas[data-part=canvas]")
    look(page, "one")
    page.locator("#explorer input[data-part=view]").fill("0")
    drawn(page)
    x, y = patch_point(page, 0.47, 0.47)
    canvas.click(position={"x": x, "y": y})
    playwright.expect(page.locator("#explorer [data-part=history] li").first).to_contain_text(
        f"frame 1, row {SIDE}, column {SIDE}"
    )
    canvas.press("Escape")
    look(page, "all")


def test_the_timeline_chooses_frame_and_layer(page):
    choose_tab(page, "frames")
    time = page.locator("#explorer canvas[data-part=time]")
    time.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    before = drawn(page, "time")
    time.click(position={"x": time.bounding_box()["width"] - 8, "y": time.bounding_box()["height"] - 5})
    assert drawn(page, "time") != before
    assert page.locator("#explorer output[data-part=viewValue]").inner_text() == "8 of 8"
    assert page.locator("#explorer output[data-part=layerValue]").inner_text() == "11 (0 to 11)"
    playwright.expect(page.locator("#explorer [data-part=timeNote]")).to_contain_text("At layer 11, 0 of 8 frames")


def test_figures_are_drawn_when_they_are_opened(page):
    open_figures(page)
    for figure in ("groups", "alive", "scores"):
        keep(page.locator(f"#{figure}"), f"{figure}")


def test_the_figures_follow_their_slider_without_the_model(page):
    open_figures(page)
    answer, alive, scores = said(page, "aim"), source(page, "alive"), source(page, "scores")
    slide(page, "layer", 6)
    wait_for_change(page, "alive", alive)
    wait_for_change(page, "scores", scores)
    playwright.expect(page.locator("#alive_caption")).to_contain_text("At layer 6")
    alive = source(page, "alive")
    page.locator("#layer input[type=range]").press("ArrowRight")
    wait_for_change(page, "alive", alive)
    playwright.expect(page.locator("#alive_caption")).to_contain_text("At layer 7")
    assert said(page, "aim") == answer
    page.locator("#figures button").first.click()


def test_a_moved_slider_runs_again_by_itself_and_the_last_value_wins(own):
    assert re.fullmatch(TIME, said(own, "aim-time"))
    for ratio in (0.2, 0.3, 0.4):
        slide(own, "keep_ratio", ratio)
    playwright.expect(own.locator("#answers [data-part=aim-tokens]")).to_have_text(tokens(4, 0.4))
    assert said(own, "aim-time") == "–"  # not timed beside a dense run
    playwright.expect(own.locator("#comparison_table")).to_contain_text("press Run to time both")
    slide(own, "frames", 3)
    playwright.expect(own.locator("#answers [data-part=dense-tokens]")).to_have_text(tokens(3))
    playwright.expect(own.locator("#explorer output[data-part=viewValue]")).to_contain_text("of 3")


def test_l2_stays_above_l1_and_both_reach_the_model(own):
    slide(own, "l1", 10)
    own.wait_for_function("document.querySelector('#l2 input[type=number]').value === '11'")
    slide(own, "l2", 4)
    own.wait_for_function("document.querySelector('#l1 input[type=number]').value === '3'")
    assert value_of(own, "l2") == 4
    own.locator("#explorer input[data-part=layer]").fill("4")
    playwright.expect(own.locator("#explorer [data-part=timeNote]")).to_contain_text("0 of 4 frames")
    run(own)
    assert re.search(rf"{tokens(4)}\s+{tokens(4, 0.5)}", comparison_table(own))
    assert re.fullmatch(TIME, said(own, "aim-time"))


def test_enter_asks(page):
    with one_run(page):
        page.locator("#question textarea").press("Enter")


def test_bad_input_is_a_sentence_and_nothing_is_lost(page):
    answer = said(page, "aim")
    page.fill("#question textarea", "")
    page.click("#run")
    toast = page.locator("[data-testid=toast-body]").first
    playwright.expect(toast).to_contain_text("Type a question")
    assert said(page, "aim") == answer
    assert page.locator("#explorer .tx[data-empty=false]").count()
    page.wait_for_selector("#stop[disabled]")


def test_the_estimate_follows_the_sliders_before_any_run_and_without_the_server(browser, served):
    with opened(browser, served) as page:
        estimate_follows(page)


def estimate_follows(page) -> None:
    page.wait_for_selector("#estimate svg")
    shown = page.locator("#estimate [data-part=tokens]")
    playwright.expect(shown).to_have_text(tokens(8, 0.25))
    page.route("**/queue/join*", lambda route: None)  # the server never answers
    slide(page, "keep_ratio", 0.5)
    playwright.expect(shown).to_have_text(tokens(8, 0.5))
    slide(page, "frames", 16)
    playwright.expect(shown).to_have_text(tokens(16, 0.5))
    curve, flops = page.locator("#estimate svg path").last.get_attribute("d"), page.inner_text("[data-part=flops]")
    slide(page, "l1", 2)
    page.wait_for_function(
        "d => [...document.querySelectorAll('#estimate svg path')].pop().getAttribute('d') !== d", arg=curve
    )
    assert page.inner_text("#estimate [data-part=flops]") != flops


SIZES = [(2560, 1300), (1280, 900), (390, 844)]  # the narrowest last: what is once too wide may stay so


def test_every_width_and_both_themes_without_scrolling_sideways(browser, served):
    with opened(browser, served) as page:
        empty = [stage(page, *size) for size in SIZES]
        page.locator("#video_samples tbody tr, #video_samples button.gallery-item").first.click()
        page.wait_for_selector("#video video")
        assert page.input_value("#question textarea")
        run(page)
        for size, before in zip(SIZES, empty, strict=True):
            assert stage(page, *size) == before  # a run does not move the page
            assert depth_of_grids(page) <= 5  # each is laid out twice by the one around it: at 7, a change took 0.2 s
            fits(page, size[0])
    with opened(browser, served, width=390, height=844) as page:  # narrow from the start, as on a telephone
        assert stage(page, 390, 844) == empty[-1] and page.evaluate("document.documentElement.scrollWidth") <= 390


def depth_of_grids(page) -> int:
    """How many grids lie in one another at most."""
    return page.evaluate("""() => {
        const depth = (node) => node ? depth(node.parentElement) + (getComputedStyle(node).display === 'grid') : 0;
        return Math.max(...[...document.querySelectorAll('#results *')].map(depth)); }""")


def stage(page, width: int, height: int) -> list[float]:
    """Width and height of the explorer's stage in a window of this size."""
    page.set_viewport_size({"width": width, "height": height})
    drawn(page)
    box = "document.querySelector('#explorer .tx-stage').getBoundingClientRect()"
    return page.evaluate(f"[{box}.width, {box}.height]")


def fits(page, width: int) -> None:
    look(page, "alive")
    for theme in ("light", "dark"):
        page.evaluate("dark => document.body.classList.toggle('dark', dark)", theme == "dark")
        drawn(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        keep(page, f"page_{width}_{theme}", full_page=True)
    if width == 1280:
        _readme(page)


def _readme(page) -> None:
    """The picture in the README: answers and explorer with a patch that is followed, light."""
    page.set_viewport_size({"width": 1760, "height": 1000})
    page.evaluate("document.body.classList.remove('dark')")
    look(page, "groups")
    drawn(page)
    canvas = page.locator("#explorer canvas[data-part=canvas]")
    box = canvas.bounding_box()
    canvas.click(position={"x": box["width"] * 0.058, "y": box["height"] * 0.29})
    drawn(page)
    page.evaluate("scrollTo(0, 0)")
    top = page.locator("#asked").bounding_box()["y"] - 20
    end = page.locator("#explorer .tx-patch").bounding_box()
    clip = {"x": 40, "y": top, "width": 1680, "height": end["y"] + end["height"] + 12 - top}
    keep(page, "readme", full_page=True, clip=clip)
