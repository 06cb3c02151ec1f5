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
        settings = {"viewport": {"width": 1200, "height": 900}} | settings
        self.page = panel_page(browser, "explorer", props, **settings)
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
        views = self.page.evaluate("props.value.record.views")
        (tall, wide), caption = views[frame]["size"], 52 if len(views) > 1 else 20
        scale = min((width - 20) / wide, (height - 20 - caption) / tall)
        middle = width / 2, (height - caption) / 2
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
        bare=engine.run(frames, "is there a star?", config=AimConfig(0.25, 3, 7), max_new_tokens=2),
        dense=engine.run(frames, "is there a star?", config=AimConfig.dense(), max_new_tokens=2),
        other=ask(np.ascontiguousarray(frames[:, ::-1]), 0.25),
    )


@pytest.fixture
def explorer(browser, runs):
    alone = Alone(browser, runs.plain)
    yield alone
    alone.page.close()


def test_the_same_frames_are_looked_at_by_other_scorers(explorer, runs):
    trace = runs.plain.trace
    layer = trace.layers[trace.scored_layers[0]]
    explorer.part("layer").fill(str(layer.layer))
    assert explorer.part("scorers").get_attribute("data-used") == "false"
    explorer.choose("scores")
    drawn = {}
    for scorer, scores in (("pagerank", layer.scores), ("received", layer.received), ("lastToken", layer.last_token)):
        explorer.part("scorer").select_option(scorer)
        drawn[scorer] = explorer.drawn()
        assert f"explains {layer.early_of(scores):.2f} of it." in explorer.said("overlayNote")
        assert f"explains {layer.early_of(scores):.2f} of this ranking" in explorer.said("timeNote")
        assert explorer.part("steps").get_attribute("data-used") == ("iteration" if scorer == "pagerank" else "no")
    assert len({*drawn.values()}) == 3
    explorer.part("canvas").hover(position=explorer.point(1, 0.5, 0.5))
    by_last = explorer.reading()
    explorer.part("scorer").select_option("pagerank")
    assert explorer.reading()["score"] != by_last["score"] and by_last["score"] != "–"


def test_without_other_scores_there_is_no_choice(explorer, runs):
    explorer.choose("scores")
    explorer.part("scorer").select_option("received")
    explorer.give(runs.bare)
    explorer.rest()
    assert explorer.part("scorers").get_attribute("data-used") == "false"
    assert explorer.part("scorer").input_value() == "pagerank" and "AIM prunes by it" in explorer.said("overlayNote")


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
    trace = runs.plain.trace
    alike = [len({*trace.rows()[view][trace.alive(4)[view]]}) / kept for view in range(4)]
    share = f"{round(100 * max(alike))} % of what visual tokens hold"
    assert "at this step: frame" in explorer.said("timeNote") and share in explorer.said("timeNote")
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


def corner(explorer, frame: int, x: float, y: float) -> tuple[float, float]:
    """A place of a frame, on the screen."""
    box, point = explorer.part("canvas").bounding_box(), explorer.point(frame, x, y)
    return box["x"] + point["x"], box["y"] + point["y"]


def groups_inside(trace, frames: range, rows: range, cols: range) -> set[int]:
    """Tokens with at least half of their patches of one of these frames in these rows and columns of its 8×8."""
    area = {8 * row + col for row in rows for col in cols}
    own = [(int(token), {*np.flatnonzero(trace.rows()[at] == token)}) for at in frames for token in {*trace.rows()[at]}]
    return {token for token, patches in own if 2 * len(patches & area) >= len(patches)}


def marked(explorer, trace, kind: str) -> set[int]:
    """Tokens that the server is asked with."""
    explorer.part("ask").click()
    return {int(trace.rows()[view, patch]) for view, patch in explorer.page.evaluate("asked.at(-1)")[1][kind]}


def test_a_drag_marks_an_area_through_all_frames_and_again_takes_it_off(explorer, runs):
    trace, mouse = runs.plain.trace, explorer.page.mouse
    explorer.choose("remove")
    start, end = corner(explorer, 1, 0.2, 0.2), corner(explorer, 1, 0.7, 0.45)  # rows 1 to 3, columns 1 to 5
    before = explorer.drawn()
    inside = groups_inside(trace, range(4), range(1, 4), range(1, 6))

    def draw() -> None:
        mouse.move(*start)
        mouse.down()
        mouse.move(*end, steps=3)

    draw()
    assert explorer.said("overridesNote").startswith(f"3×5 patches: {len(inside)} groups will be removed.")
    assert explorer.drawn() != before and explorer.is_off("ask") and explorer.is_off("undoMark")
    mouse.up()
    assert explorer.said("overridesNote").startswith(f"0 protected, {len(inside)} removed; not asked yet")
    draw()
    assert explorer.said("overridesNote").startswith(f"3×5 patches: {len(inside)} groups will lose their marks.")
    mouse.up()
    assert explorer.is_off("clear")
    explorer.part("canvas").press("Control+z")
    assert marked(explorer, trace, "remove") == inside
    explorer.part("undoMark").click()
    assert explorer.is_off("clear") and explorer.is_off("undoMark")


