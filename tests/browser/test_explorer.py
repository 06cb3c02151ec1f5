"""The explorer in a real Chromium, alone with runs of a real engine: steps, marks by hand, views of other grids."""

from __future__ import annotations

import base64
import io
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from aim_core.config import AimConfig
from aim_core.layer_trace import LayerTrace
from aim_core.overrides import TokenOverrides
from aim_core.trace import Trace
from aim_core.view import View
from page.components.explorer.record import explorer_record
from page.i18n import ENGLISH
from tests.helpers.drawn_trace import make_result
from tests.helpers.modules import panel_page
from visual.palette import browser_palette
from visual.view_pictures import view_pictures

playwright = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.browser


def value_of(result) -> dict:
    """What the component hands to the browser, with the pictures in place of their addresses."""
    urls = [{"url": f"data:image/png;base64,{png(picture)}"} for picture in view_pictures(result.trace)]
    return {"pictures": urls, "record": explorer_record(result.trace, result.overrides)}


def png(picture: np.ndarray) -> str:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode("ascii")


class Alone:
    """The explorer on a page of its own."""

    def __init__(self, browser, result, **settings):
        props = {"value": value_of(result), "texts": {"en": ENGLISH["EXPLORER"]}, "palette": browser_palette()}
        size = {"width": 1200, "height": 900}
        self.page = panel_page(browser, "explorer", props, viewport=size, **settings)
        self.page.wait_for_selector(".tx[data-empty=false]")

    def give(self, result) -> None:
        """Another run, as after a slider moved."""
        self.page.evaluate("async value => { props.value = value; await changed(); }", value_of(result))

    def part(self, name: str):
        return self.page.locator(f"[data-part={name}]")

    def choose(self, value: str) -> None:
        self.page.locator(f"input[value={value}]").check(force=True)

    def rest(self) -> None:
        """Wait until what was done has been drawn."""
        self.page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def said(self, name: str) -> str:
        self.rest()
        return self.part(name).inner_text()

    def is_off(self, name: str) -> bool:
        self.rest()
        return self.part(name).is_disabled()

    def drawn(self) -> str:
        """The canvas, once it has come to rest."""
        self.page.wait_for_timeout(550)  # links grow for 450 ms
        return self.page.evaluate("document.querySelector('[data-part=canvas]').toDataURL()")

    def point(self, frame: int, x: float, y: float) -> dict:
        """Where a place of a frame, in shares of it, lies on the canvas while one frame fills it."""
        self.choose("one")
        self.part("view").fill(str(frame))
        self.drawn()
        width, height = (self.part("canvas").bounding_box()[side] for side in ("width", "height"))
        tall, wide = self.page.evaluate("n => props.value.record.views[n].size", frame)
        scale = min((width - 20) / wide, (height - 40) / tall)
        middle = width / 2, (height - 20) / 2
        return {"x": middle[0] + (x - 0.5) * scale * wide, "y": middle[1] + (y - 0.5) * scale * tall}

    def click(self, frame: int, x: float, y: float) -> None:
        self.part("canvas").click(position=self.point(frame, x, y))

    def reading(self) -> dict[str, str]:
        self.drawn()
        return {field.get_attribute("data-field"): field.inner_text() for field in self.page.locator("dd").all()}


@pytest.fixture(scope="module")
def runs(engine, frames):
    """The same request without and with marks by hand, at another ratio, and dense; and turned on its head."""
    ask = lambda media, ratio, **more: engine.run(  # noqa: E731
        media, "is there a star?", config=AimConfig(ratio, 3, 7), max_new_tokens=2, details=True, **more
    )
    marks = TokenOverrides(protect=((0, 0),), remove=((1, 63),))
    return SimpleNamespace(
        plain=ask(frames, 0.25),
        marked=ask(frames, 0.25, overrides=marks),
        finer=ask(frames, 0.5),
        dense=engine.run(frames, "is there a star?", config=AimConfig.dense(), max_new_tokens=2),
        other=ask(np.ascontiguousarray(frames[:, ::-1]), 0.25),
    )


@pytest.fixture
def explorer(browser, runs):
    alone = Alone(browser, runs.plain)
    yield alone
    alone.page.close()


def test_merging_is_stepped_by_buttons_keys_and_play(explorer):
    end = explorer.drawn()
    assert explorer.said("stepValue") == "2 of 2"
    assert explorer.said("stepCounts") == "256 → 128 → 64 tokens"
    explorer.part("stepBack").click()
    middle = explorer.drawn()
    assert explorer.part("stepCounts").locator("strong").inner_text() == "128"
    explorer.part("canvas").press(",")
    before = explorer.drawn()
    assert len({end, middle, before}) == 3 and explorer.said("stepValue") == "before"
    assert explorer.is_off("stepBack")
    assert explorer.part("step").get_attribute("aria-valuetext") == "before, 256 visual tokens"
    explorer.part("canvas").press(".")
    assert explorer.drawn() == middle
    explorer.part("stepPlay").click()
    explorer.page.wait_for_function("document.querySelector('[data-part=step]').value === '2'")
    explorer.part("stepPlay").click()
    assert explorer.part("stepPlay").get_attribute("aria-pressed") == "false"


def test_links_of_a_round_are_drawn_on_request(explorer):
    explorer.part("step").fill("1")
    without = explorer.drawn()
    explorer.part("links").check()
    first = explorer.drawn()
    explorer.part("step").fill("2")
    assert len({without, first, explorer.drawn()}) == 3
    explorer.part("step").fill("0")
    none = explorer.drawn()
    explorer.part("links").uncheck()
    assert explorer.drawn() == none  # nothing is linked before the first round


