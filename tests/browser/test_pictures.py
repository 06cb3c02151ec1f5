"""The pictures of the README and the site: one run of a sample on the page, as `make screenshot` keeps them."""

from __future__ import annotations

import io
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.helpers.browsing import SCREENSHOTS, drawn, look, opened, run, said

pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.browser

SAMPLE = "/#question=how+does+the+cyan+star+move%3F&sample=crossing.mp4"
TOUR = SCREENSHOTS / "tour"
MOVING = SCREENSHOTS / "explorer.webp"
LARGEST = 3_000_000  # bytes of the moving picture
SHOTS = [
    ("original", 6, 1.2),
    ("groups", 6, 2.0),
    ("scores", 6, 1.6),
    ("alive", 6, 1.0),
    ("alive", 7, 1.0),
    ("alive", 8, 1.0),
    ("alive", 9, 2.0),
]


@pytest.fixture(scope="module")
def asked(browser, served):
    """The page after a run of the sample, light."""
    with opened(browser, served, SAMPLE, width=1000, height=900, color_scheme="light") as page:
        page.wait_for_selector("#video video")
        run(page)
        TOUR.mkdir(parents=True, exist_ok=True)
        yield page


def shown(page, view: str, layer: int) -> None:
    look(page, view)
    page.locator("#explorer input[data-part=layer]").fill(str(layer))
    drawn(page)


def pictured(page, part: str) -> Image.Image:
    return Image.open(io.BytesIO(page.locator(part).screenshot())).convert("RGB")


@pytest.mark.parametrize(("name", "layer"), [("groups", 6), ("scores", 6), ("alive", 8)])
def test_a_still_of_each_step_of_the_tour(asked, name, layer):
    shown(asked, name, layer)
    pictured(asked, "#explorer .tx-stage").save(TOUR / f"{name}.png", optimize=True)
    assert (TOUR / f"{name}.png").stat().st_size < LARGEST / 10


def test_a_still_of_the_answers(asked):
    assert said(asked, "dense") == said(asked, "aim") == "down"
    pictured(asked, "#answers .an-cards").save(TOUR / "answers.png", optimize=True)


def test_a_moving_picture_of_the_run(asked):
    """Answers above the explorer, one frame a view, and the alive tokens layer by layer."""
    answers, frames = pictured(asked, "#answers .an-cards"), []
    for view, layer, _ in SHOTS:
        shown(asked, view, layer)
        frames.append(stacked(answers, explorer(asked)))
    stays = [round(1000 * seconds) for *_, seconds in SHOTS]
    frames[0].save(MOVING, save_all=True, append_images=frames[1:], duration=stays, loop=0, quality=85, method=4)
    check(MOVING, len(SHOTS))


def explorer(page) -> Image.Image:
    """From its views down to its sliders."""
    page.evaluate("scrollTo(0, 0)")
    top, end = (page.locator(f"#explorer {part}").bounding_box() for part in (".tx-bar", ".tx-sliders"))
    whole = page.locator("#explorer").bounding_box()
    clip = {"x": whole["x"], "y": top["y"], "width": whole["width"], "height": end["y"] + end["height"] - top["y"]}
    return Image.open(io.BytesIO(page.screenshot(full_page=True, clip=clip))).convert("RGB")


def stacked(upper: Image.Image, lower: Image.Image, gap: int = 16) -> Image.Image:
    """One above the other on the page's own ground, with even sides."""
    width, height = max(upper.width, lower.width) + 2 * gap, upper.height + lower.height + 3 * gap
    whole = Image.new("RGB", (width, height), lower.getpixel((1, lower.height - 1)))
    for picture, top in ((upper, gap), (lower, upper.height + 2 * gap)):
        whole.paste(picture, ((width - picture.width) // 2, top))
    return whole


def check(path: Path, num_frames: int) -> None:
    """It moves, and may lie in a README."""
    with Image.open(path) as film:
        assert film.n_frames == num_frames and path.stat().st_size < LARGEST
        pictures = []
        for index in range(num_frames):
            film.seek(index)
            pictures.append(np.asarray(film.convert("RGB"), dtype=int))
    assert all(np.abs(one - other).mean() > 0.2 for one, other in pairwise(pictures))
