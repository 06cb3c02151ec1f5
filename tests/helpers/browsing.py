"""What browser tests do on the page: move a slider, run, read a panel, look at a view of the explorer."""

from __future__ import annotations

import json
import math
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCREENSHOTS = ROOT / "screenshots"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium-headless-shell", "chromium", "chromium-browser"))), None)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
FIGURES = ("groups", "alive", "scores", "retained", "sorted_scores", "cost")
VISION = json.loads((ROOT / "assets/model/config.json").read_text())["vision_config"]
SIDE = math.ceil(VISION["image_size"] // VISION["patch_size"] / 2)  # rows and columns of a frame
QUESTION = "which way does the red circle move?"
PATIENCE = 120_000  # ms; a busy machine is no failure
BEGUN = "document.querySelector('#run') && window.hasBegun"
EMPTY = "#keep_ratio=0.25"  # a link to the usual settings, which opens without the example
TIME = r"[\d.,]+ m?s \([\d.,]+–[\d.,]+\)"  # a median, the fastest and the slowest


@contextmanager
def opened(
    browser, address: str, query: str = EMPTY, width: int = 1280, height: int = 900, ready: str = BEGUN, **settings
) -> Iterator:
    """A page in a tab of its own; no script of it may break, nothing may be against its content security policy, and no
    request may leave this machine.

    ready: what is true once it can be used; for the page that explores, once what the address sets has been set.
    """
    page = _context(browser, **settings).new_page()
    page.set_viewport_size({"width": width, "height": height})
    page.set_default_timeout(PATIENCE)
    page.asked, page.broken = [], []
    page.on("request", lambda request: page.asked.append(request.url))
    page.on("pageerror", lambda error: page.broken.append(str(error)))
    page.on("console", lambda said: page.broken.append(said.text) if "Content Security Policy" in said.text else None)
    page.add_init_script("document.addEventListener('aim-begin', () => { window.hasBegun = true; });")
    try:
        page.goto(address + query)
        page.wait_for_function(ready)
        yield page
    except Exception as error:
        with suppress(Exception):
            error.add_note(f"The page said:\n{page.locator('body').inner_text(timeout=5000)}")
        raise
    finally:
        page.close()
    assert page.asked and all(url.startswith((address, "data:", "blob:")) for url in page.asked)
    assert not page.broken, page.broken


@cache
def _context(browser, **settings):
    """Tabs of the same settings share one, so that only the first fetches Gradio's scripts.

    It has a folder of its own, where Chromium keeps what it compiled: the next tab opens in two thirds of the time.
    """
    options = {"executable_path": CHROMIUM, "args": FLAGS} | settings
    return browser.browser_type.launch_persistent_context(tempfile.mkdtemp(prefix="chromium"), **options)


def ask(page, clip: Path) -> None:
    """Upload the clip, ask about it, and wait for the answers."""
    page.set_input_files("#video input[type=file]", str(clip))
    page.wait_for_selector("#video video")
    page.fill("#question textarea", QUESTION)
    run(page)


def slide(page, name: str, value: float) -> None:
    field = page.locator(f"#{name} input[type=number]")
    field.fill(str(value))
    field.press("Enter")


def keep(target, name: str, **settings) -> None:
    """A picture of a page or a part of it in screenshots/, where SCREENSHOTS=1 asks for them: all take a minute."""
    if os.environ.get("SCREENSHOTS"):
        target.screenshot(path=SCREENSHOTS / f"{name}.png", **settings)


def value_of(page, name: str) -> float:
    return float(page.locator(f"#{name} input[type=number]").input_value())


def source(page, name: str) -> str:
    return page.locator(f"#{name} img").first.get_attribute("src")


def wait_for_change(page, name: str, before: str) -> str:
    page.wait_for_function(
        "([name, before]) => { const i = document.querySelector(`#${name} img`); return i?.src && i.src !== before; }",
        arg=[name, page.evaluate("source => new URL(source, location).href", before)],
    )
    return source(page, name)


def run(page) -> None:
    """Press Run and wait until it is over."""
    with one_run(page):
        page.click("#run")
    page.wait_for_selector("#explorer .tx[data-empty=false]")


@contextmanager
def one_run(page) -> Iterator[None]:
    """Wait until a run that starts inside is over: Stop could be pressed, and cannot be any longer.

    The page itself counts this, since a short run may begin and end between two looks from here.
    """
    page.wait_for_selector("#stop[disabled]")
    page.evaluate("""() => {
        window.runsOver = 0;
        window.watch?.disconnect();
        window.watch = new MutationObserver((changes) => {
            runsOver += changes.filter(({ target }) => target.id === 'stop' && target.disabled).length;
        });
        watch.observe(document.body, { subtree: true, attributeFilter: ['disabled'] }); }""")
    yield
    page.wait_for_function("runsOver > 0")


def tokens(num_frames: int, keep_ratio: float = 1.0) -> str:
    """Visual tokens of the embedded model's prompt, newline row included, as the page writes them."""
    return f"{num_frames * math.ceil(round(SIDE**2 * keep_ratio, 9)) + 1:,}"


def said(page, part: str) -> str:
    """A text of the answers panel, such as "aim" or "aim-tokens"."""
    return page.locator(f"#answers [data-part={part}]").inner_text().strip()


def choose_tab(page, name: str) -> None:
    """Show one of what can be looked at closer: patch, frames, words, firstToken, numbers, why."""
    page.locator(f"#tx-tab-{name}").click()
    page.wait_for_selector(f"#tx-tab-{name}[aria-selected=true]")


def comparison_table(page) -> str:
    choose_tab(page, "numbers")
    return page.locator("#comparison_table").inner_text()


def show(page, panel: str) -> None:
    """Scroll a picture into view, since it loads only then, and wait until it is drawn."""
    page.wait_for_selector(f"#{panel} img", state="attached")
    page.evaluate("panel => document.querySelector(`#${panel}`).scrollIntoView()", panel)
    page.wait_for_function(
        "panel => { const i = document.querySelector(`#${panel} img`); return i.complete && i.naturalWidth > 200; }",
        arg=panel,
    )


def open_figures(page) -> None:
    if not page.locator("#groups").is_visible():
        page.locator("#figures button").first.click()
    for figure in FIGURES:
        show(page, figure)


def look(page, view: str) -> None:
    """Choose a view of the explorer."""
    page.locator(f"#explorer input[value={view}]").check(force=True)


def drawn(page, part: str = "canvas") -> str:
    """What a canvas of the explorer shows, once it has come to rest."""
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return page.evaluate("part => document.querySelector(`#explorer canvas[data-part=${part}]`).toDataURL()", part)


def reading(page) -> dict[str, str]:
    """What the explorer says of the patch under the pointer."""
    drawn(page)
    fields = page.locator("#explorer dd[data-field]")
    return {field.get_attribute("data-field"): field.inner_text() for field in fields.all()}


def patch_point(page, column: int, row: int) -> tuple[float, float]:
    """Where a patch of the first frame lies on the canvas in "one frame", in CSS pixels from its corner."""
    find = """([column, row]) => {
        const c = document.querySelector('#explorer canvas[data-part=canvas]');
        const size = Math.min(c.clientWidth - 20, c.clientHeight - 72);
        return [c.clientWidth / 2 + size * column, (c.clientHeight - 52) / 2 + size * row]; }"""
    return tuple(page.evaluate(find, [column, row]))


def mark(page, tool: str, across: float, down: float) -> None:
    """Click a place of the explorer's canvas, in shares of its size, with a tool."""
    page.locator(f"#explorer input[value={tool}]").check(force=True)
    canvas = page.locator("#explorer canvas[data-part=canvas]")
    box = canvas.bounding_box()
    canvas.click(position={"x": box["width"] * across, "y": box["height"] * down})
