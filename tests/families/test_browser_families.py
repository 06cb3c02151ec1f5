"""Other families in a real Chromium: pairs of frames in planes, and a picture in tiles or from a model for pictures."""

from __future__ import annotations

import pytest

from tests.helpers.browsing import FIGURES, PATIENCE, SCREENSHOTS, drawn, look, run, said, show, slide
from tests.helpers.server import app_server

playwright = pytest.importorskip("playwright.sync_api")
playwright.expect.set_options(timeout=PATIENCE)
pytestmark = pytest.mark.browser
CASES = [("qwen3_vl", "video"), ("internvl", "image"), ("llava", "image")]


@pytest.fixture(scope="module", params=CASES, ids=lambda case: "-".join(case))
def asked(request, browser, family_folder, blocks, tmp_path_factory):
    """The family's page after one run; what was asked about; what its scripts broke."""
    name, kind = request.param
    with app_server(tmp_path_factory.mktemp("served") / "log.txt", "--model", str(family_folder(name))) as address:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(PATIENCE)
        page.broken = []
        page.on("pageerror", lambda error: page.broken.append(str(error)))
        page.goto(address)
        page.wait_for_selector("#run")
        if kind == "image" and name != "llava":
            page.get_by_role("tab", name="Image").click()
        page.set_input_files(f"#{kind} input[type=file]", str(blocks[kind]))
        page.wait_for_selector(f"#{kind} {'video' if kind == 'video' else 'img'}")
        page.fill("#question textarea", "what moves?")
        playwright.expect(page.locator("#estimate [data-part=how]")).to_contain_text("192×128 pixels")
        before = page.inner_text("#estimate [data-part=tokens]"), page.inner_text("#estimate [data-part=tokensOf]")
        run(page)
        yield name, kind, page, before
        page.close()


def test_1_the_estimate_before_the_run_is_what_it_took(asked):
    *_, page, (tokens, dense) = asked
    assert said(page, "aim-tokens") == tokens and dense == f"of {said(page, 'dense-tokens')}"


def test_2_every_view_is_drawn(asked):
    name, _, page, _ = asked
    seen = set()
    for view in ("original", "groups", "alive", "scores", "size", "death"):
        look(page, view)
        seen.add(drawn(page))
        page.locator("#explorer").screenshot(path=SCREENSHOTS / f"{name}_{view}.png")
    assert len(seen) == 6
    page.screenshot(path=SCREENSHOTS / f"{name}_page.png", full_page=True)


def test_3_figures_open_and_follow_a_slider(asked):
    name, _, page, _ = asked
    page.locator("#figures button").first.click()
    for figure in FIGURES:
        show(page, figure)
    page.locator("#groups").screenshot(path=SCREENSHOTS / f"{name}_groups_figure.png")
    slide(page, "layer", 4)
    playwright.expect(page.locator("#alive_note")).to_contain_text("At layer 4")


def test_4_a_moved_slider_runs_again(asked):
    *_, page, _ = asked
    before = said(page, "aim-tokens")
    slide(page, "keep_ratio", 0.8)
    playwright.expect(page.locator("#answers [data-part=aim-tokens]")).not_to_have_text(before)
    estimate = page.inner_text("#estimate [data-part=tokens]")
    playwright.expect(page.locator("#answers [data-part=aim-tokens]")).to_have_text(estimate)


def test_5_a_saved_run_comes_back(asked, tmp_path):
    *_, page, _ = asked
    page.locator("#exports button").first.click()
    with page.expect_download() as download:
        page.locator("#export_saved").click()
    download.value.save_as(tmp_path / "run.npz")
    answer, shown = said(page, "aim"), drawn(page)
    page.set_input_files("#exports input[type=file]", str(tmp_path / "run.npz"))
    playwright.expect(page.locator("#load_note")).to_contain_text("A saved run is on the page")
    assert said(page, "aim") == answer and drawn(page) == shown


def test_6_no_script_broke(asked):
    assert not asked[2].broken
