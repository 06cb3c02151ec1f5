"""Other families in a real Chromium: pairs of frames in planes, and a picture in tiles or from a model for pictures."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers.browsing import FIGURES, drawn, keep, look, opened, run, said, show, slide, value_of
from tests.helpers.here import app_here, quick
from tests.helpers.server import app_server

playwright = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.browser
CASES = [("qwen3_vl", "video"), ("internvl", "image"), ("llava", "image")]


@pytest.fixture(scope="module", params=CASES, ids=lambda case: "-".join(case))
def asked(request, browser, family_folder, blocks, tmp_path_factory):
    """The family's page after one run; tokens with AIM and dense, as estimated before and as shown after it.

    One of them is started as a user starts it.
    """
    name, kind = request.param
    log, folder = tmp_path_factory.mktemp("served") / "log.txt", str(family_folder(name))
    started = app_server(log, "--model", folder) if name == "llava" else app_here(quick(folder))
    with started as address, opened(browser, address) as page:
        if name == "llava":  # the page is there before it
            playwright.expect(page.locator("#notice")).to_contain_text(Path(folder).name)
        if kind == "image" and name != "llava":
            page.get_by_role("tab", name="Image").click()
        page.set_input_files(f"#{kind} input[type=file]", str(blocks[kind]))
        page.wait_for_selector(f"#{kind} {'video' if kind == 'video' else 'img'}")
        page.fill("#question textarea", "what moves?")
        playwright.expect(page.locator("#estimate [data-part=how]")).to_contain_text("192×128 pixels")
        before = page.inner_text("#estimate [data-part=tokens]"), page.inner_text("#estimate [data-part=tokensOf]")
        run(page)
        yield name, page, before, (said(page, "aim-tokens"), f"of {said(page, 'dense-tokens')}")


def test_the_estimate_before_the_run_is_what_it_took(asked):
    *_, before, after = asked
    assert before == after


def test_every_view_is_drawn(asked):
    name, page, *_ = asked
    page.locator("#explorer input[data-part=layer]").fill(str(int(value_of(page, "l1"))))  # the first with scores
    seen = set()
    for view in ("original", "groups", "alive", "scores", "size", "lastLayer"):
        look(page, view)
        seen.add(drawn(page))
        keep(page.locator("#explorer"), f"{name}_{view}")
    assert len(seen) == 6
    keep(page, f"{name}_page", full_page=True)


def test_figures_open_and_follow_a_slider(asked):
    name, page, *_ = asked
    page.locator("#figures button").first.click()
    playwright.expect(page.locator("#alive_caption")).to_contain_text("At layer ")
    scored = int(value_of(page, "l1"))  # the first layer with scores
    slide(page, "layer", scored)
    playwright.expect(page.locator("#alive_caption")).to_contain_text(f"At layer {scored}")
    for figure in FIGURES:
        show(page, figure)
    keep(page.locator("#groups"), f"{name}_groups_figure")
    slide(page, "layer", scored + 1)
    playwright.expect(page.locator("#alive_caption")).to_contain_text(f"At layer {scored + 1}")


def test_a_moved_slider_runs_again(asked):
    _, page, *_ = asked
    before = said(page, "aim-tokens")
    slide(page, "keep_ratio", 0.8)
    playwright.expect(page.locator("#answers [data-part=aim-tokens]")).not_to_have_text(before)
    estimate = page.inner_text("#estimate [data-part=tokens]")
    playwright.expect(page.locator("#answers [data-part=aim-tokens]")).to_have_text(estimate)


def test_a_saved_run_comes_back_on_another_page(asked, browser, tmp_path):
    _, page, *_ = asked
    page.locator("#exports button").first.click()
    with page.expect_download() as download:
        page.locator("#export_saved").click()
    download.value.save_as(tmp_path / "run.npz")
    with opened(browser, page.url.partition("#")[0]) as other:
        other.locator("#exports button").first.click()
        other.set_input_files("#exports input[type=file]", str(tmp_path / "run.npz"))
        playwright.expect(other.locator("#load_note")).to_contain_text("A saved run is on the page")
        for one in (page, other):
            look(one, "groups")
        assert said(other, "aim") == said(page, "aim") and drawn(other) == drawn(page)
