"""The page at /compare: methods come one by one, are sorted, looked at together, taken away; screenshots are kept."""

from __future__ import annotations

import csv
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from PIL import Image, ImageDraw

playwright = pytest.importorskip("playwright.sync_api")
from aim_core.methods.registry import METHODS  # noqa: E402
from page.compare import USUAL  # noqa: E402
from page.i18n import by_language  # noqa: E402
from tests.helpers.axe import audited  # noqa: E402
from tests.helpers.browsing import keep, one_run, opened  # noqa: E402
from training.strangers.clips import write  # noqa: E402

pytestmark = pytest.mark.browser
expect = playwright.expect
READY = "document.querySelector('#methods input') && document.querySelector('#video input[type=file]')"
SIZES = [(390, 844), (768, 1024), (1440, 1000), (2560, 1300)]


@pytest.fixture(scope="module")
def stranger(tmp_path_factory) -> Path:
    """A clip as a slide program makes it: a red circle that moves right on white, drawn by Pillow."""
    frames = []
    for at in range(24):
        picture = Image.new("RGB", (480, 360), "white")
        ImageDraw.Draw(picture).ellipse((40 + 12 * at, 140, 130 + 12 * at, 230), fill="red")
        frames.append(np.asarray(picture))
    path = tmp_path_factory.mktemp("stranger") / "slides.mp4"
    write(str(path), np.stack(frames), crf=20)
    return path


@pytest.fixture(scope="module")
def compared(browser, served, stranger):
    """It, compared at a tenth of the dense FLOPs."""
    with opened(browser, served, "/compare", 1440, 1000, READY) as page:
        page.evaluate("""() => {
            window.counts = new Set();
            const count = () => counts.add(document.querySelectorAll('#compare tbody tr').length);
            new MutationObserver(count).observe(document.querySelector('#compare'), { childList: true, subtree: true });
        }""")
        page.set_input_files("#video input[type=file]", str(stranger))
        page.wait_for_selector("#video video")
        page.fill("#question textarea", "what color is the circle?")
        with one_run(page):
            page.click("#run")
        yield page


def rows(page) -> list[str]:
    return page.eval_on_selector_all(".cp tbody tr", "lines => lines.map((line) => line.dataset.name)")


def said(page, name: str) -> str:
    return page.locator(f"#compare tr[data-name={name}] .cp-answer span").first.inner_text()


def test_methods_come_one_by_one_and_each_costs_the_same(compared):
    assert rows(compared) == ["dense", *[name for name in METHODS if name in USUAL]]
    assert said(compared, "dense") == said(compared, "aim") == "red"
    assert {1, 2, 5, len(USUAL) + 1} <= {*compared.evaluate("[...counts]")}
    expect(compared.locator("#compare [data-part=model]")).to_have_text("Answered by the embedded model")
    expect(compared.locator("#models [data-part=now]")).to_contain_text("embedded model (12 layers")
    keep(compared, "compare", full_page=True)
    answered = compared.locator("#compare tbody tr:has(.cp-answer)")
    assert answered.count() >= 9
    for line in answered.all()[1:]:
        if not line.locator("summary", has_text="nearest step").count():
            share = float(line.locator("td").nth(4).inner_text().split("%")[0])
            assert share == pytest.approx(10, abs=0.11)
    assert all("ms" in time for time in answered.locator("td:last-child").all_inner_texts())
    refused = compared.locator("#compare .cp-refused").all_inner_texts()
    assert refused and all("cannot go under" in sentence for sentence in refused)


def test_any_column_sorts(compared):
    head = compared.locator("#compare thead th").filter(visible=True)
    by_time = head.last
    by_time.locator("button").click()
    expect(by_time).to_have_attribute("aria-sort", "ascending")
    times = compared.locator("#compare tbody tr:has(.cp-answer) td:last-child").all_inner_texts()
    found = [float(text.split(" ms")[0]) for text in times]
    assert found == sorted(found)
    assert compared.locator("#compare tbody tr").last.locator(".cp-refused").count()  # refused ones come last
    by_time.locator("button").click()
    expect(by_time).to_have_attribute("aria-sort", "descending")
    head.nth(0).locator("button").click()
    names = [name.split("\n")[0] for name in compared.locator("#compare tr:has(.cp-answer) th").all_inner_texts()]
    assert names == sorted(names, key=str.casefold)


def move(page, slider: str, to: int) -> None:
    change = "(one, to) => { one.value = to; one.dispatchEvent(new Event('input')); }"
    page.locator(f"#compare [data-part={slider}]").evaluate(change, str(to))


def test_one_layer_one_frame_and_one_pointer_for_all(compared):
    tiles = compared.locator("#compare figure")
    shown = "() => [...document.querySelectorAll('#compare figure canvas')].map((one) => one.toDataURL())"
    rest = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    before = compared.evaluate(shown)
    move(compared, "layer", 11)
    compared.evaluate(rest)
    late = compared.evaluate(shown)
    at = {name: i for i, name in enumerate(compared.locator("#compare figcaption b").all_inner_texts())}
    assert late[at["AIM"]] != before[at["AIM"]]
    expect(tiles.nth(at["AIM"]).locator("figcaption span")).to_have_text("0 tokens of 144 patches")
    move(compared, "frame", 3)
    compared.evaluate(rest)
    assert compared.evaluate(shown)[0] != late[0]
    tiles.first.locator("canvas").scroll_into_view_if_needed()
    tiles.first.locator("canvas").hover()
    read = compared.locator("#compare [data-part=read]")
    expect(read).to_contain_text("Dense: to the end")
    expect(read).to_contain_text("AIM: up to layer")
    compared.locator("#compare [data-part=all]").check()
    compared.evaluate(rest)
    box = tiles.first.locator("canvas").bounding_box()
    assert box["width"] > 4 * box["height"]
    keep(compared, "compare_all_frames", full_page=True)
    compared.locator("#compare [data-part=all]").uncheck()


