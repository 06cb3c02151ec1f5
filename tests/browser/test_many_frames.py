"""32 frames stay readable: large enough in rows, one alone with its neighbours at hand, numbers in the timeline."""

from __future__ import annotations

import pytest

from tests.helpers.browsing import ask, choose_tab, drawn, keep, opened

playwright = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.browser
FRAMES = 32
DEVICES = {1440: {}, 390: {"has_touch": True, "is_mobile": True}}
CANVAS = "#explorer canvas[data-part=canvas]"


@pytest.fixture(scope="module", params=DEVICES, ids=str)
def asked(request, browser, served, clip):
    with opened(browser, served, f"/#frames={FRAMES}", request.param, 900, **DEVICES[request.param]) as page:
        ask(page, clip)
        yield page


@pytest.fixture
def page(asked):
    """All frames, none pinned, in view."""
    canvas = asked.locator(CANVAS)
    for _ in range(2):
        canvas.press("Escape")
    asked.locator("#explorer [data-part=view]").fill("0")
    canvas.scroll_into_view_if_needed()
    return asked


def places(page) -> tuple[int, int, float]:
    """Columns and rows of square frames on the canvas, and how large each is, as the layout has it: the largest."""
    box = page.locator(CANVAS).bounding_box()
    sizes = []
    for columns in range(1, FRAMES + 1):
        rows = -(-FRAMES // columns)
        wide = (box["width"] - 10 * (columns + 1)) / columns
        tall = (box["height"] - 10 * (rows + 1)) / rows - 20
        sizes.append((min(wide, tall), columns, rows))
    side, columns, rows = max(sizes, key=lambda one: one[0])
    return columns, rows, side


def corner(page, frame: int) -> tuple[float, float, float]:
    """Left and top of a frame on the canvas, from 0, and its side."""
    columns, rows, side = places(page)
    box = page.locator(CANVAS).bounding_box()
    left = (box["width"] - columns * side - (columns - 1) * 10) / 2 + frame % columns * (side + 10)
    top = (box["height"] - rows * (side + 20) - (rows - 1) * 10) / 2 + frame // columns * (side + 30)
    return left, top, side


def shown(page) -> str:
    drawn(page)
    return page.locator("#explorer [data-part=viewValue]").inner_text()


def is_alone(page) -> bool:
    drawn(page)
    return page.locator("#explorer [data-part=turns]").is_visible()


def test_all_frames_are_large_enough_to_be_read(page):
    width = page.viewport_size["width"]
    columns, rows, side = places(page)
    assert side >= (95 if width > 600 else 54) and columns * rows >= FRAMES
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    keep(page, f"frames_{width}")


def test_a_double_click_shows_a_frame_alone_with_its_neighbours(page):
    left, top, side = corner(page, 9)
    before = drawn(page)
    page.locator(CANVAS).dblclick(position={"x": left + side / 2, "y": top + side / 2})
    assert is_alone(page) and shown(page).startswith("10 ") and drawn(page) != before
    page.click("#explorer [data-part=viewNext]")
    assert shown(page).startswith("11 ")
    page.click("#explorer [data-part=viewBack]")
    page.click("#explorer [data-part=viewBack]")
    assert shown(page).startswith("9 ")
    keep(page.locator("#explorer"), f"frame_alone_{page.viewport_size['width']}")
    page.locator(CANVAS).press("Escape")
    assert not is_alone(page)


def test_a_caption_and_a_key_do_the_same(page):
    left, top, side = corner(page, 20)
    page.locator(CANVAS).click(position={"x": left + 10, "y": top + side + 10})
    assert is_alone(page) and shown(page).startswith("21 ")
    page.click("#explorer [data-part=viewsAll]")
    assert not is_alone(page)
    page.locator(CANVAS).press("z")
    assert is_alone(page) and shown(page).startswith("21 ")


def test_two_fingers_enlarge_a_frame_and_shrink_it(page):
    if page.viewport_size["width"] > 600:
        pytest.skip("a mouse has no second finger")
    protocol = page.context.new_cdp_session(page)
    left, top, side = corner(page, 5)
    box = page.locator(CANVAS).bounding_box()
    x, y = box["x"] + left + side / 2, box["y"] + top + side / 2

    def pinch(*distances):
        for at, distance in enumerate(distances):
            points = [{"x": x + sign * distance / 2, "y": y, "id": index} for index, sign in enumerate((-1, 1))]
            kind = "touchMove" if at else "touchStart"
            protocol.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        protocol.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    pinch(20, 24, 32)
    assert is_alone(page) and shown(page).startswith("6 ")
    pinch(60, 50, 30)
    assert not is_alone(page)


def test_the_timeline_has_room_for_every_frame_and_scrolls_to_the_chosen_one(page):
    choose_tab(page, "frames")
    width, room = page.evaluate(
        "(() => { const c = document.querySelector('#explorer [data-part=time]');"
        " return [c.clientWidth, c.parentElement.clientWidth]; })()"
    )
    assert (width - 46) / FRAMES >= 36 and width > room  # a thumbnail is four pixels narrower than its column
    time = page.locator("#explorer [data-part=time]")
    scrolled = "document.querySelector('#explorer [data-part=time]').parentElement.scrollLeft"
    page.locator("#explorer [data-part=view]").fill("31")
    drawn(page, "time")
    assert page.evaluate(scrolled) == pytest.approx(width - room, abs=1)
    column = (width - 46) / FRAMES
    time.click(position={"x": 46 + 29.5 * column, "y": 40})
    assert shown(page).startswith("30 ")
    page.locator("#explorer [data-part=view]").fill("0")
    drawn(page, "time")
    assert page.evaluate(scrolled) == 0
    keep(page.locator("#explorer [data-part=framesTab]"), f"timeline_{page.viewport_size['width']}")