def test_links_stand_still_where_motion_is_not_welcome(browser, runs):
    alone = Alone(browser, runs.plain, reduced_motion="reduce")
    alone.part("links").check()
    alone.rest()
    at_once = alone.page.evaluate("document.querySelector('[data-part=canvas]').toDataURL()")
    assert alone.drawn() == at_once
    alone.page.close()


def test_pagerank_is_stepped_for_all_heads_and_for_one(explorer, runs):
    explorer.choose("scores")
    end = explorer.drawn()
    assert explorer.said("stepValue") == "5 of 5"
    explorer.choose("log")
    whole = explorer.drawn()
    explorer.part("head").select_option("0")
    assert len({end, whole, explorer.drawn()}) == 3
    explorer.choose("rank")
    explorer.part("step").fill("0")
    explorer.part("canvas").hover(position=explorer.point(0, 0.1, 0.1))
    kept = len(runs.plain.trace.layers[4].kept)
    assert explorer.reading()["rank"] == f"1 of {kept}"  # all hold the same before the first iteration
    assert "same share" in explorer.said("overlayNote")
    explorer.part("stepNext").click()
    assert "hands its share on" in explorer.said("overlayNote")


def test_steps_that_were_not_recorded_are_hidden_and_nothing_moves(explorer, runs):
    height = explorer.part("root").bounding_box()["height"]
    for view in ("scores", "alive", "original"):
        explorer.choose(view)
        explorer.rest()
        assert explorer.part("step").is_visible() == (view == "scores")
        assert explorer.part("root").bounding_box()["height"] == height
    explorer.give(runs.dense)
    for view in ("groups", "scores"):
        explorer.choose(view)
        explorer.rest()
        assert not explorer.part("step").is_visible()


def test_a_reading_tells_the_similarity_of_a_patch_to_its_token(explorer, runs):
    explorer.part("canvas").hover(position=explorer.point(2, 0.06, 0.06))
    assert explorer.reading()["similarity"] == f"{runs.plain.trace.similarity[2, 0]:.2f}"


def test_groups_are_marked_by_pointer_and_keys_and_the_server_is_asked(explorer):
    plain = explorer.drawn()
    assert explorer.is_off("ask") and explorer.is_off("clear")
    explorer.choose("protect")
    explorer.click(0, 0.06, 0.06)
    explorer.part("canvas").press("-")
    playwright.expect(explorer.page.locator("input[value=remove]")).to_be_checked()
    explorer.part("canvas").press("PageDown")
    explorer.part("canvas").press("ArrowRight")
    explorer.part("canvas").press("Enter")
    explorer.choose("all")
    assert explorer.drawn() != plain
    assert explorer.said("overridesNote").startswith("1 protected, 1 removed; not asked yet")
    explorer.part("ask").click()
    assert explorer.page.evaluate("asked") == [["overrides", {"protect": [[0, 0]], "remove": [[1, 1]]}]]
    explorer.part("clear").click()
    explorer.part("canvas").press("Escape")
    assert explorer.is_off("ask")


def test_a_second_click_takes_a_mark_off_and_the_other_tool_turns_it(explorer):
    explorer.choose("protect")
    explorer.click(0, 0.06, 0.06)
    explorer.choose("remove")
    explorer.click(0, 0.06, 0.06)
    assert explorer.said("overridesNote").startswith("0 protected, 1 removed")
    explorer.click(0, 0.06, 0.06)
    assert explorer.is_off("clear")


def test_marks_stay_with_their_frames_and_go_with_the_video(explorer, runs):
    explorer.choose("remove")
    explorer.click(1, 0.94, 0.94)
    explorer.give(runs.finer)
    assert explorer.said("overridesNote").startswith("0 protected, 1 removed")
    explorer.give(runs.other)
    assert explorer.is_off("clear")


def test_a_run_with_marks_shows_them_and_tells_what_they_did(browser, runs):
    alone = Alone(browser, runs.marked)
    assert alone.said("overridesNote").startswith("This run was asked with these marks")
    assert alone.is_off("ask")
    alone.click(1, 0.94, 0.94)
    assert alone.reading()["fate"] == "removed by hand"
    playwright.expect(alone.part("history")).to_contain_text("Removed by hand, before layer 0.")
    alone.part("canvas").press("Escape")
    alone.click(0, 0.06, 0.06)
    playwright.expect(alone.part("history")).to_contain_text("Protected by hand")
    alone.part("clear").click()
    assert "ask again" in alone.said("overridesNote") and not alone.is_off("ask")
    alone.page.close()


def test_views_of_every_grid_are_shown_and_read(browser, frames):
    halves = [View(0, (2,), (3, 2), (0, 0, 0.5, 1)), View(0, (2,), (4, 4), (0.5, 0, 1, 1))]
    views = (View(0, (0, 1), (3, 4)), *halves, View(0, (2,), (1, 2)))
    rows = [np.arange(12), np.arange(6) // 2 + 12, np.arange(16) + 15, np.array([31, 31])]
    layers = (LayerTrace(0, np.arange(32), np.zeros(0, np.float32)),)
    alone = Alone(browser, make_result(Trace.of_views(frames, np.arange(4), views, rows, layers, np.array([32]))))
    corners = ("frames 1–2, row 3, col 4", "crop 1, row 3, col 2", "crop 2, row 4, col 4")
    places = (*corners, "whole picture, 1×2, row 1, col 2")
    for view, (place, size) in enumerate(zip(places, "1212", strict=True)):
        alone.part("canvas").hover(position=alone.point(view, 0.95, 0.95))
        read = alone.reading()
        assert (read["place"], read["size"]) == (place, size)
    alone.part("canvas").press("ArrowLeft")
    alone.part("canvas").press("ArrowLeft")
    assert alone.reading()["place"] == "crop 2, row 1, col 4"  # past the side of a frame into the one before
    alone.page.close()
