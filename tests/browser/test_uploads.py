"""Choosing and dropping files: kinds that browsers do not know by type are taken too, and answered about."""

from __future__ import annotations

import base64
from io import BytesIO

import pillow_heif
import pytest
from PIL import Image

from tests.helpers.browsing import QUESTION, opened, run, said
from tools.fuzz.clips import numbered

playwright = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.browser

DROP = """(element, [name, data]) => {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([bytes], name));
  element.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
}"""


@pytest.fixture(scope="module")
def page(browser, served):
    with opened(browser, served) as page:
        yield page


def area(page, kind: str):
    """Where a file may be dropped or clicked for."""
    page.get_by_role("tab", name=kind.title(), exact=True).click()
    return page.locator(f"#{kind} button").filter(has_text="Click to Upload")


@pytest.mark.parametrize(("kind", "end"), [("video", ".mkv"), ("image", ".heic")])
def test_the_chooser_offers_what_is_read(page, kind, end):
    with page.expect_file_chooser():
        area(page, kind).click()
    offered = page.locator(f"#{kind} input[type=file]").get_attribute("accept").split(",")
    assert end in offered and f"{kind}/*" in offered


def test_a_photo_of_a_phone_is_dropped_and_answered(page):
    pillow_heif.register_heif_opener()
    file = BytesIO()
    Image.fromarray(numbered(7)).save(file, "HEIF")
    area(page, "image").evaluate(DROP, ["IMG_1.HEIC", base64.b64encode(file.getvalue()).decode()])
    playwright.expect(page.locator("#image img")).to_have_attribute("alt", "IMG_1.HEIC")
    page.fill("#question textarea", QUESTION)
    run(page)
    assert said(page, "dense")
