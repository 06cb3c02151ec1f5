"""Offline: with every other host out of reach all pages load and a run answers, and nothing is asked of any of them."""

from __future__ import annotations

import pytest

from tests.helpers.browsing import BEGUN, PATIENCE, run, said

pytestmark = pytest.mark.browser
PAGES = {"/explain": "document.querySelector('#tour [data-part=choices] button')"}
PAGES["/compare"] = "document.querySelector('#methods input') && document.querySelector('#video input[type=file]')"
PAGES["/lab"] = "document.querySelector('#questions li') && document.querySelector('#lab_files input[type=file]')"
LINKED = "[...document.querySelectorAll('link, script, img, video, source, iframe')].map(one => one.href ?? one.src)"
ELSEWHERE = "http://127.0.0.2:9/"


@pytest.fixture
def cut_off(browser, served):
    """A page in a context of its own without other hosts; `asked` has every address that any of its frames asks for.

    Without the policy of the page, which would hide what it forbids.
    """
    context = browser.new_context(service_workers="block", bypass_csp=True)
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.asked = []
    context.on("request", lambda request: page.asked.append(request.url))
    page.on("websocket", lambda socket: page.asked.append(socket.url))
    context.route(lambda url: is_foreign(url, served), lambda route: route.abort())
    page.add_init_script("document.addEventListener('aim-begin', () => { window.hasBegun = true; });")
    yield page
    context.close()


def is_foreign(url: str, served: str) -> bool:
    return bool(url) and not url.startswith((f"{served}/", "data:", "blob:"))


def test_every_page_and_a_run_need_this_server_alone(cut_off, served):
    page, linked = cut_off, []
    page.goto(served)
    page.wait_for_function(BEGUN)
    page.wait_for_selector("#estimate svg")
    page.locator("#video_samples tbody tr").nth(1).click()
    page.wait_for_function("document.querySelector('#question textarea').value !== ''")
    page.wait_for_selector("#video video")
    run(page)
    assert said(page, "dense") and said(page, "aim")
    linked += page.evaluate(LINKED)  # one to be connected to in advance is no request
    for path, ready in PAGES.items():
        page.goto(served + path)
        page.wait_for_function(ready)
        linked += page.evaluate(LINKED)
    assert len(page.asked) > 50 and [url for url in [*page.asked, *linked] if is_foreign(url, served)] == []
    page.evaluate("url => fetch(url).catch(() => {})", ELSEWHERE)
    assert [url for url in page.asked if is_foreign(url, served)] == [ELSEWHERE]
