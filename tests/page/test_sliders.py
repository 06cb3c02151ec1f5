"""The corners of the estimate's curve and the bar of a telephone: they move the page's sliders; without the app."""

from __future__ import annotations

import pytest

from page.i18n import ENGLISH
from tests.helpers.modules import panel_page
from visual.palette import browser_palette

pytestmark = pytest.mark.browser
PROMPT = {"views": [[144, 8]], "suffix": 1, "text": 20, "vision": 10**9}
SETTINGS = {"keep_ratio": 0.25, "l1": 6, "l2": 9, "frames": 1, "size": [96, 96], "prompts": [PROMPT]}
SIZES = {"hidden": 64, "kv": 32, "intermediate": 128, "q": 64}
REACH = {"keep_ratio": (0.02, 1, 0.01), "l1": (0, 12, 1), "l2": (1, 13, 1), "frames": (1, 32, 1)}
# Sliders as the page has them, which hand their value to the panel as an event of the page does.
SLIDERS = """reach => {
    for (const [id, [min, max, step, value]] of Object.entries(reach)) {
        const slider = Object.assign(document.createElement('input'), { type: 'range', min, max, step, value });
        const box = Object.assign(document.createElement('div'), { id });
        box.append(slider);
        document.body.append(box);
        slider.addEventListener('input', () => {
            props.value = { ...props.value, [id]: Number(slider.value) };
            window.changed?.(); }); } }"""


@pytest.fixture(scope="module")
def curve(browser):
    model = {"sizes": SIZES, "layers": 12, "bytes": 4, "formula": "n"}
    value = SETTINGS | {"model": model}
    props = {"value": value, "texts": {"en": ENGLISH["ESTIMATE"]}, "palette": browser_palette()}
    page = panel_page(browser, "estimate", props, has_touch=True, viewport={"width": 390, "height": 844})
    add_sliders(page)
    page.evaluate("changed()")
    yield page
    page.close()


def add_sliders(page) -> None:
    page.evaluate(SLIDERS, {name: [*reach, SETTINGS[name]] for name, reach in REACH.items()})


def values(page) -> list[float]:
    """Keep ratio, l1 and l2, once what was done has been drawn."""
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return page.evaluate("['keep_ratio', 'l1', 'l2'].map(id => Number(document.querySelector(`#${id} input`).value))")


def handle(page, name: str):
    return page.locator(f"[data-part={name}]")


def drag(page, name: str, right: float, down: float) -> None:
    """Drag a handle by so many pixels."""
    values(page)
    box = handle(page, name).bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + right / 2, y + down / 2)
    page.mouse.move(x + right, y + down)
    page.mouse.up()
    page.mouse.move(x, y)  # let go, it follows no longer


def test_the_corners_of_the_curve_move_the_sliders(curve):
    layer = curve.evaluate("(document.querySelector('[data-part=chart]').clientWidth - 52) / 12")
    before = curve.locator("svg path").last.get_attribute("d")
    drag(curve, "l1", -2 * layer, 0)
    assert values(curve) == [0.25, 4, 9]
    drag(curve, "l2", 2 * layer, 0)
    assert values(curve) == [0.25, 4, 11]
    drag(curve, "keep_ratio", 0, -112 / 2)  # half of the curve's height
    keep, *layers = values(curve)
    assert keep == pytest.approx(0.75, abs=0.03) and layers == [4, 11]
    drag(curve, "keep_ratio", 0, 500)  # as far as the slider goes
    assert values(curve)[0] == 0.02
    assert curve.locator("svg path").last.get_attribute("d") != before


def test_keys_move_a_corner_and_it_says_where_it_is(curve):
    handle(curve, "l1").press("Home")
    handle(curve, "l1").press("ArrowRight")
    handle(curve, "l2").press("End")
    handle(curve, "keep_ratio").press("End")
    handle(curve, "keep_ratio").press("PageDown")
    assert values(curve) == [0.9, 1, 13]
    said = {name: handle(curve, name).get_attribute("aria-valuetext") for name in ("keep_ratio", "l1", "l2")}
    assert said["keep_ratio"] == "90 % of the visual tokens are left after merging"
    assert said["l1"] == "every token up to layer 1" and said["l2"] == "no token from layer 13 on"
    assert [handle(curve, "l2").get_attribute(f"aria-value{at}") for at in ("min", "now", "max")] == ["1", "13", "13"]


def test_a_corner_is_large_enough_for_a_finger(curve):
    values(curve)
    boxes = [handle(curve, name).bounding_box() for name in ("keep_ratio", "l1", "l2")]
    is_coarse = curve.evaluate("matchMedia('(pointer: coarse)').matches")
    assert all(min(box["width"], box["height"]) >= (44 if is_coarse else 24) for box in boxes)


def test_a_telephone_has_run_the_slider_in_hand_and_the_answers_in_a_line(browser):
    props = {"texts": {"en": ENGLISH["BAR"]}, "palette": browser_palette()}
    page = panel_page(browser, "bar", props, viewport={"width": 390, "height": 844})
    page.evaluate(
        "for (const id of ['run', 'stop']) document.body.append(Object.assign(document.createElement('button'), "
        "{ id, onclick: () => asked.push(id) }))"
    )
    add_sliders(page)
    page.locator("#l2 input").fill("10")  # by hand
    assert page.locator(".br [data-part=slider]").inner_text() == "l2"
    page.locator(".br input").fill("11")
    assert values(page) == [0.25, 6, 11] and page.locator(".br output").inner_text() == "11"
    page.evaluate("document.dispatchEvent(new CustomEvent('aim-now'))")
    assert page.locator(".br-said").is_hidden()
    page.locator(".br-run").click()
    assert page.evaluate("asked") == ["run"]
    page.set_viewport_size({"width": 700, "height": 844})
    assert page.locator(".br").is_hidden()
    page.close()