def test_a_drag_may_keep_to_its_frame_and_escape_gives_it_up(explorer, runs):
    mouse, (x, y) = explorer.page.mouse, corner(explorer, 0, 0.05, 0.05)
    for tool in ("look", "protect"):
        explorer.choose(tool)
        mouse.move(x, y)
        mouse.down()
        mouse.move(*corner(explorer, 0, 0.55, 0.55), steps=3)
        if tool == "protect":
            assert "groups will be protected" in explorer.said("overridesNote")
            explorer.page.keyboard.press("Escape")
        mouse.up()
        assert explorer.is_off("clear") and explorer.is_off("undoMark")
        assert "Protect or remove groups by hand" in explorer.said("overridesNote")
    explorer.part("canvas").press("Escape")
    explorer.part("through").uncheck()
    mouse.move(x, y)
    mouse.down()
    mouse.move(*corner(explorer, 0, 1.4, 0.3), steps=3)  # past the side of the frame
    mouse.up()
    assert marked(explorer, runs.plain.trace, "protect") == groups_inside(
        runs.plain.trace, range(1), range(3), range(8)
    )


def test_an_area_is_marked_by_keys(explorer, runs):
    canvas = explorer.part("canvas")
    explorer.choose("protect")
    explorer.part("through").uncheck()
    for key in ("PageDown", "ArrowRight", "Shift+ArrowDown", "Shift+ArrowRight", "Shift+ArrowRight", "Shift+ArrowUp"):
        canvas.press(key)
    assert explorer.said("overridesNote").startswith("1×3 patches")
    canvas.press("Escape")
    assert explorer.is_off("clear") and "Protect or remove" in explorer.said("overridesNote")
    canvas.press("ArrowLeft")
    for _ in range(4):
        canvas.press("Shift+ArrowRight")
        canvas.press("Shift+ArrowDown")
    canvas.press("Enter")
    inside = groups_inside(runs.plain.trace, range(1, 2), range(5), range(2, 7))
    assert marked(explorer, runs.plain.trace, "protect") == inside and inside


def test_a_finger_draws_an_area_in_a_mark_mode_and_scrolls_the_page_in_look(browser, runs):
    settings = {"has_touch": True, "viewport": {"width": 390, "height": 844}}
    alone = Alone(browser, runs.plain, **settings)
    touch = alone.page.context.new_cdp_session(alone.page)
    canvas = alone.part("canvas")

    def swipe(*moves: tuple[float, float]) -> None:
        for kind, points in zip(("touchStart", *["touchMove"] * (len(moves) - 1)), moves, strict=True):
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": points[0], "y": points[1]}]})
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        alone.rest()

    def upwards() -> list[tuple[float, float]]:
        (x, y), (right, top) = corner(alone, 0, 0.45, 0.8), corner(alone, 0, 0.8, 0.2)
        return [(x + (right - x) * part / 8, y + (top - y) * part / 8) for part in range(9)]

    swipe(*upwards())
    alone.page.wait_for_function("scrollY > 50")
    assert alone.is_off("clear")
    alone.choose("remove")
    canvas.scroll_into_view_if_needed()
    at = alone.page.evaluate("scrollY")
    swipe(*upwards())
    assert alone.page.evaluate("scrollY") == at
    inside = groups_inside(runs.plain.trace, range(4), range(1, 7), range(3, 7))
    assert marked(alone, runs.plain.trace, "remove") == inside
    assert all(
        button.bounding_box()["height"] >= 44 for button in alone.page.locator(".tx-overrides :is(label, button)").all()
    )
    assert alone.page.evaluate("document.documentElement.scrollWidth") <= 390
    alone.page.close()


def test_the_answer_with_marks_is_said_beside_them_as_long_as_they_stand(browser, runs):
    told = {"aim": "left", "hand": "right of <b>", "same": False, "entered": 63, "enteredAlone": 64}
    alone = Alone(browser, runs.plain)
    give = "async value => { props.value = value; await changed(); }"
    assert not alone.part("handSaid").is_visible()
    alone.choose("remove")
    alone.click(1, 0.94, 0.94)
    alone.choose("protect")
    alone.click(0, 0.06, 0.06)
    alone.part("ask").click()
    assert alone.said("overridesNote") == "Asking again with these marks …" and alone.is_off("ask")
    refused = {"refused": {"sentence": "They cannot be kept together.", "at": 1}}
    alone.page.evaluate(give, value_of(runs.plain) | refused)
    assert alone.said("overridesNote") == "They cannot be kept together." and not alone.is_off("ask")
    alone.part("undoMark").click()
    assert alone.said("overridesNote").startswith("0 protected, 1 removed; not asked yet")
    alone.click(0, 0.06, 0.06)
    alone.part("ask").click()
    alone.page.evaluate(give, value_of(runs.marked) | {"hand": told})
    assert alone.said("overridesNote").startswith("This run was asked with these marks: 1 protected, 1 removed")
    said = "Another answer. By hand right of <b> AIM left 63 visual tokens entered; without the marks 64."
    assert alone.said("handSaid") == said
    assert alone.part("handSaid").locator("xpath=..").get_attribute("role") == "status"
    alone.click(0, 0.94, 0.06)
    alone.rest()
    assert not alone.part("handSaid").is_visible() and "not asked yet" in alone.said("overridesNote")
    alone.part("undoMark").click()
    assert alone.said("handSaid") == said
    alone.page.close()


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
