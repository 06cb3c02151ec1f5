"""The estimate before a run takes the size of the file it is about, however late that is known."""

from __future__ import annotations

import time

import pytest

from page.components.estimate import component
from tests.helpers.browsing import opened
from tests.helpers.here import app_here, quick

playwright = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(family_folder):
    """A page of a model whose tokens depend on the size of a picture."""
    with app_here(quick(str(family_folder("llava")))) as address:
        yield address


def uploaded(page, picture):
    page.set_input_files("#image input[type=file]", str(picture))
    page.wait_for_selector("#image img")
    playwright.expect(page.locator("#estimate [data-part=how]")).to_contain_text("192×128 pixels")


def test_a_picture_may_load_slowly(address, browser, blocks):
    with opened(browser, address) as page:
        page.route("**/file=**", lambda route: (time.sleep(6), route.continue_()))
        uploaded(page, blocks["image"])


def test_what_was_counted_before_comes_before(address, browser, blocks, monkeypatch):
    """The first count, of no file, takes longer than the one of the picture."""
    real, asked = component.counted_for, []

    def slow_at_first(adapter, shown, film):
        asked.append(shown)
        if len(asked) == 1:
            time.sleep(4)
        return real(adapter, shown, film)

    monkeypatch.setattr(component, "counted_for", slow_at_first)
    with opened(browser, address) as page:
        page.wait_for_selector("#image input[type=file]", state="attached")
        uploaded(page, blocks["image"])
        page.wait_for_timeout(5000)  # whatever is still to come
        playwright.expect(page.locator("#estimate [data-part=how]")).to_contain_text("192×128 pixels")
    assert len(asked) > 1
