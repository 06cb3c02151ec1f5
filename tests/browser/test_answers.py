"""The answers in a real Chromium: first tokens, words and their frames, marks by hand, Stop; screenshots are kept."""

from __future__ import annotations

import json
import urllib.request

import pytest

from tests.helpers.browsing import ask, choose_tab, drawn, keep, mark, opened, run, said, slide, tokens
from tools.load.visitor import SOUND
from training.strangers.grounds import shipped

playwright = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.browser
expect = playwright.expect


@pytest.fixture(scope="module")
def page(browser, served, clip):
    """A page after a run, shared by tests that only look at it."""
    with opened(browser, served) as page:
        ask(page, clip)
        yield page


@pytest.fixture(scope="module")
def own(browser, served, clip):
    """Another one, for tests that change it."""
    with opened(browser, served) as page:
        ask(page, clip)
        yield page


@pytest.fixture
def marked(own):
    """It, asked again with one group protected and one removed, whatever the test before this one did to it."""
    own.set_viewport_size({"width": 1280, "height": 900})
    slide(own, "keep_ratio", 0.25)
    expect(own.locator("#answers [data-part=aim-tokens]")).to_have_text(tokens(8, 0.25))
    if own.locator("#answers [data-part=handCard]").is_visible():
        own.locator("#answers [data-part=undo]").click()
        expect(own.locator("#answers [data-part=handCard]")).to_be_hidden()
    mark(own, "remove", 0.1, 0.3)
    mark(own, "protect", 0.6, 0.3)
    expect(note(own)).to_contain_text("1 protected, 1 removed; not asked yet.")
    own.unmarked = said(own, "aim")
    own.locator("#explorer [data-part=ask]").click()
    expect(own.locator("#answers [data-part=handCard]")).to_be_visible()
    return own


def test_of_a_film_the_page_says_that_the_answers_mean_nothing_and_of_a_sample_it_does_not(browser, served, page):
    """Also after a slider moved; the uploaded clip of `page` is of the shape world."""
    outside = "[data-part=outside]"
    expect(page.locator(f"#answers {outside}")).to_be_hidden()
    with opened(browser, served) as other:
        ask(other, shipped("gradio") / "media_assets" / "videos" / "world.mp4")
        expect(other.locator(f"#answers {outside}")).to_contain_text("not of the model's world")
        slide(other, "keep_ratio", 0.5)
        expect(other.locator("#answers [data-part=aim-tokens]")).to_have_text(tokens(8, 0.5))
        expect(other.locator(f"#answers {outside}")).to_be_visible()
        assert "✓" not in other.locator("#answers").inner_text()
        keep(other.locator("#answers"), "outside")


def told(page) -> str:
    return page.locator("#word_frames [data-part=told]").inner_text()


def note(page):
    return page.locator("#explorer [data-part=overridesNote]")


def test_first_tokens_stand_side_by_side(page):
    choose_tab(page, "firstToken")
    table = page.get_by_role("table", name="Probability of the first token of the answer")
    assert [head.inner_text() for head in table.get_by_role("columnheader").all()] == ["Token", "Dense", "AIM"]
    rows = table.locator("tbody tr")
    folded = sum(int(line.split()[0]) for line in table.locator("tfoot td").all_inner_texts())
    assert rows.count() and 5 <= rows.count() + folded <= 10
    likeliest = rows.first.locator("th").inner_text()
    assert said(page, "dense").split()[0] == likeliest
    assert rows.first.locator("td").first.inner_text().endswith(" %")
    panel = page.locator("#first_token")
    expect(panel.locator("[data-part=firsts]")).to_contain_text(f"“{likeliest}”")
    expect(panel.locator("[data-part=kl]")).to_contain_text("KL(dense ‖ AIM) = ")
    panel.locator("summary").click()
    expect(panel.locator("details p")).to_contain_text("coin flip")
    panel.locator("summary").click()