def test_keys_read_the_tiles_and_every_method_answers(compared):
    canvas = compared.locator("#compare figure canvas").nth(1)
    canvas.press("Escape")
    for key in ("ArrowRight", "ArrowRight", "ArrowDown"):  # the first of them begins at the first patch
        canvas.press(key)
    compared.wait_for_function("document.querySelector('#compare [data-part=read]').textContent")
    compared.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")  # the last key
    assert compared.locator("#compare figure[data-on=true] canvas").count() == 1
    read = compared.locator("#compare [data-part=read]").inner_text()
    assert read.count(": ") == compared.locator("#compare figure").count()
    canvas.press("Escape")
    box = canvas.bounding_box()
    canvas.hover(position={"x": 1.5 / 12 * box["width"], "y": 1.5 / 12 * box["height"]})  # one right, one down
    expect(compared.locator("#compare [data-part=read]")).to_have_text(read)
    compared.locator("#compare [data-part=all]").check()
    for _ in range(12):
        canvas.press("ArrowRight")  # over the edge of the first frame
    canvas.press("Escape")
    expect(compared.locator("#compare [data-part=read]")).to_have_text("")
    compared.locator("#compare [data-part=all]").uncheck()


def test_it_is_taken_away_as_a_table_code_and_a_page_that_replays(compared, browser, tmp_path):
    compared.locator("#exports button").first.click()
    with compared.expect_download() as download:
        compared.get_by_role("button", name="Table (CSV)").click()
    lines = list(csv.DictReader(download.value.path().open()))
    assert [line["method"] for line in lines] == ["dense", *[name for name in METHODS if name in USUAL]]
    expect(compared.locator("#export_code")).to_contain_text("compare_methods(")
    with compared.expect_download() as download:
        compared.get_by_role("button", name="Figures").click()
    with ZipFile(download.value.path()) as figures:
        names = {f"aim_methods_{name}.{kind}" for name in ("frames", "per_layer") for kind in ("png", "svg")}
        assert {*figures.namelist()} == names
    with compared.expect_download() as download:
        compared.get_by_role("button", name="Page that replays").click()
    download.value.save_as(tmp_path / "replayed.html")
    page = browser.new_page()
    page.goto((tmp_path / "replayed.html").as_uri())
    assert len(rows(page)) == len(lines)
    expect(page.locator("figure canvas").first).to_be_visible()
    page.close()


LINK = (
    "/compare#question=how+does+the+cyan+star+move%3F&budget=25&of=mean&frames=8&methods=aim+random&sample=crossing.mp4"
)


def test_a_link_asks_the_same_of_a_sample_again(browser, served):
    with opened(browser, served, LINK, 1280, 900, READY) as page:
        paper = page.locator("#compare tbody tr[data-name=aim] th a")
        paper.focus()
        page.wait_for_selector("#compare tbody tr[data-name=random] td:last-child:has-text('ms')")
        expect(paper).to_be_focused()  # after other rows and its own time have come
        assert rows(page) == ["dense", "aim", "random"]
        expect(page.locator("#compare [data-part=budget]")).to_contain_text(
            "25 % of the visual tokens, mean over layers"
        )
        for name in ("aim", "random"):
            mean = page.locator(f"#compare tr[data-name={name}] td").nth(3).inner_text()
            assert float(mean.split(" %")[0]) == pytest.approx(25, abs=0.6)
        page.wait_for_function("location.hash.includes('methods=aim+random') && location.hash.includes('budget=25')")


def test_stop_keeps_the_rows_that_are_there_and_they_can_be_taken_away(browser, served):
    link = "/compare#question=how+does+the+cyan+star+move%3F&frames=32&sample=crossing.mp4&methods=" + "+".join(METHODS)
    with opened(browser, served, link, 1280, 900, READY) as page:
        page.wait_for_selector("#compare tbody tr:nth-child(3)")
        page.click("#stop")
        page.wait_for_selector("#stop[disabled]")
        kept = rows(page)
        assert 3 <= len(kept) < len(METHODS)
        page.locator("#exports button").first.click()
        with page.expect_download() as download:
            page.get_by_role("button", name="Table (CSV)").click()
        listed = [line["method"] for line in csv.DictReader(download.value.path().open())]
        assert listed[: len(kept)] == kept == rows(page)
        expect(page.locator("#export_code")).to_contain_text("num_frames=32")
        assert not page.locator("#compare td:last-child", has_text="ms").count()  # nothing was timed


def test_every_width_and_both_themes_have_no_violation(compared):
    compared.mouse.move(0, 0)  # no button has the colours of one that is pointed at
    assert not audited(compared)
    for width, height in SIZES:
        compared.set_viewport_size({"width": width, "height": height})
        keep(compared, f"compare_{width}", full_page=True)
        assert compared.evaluate("document.documentElement.scrollWidth") <= width


def test_what_is_missing_is_said_and_nothing_is_lost(browser, served):
    with opened(browser, served, "/compare?lang=zh", 390, 844, READY, locale="zh-CN") as page:
        texts = by_language("NAV")["zh"]["pages"]
        expect(page.locator("#nav [aria-current=page]")).to_have_text(texts["compare"])
        page.click("#run")
        expect(page.locator("[data-testid=toast-body]").first).to_contain_text("请先输入一个问题")
        page.fill("#question textarea", "what color is the circle?")
        page.click("#run")
        expect(page.locator("[data-testid=toast-body]").last).to_contain_text("请上传视频或图片")
        assert page.input_value("#question textarea") == "what color is the circle?"
