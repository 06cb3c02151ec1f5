"""The content security policy in a real Chromium: what is injected into a page does not run, and tests would see it."""

from __future__ import annotations

import pytest

from tests.helpers.browsing import opened

pytestmark = pytest.mark.browser
INJECTED = """async () => {
    const script = Object.assign(document.createElement('script'), { textContent: 'window.hit = "script"' });
    document.body.append(script);
    document.body.insertAdjacentHTML('beforeend', '<img src="data:x" onerror="hit = 1"><a href="javascript:hit = 2">');
    document.querySelector('a[href^=javascript]').click();
    const sent = await fetch('http://127.0.0.2:9/').then(() => 'sent', () => 'refused');
    await new Promise((done) => setTimeout(done, 100));
    return [window.hit ?? 'nothing', sent];
}"""


@pytest.mark.parametrize("path", ["/explain", "/compare", "/lab"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_that_is_injected_runs_or_leaves(browser, served, path, theme):
    with opened(browser, served, path, ready="document.querySelector('#nav')", color_scheme=theme) as page:
        assert not page.broken  # the page itself does nothing that is against its policy
        assert page.evaluate(INJECTED) == ["nothing", "refused"]
        assert len(page.broken) >= 4
        page.broken.clear()
        page.asked[:] = [url for url in page.asked if "127.0.0.2" not in url]