def test_a_word_shows_where_it_looked(page):
    panel = page.locator("#word_frames")
    choose_tab(page, "words")
    assert panel.locator("li").count() == 8 and panel.locator("[data-side=dense] button").count()
    words = panel.locator(".wf-side[data-side=aim] button")
    words.last.focus()
    word = words.last.inner_text()
    assert "AIM: " in told(page) and f"“{word}”" in told(page)
    shares = panel.locator("li small:first-child").all_inner_texts()
    assert all(" · " in share for share in shares)
    tops = panel.locator("li .wf-bars i").evaluate_all("bars => bars.map(bar => parseFloat(bar.style.height))")
    assert max(tops) == pytest.approx(100) and len(set(tops)) > 4
    expect(panel.locator("select[data-part=layer]")).to_be_enabled()
    assert panel.locator("li canvas").count() == 16
    brightest = panel.locator("[data-part=brightest]")
    expect(brightest).to_contain_text("AIM: the brightest token has")
    panel.locator("select[data-part=layer]").select_option(value="11")
    expect(brightest).to_contain_text("AIM: no visual token enters this layer")
    for select in ("#word_frames select[data-part=head]", "#explorer select[data-part=head]"):
        assert page.locator(select).evaluate("one => getComputedStyle(one).appearance") == "auto"  # with its arrow
    words.last.focus()
    page.keyboard.press("ArrowUp")
    assert page.evaluate("document.activeElement.closest('.wf-side').dataset.side") == "dense"
    keep(panel, "word_frames")


def test_marks_are_answered_beside_aim(marked):
    page = marked
    assert said(page, "protected") == said(page, "removed") == "1"
    assert said(page, "aim") == page.unmarked
    before, after = (int(said(page, f"{side}-tokens").replace(",", "")) for side in ("aim", "hand"))
    assert after == before - 1
    expect(page.locator("#first_token [data-part=kl]")).to_contain_text("KL(AIM ‖ by hand) = ")
    assert page.locator("#first_token thead th").count() == 4
    expect(page.locator("[data-testid=toast-body]").first).to_contain_text("Asked again")
    expect(note(page)).to_contain_text("This run was asked with these marks")
    beside = page.locator("#explorer [data-part=handSaid]").inner_text()
    assert f"By hand {said(page, 'hand')} AIM {said(page, 'aim')}" in beside
    assert f"{after:,} visual tokens entered; without the marks {before:,}." in beside
    assert page.locator("#word_frames .wf-side").count() == 3
    for width in (390, 1280, 2560):
        page.set_viewport_size({"width": width, "height": 900})
        for theme in ("light", "dark"):
            page.evaluate("dark => document.body.classList.toggle('dark', dark)", theme == "dark")
            drawn(page)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            keep(page.locator("#answers"), f"answers_{width}_{theme}")


def test_a_slider_keeps_the_marks_and_undo_takes_them_off(marked):
    slide(marked, "keep_ratio", 0.4)
    expect(marked.locator("#answers [data-part=aim-tokens]")).to_have_text(tokens(8, 0.4))
    assert marked.locator("#answers [data-part=handCard]").is_visible()
    expect(note(marked)).to_contain_text("This run was asked with these marks")
    marked.locator("#answers [data-part=undo]").click()
    expect(marked.locator("#answers [data-part=handCard]")).to_be_hidden()
    expect(note(marked)).to_contain_text("Protect or remove groups by hand")
    assert marked.locator("#first_token thead th").count() == 3


def test_a_new_run_takes_the_marks_off(marked):
    run(marked)
    expect(marked.locator("#answers [data-part=handCard]")).to_be_hidden()
    expect(note(marked)).to_contain_text("Protect or remove groups by hand")


def test_the_events_of_marks_refuse_whatever_a_program_sends(page, served):
    """A raw POST to the private event, before any run of its session."""
    events = page.evaluate("window.gradio_config.dependencies.map(d => [d.id, d.targets.map(t => t[1])])")
    number = next(
        number
        for number, targets in events
        if "overrides" in targets and number is not None and _calls_server(page, number)
    )
    body = {
        "data": [0.25, 6, 9, 8, None, *SOUND],
        "event_data": {"remove": "<b>"},
        "fn_index": number,
        "session_hash": "raw",
    }
    request = urllib.request.Request(
        f"{served}/gradio_api/queue/join", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as reply:
        assert reply.status == 200
    with urllib.request.urlopen(f"{served}/gradio_api/queue/data?session_hash=raw", timeout=60) as stream:
        messages = [json.loads(line[6:]) for line in stream if line.startswith(b"data: ")]
    done = next(message for message in messages if message["msg"] == "process_completed")
    assert not done["success"] and "Press Run first" in done["output"]["error"] and "Trace" not in str(done)


def _calls_server(page, number: int) -> bool:
    return page.evaluate("n => window.gradio_config.dependencies.find(d => d.id === n).backend_fn", number)
