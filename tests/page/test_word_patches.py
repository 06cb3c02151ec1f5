"""Word patches: the browser's heat is the core's attention; what is gone looks gone, and nothing is sent unasked."""

from __future__ import annotations

import base64
import io
import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from aim_core.config import AimConfig
from aim_core.token_attention import TokenAttention
from page.components.word_frames.component import word_frames_record
from page.components.word_frames.patches import patches_record
from page.i18n import ENGLISH
from tests.helpers.modules import evaluate, module_page, panel_page
from visual.palette import browser_palette


def png(pixels: np.ndarray) -> str:
    """A picture as an address."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


MODULE = ("components/word_frames/patches.js",)
TEXTS = ENGLISH["WORD_FRAMES"]
GREEN = png(np.full((8, 8, 3), (0, 192, 0), np.uint8))


@pytest.fixture(scope="module")
def tokenizer(engine):
    return engine.adapter.processor.tokenizer


@pytest.fixture(scope="module")
def runs(engine, frames, tokenizer):
    """Dense and AIM with measured attention, as if of the words "the left"."""
    ask = lambda config: engine.run(frames, "what?", config=config, max_new_tokens=3, details=True)  # noqa: E731
    ids = tokenizer("the left")["input_ids"]
    found = {"dense": ask(AimConfig.dense()), "aim": ask(AimConfig(0.25, 4, 9))}
    return {side: replace(run, answer_ids=(*ids, tokenizer.eos_token_id)) for side, run in found.items()}


@pytest.fixture(scope="module")
def record(runs, tokenizer):
    return word_frames_record(runs, tokenizer, with_patches=True)


def test_a_run_sends_nothing_by_patch_until_it_is_asked_for(runs, record, tokenizer):
    plain = word_frames_record(runs, tokenizer)
    assert plain == record | {"patches": None} and plain["byPatch"]
    assert len(json.dumps(record)) > 10 * len(json.dumps(plain))
    bare = {"dense": replace(runs["dense"], token_attention=TokenAttention.none()), "aim": runs["aim"]}
    lacks = word_frames_record(bare, tokenizer, with_patches=True)
    assert not lacks["byPatch"] and lacks["patches"] is None and lacks["measured"]


def test_heads_that_one_run_lacks_are_shown_of_none(runs, tokenizer):
    mean = replace(runs["dense"], token_attention=runs["dense"].token_attention.over_heads())
    assert patches_record(runs, tokenizer)["numHeads"] == 2
    found = patches_record({"dense": mean, "aim": runs["aim"]}, tokenizer)
    assert found["numHeads"] == 1 and [side["words"] for side in found["sides"]] == [2, 2]


@pytest.fixture(scope="module")
def shares(browser, record):
    """(V, n) of a side's word: what the browser draws, by layer and head, -1 for their means."""
    page = module_page(browser)

    def shares(side: int, word: int, layer: int, head: int) -> np.ndarray:
        body = """(([{ sides, numLayers, numHeads }, side, ...choice]) => {
            const own = new Attention(sides[side], numLayers, numHeads), shares = own.shares(...choice);
            return [...own.row].map((row) => (row < 0 ? null : shares[row])); })(argument)"""
        flat = evaluate(page, MODULE, body, [record["patches"], side, word, layer, head])
        return np.array([np.nan if share is None else share for share in flat]).reshape(4, 64)

    yield shares
    page.close()


@pytest.mark.browser
@pytest.mark.parametrize(("side", "name"), enumerate(("dense", "aim")))
def test_the_browser_shows_the_attention_that_was_recorded(shares, runs, side, name):
    run = runs[name]
    attention = run.token_attention
    for layer in (0, 5, 7, 11):
        alive = attention.last[attention.row] >= layer
        for head in (0, 1, -1):
            for word in (0, 1):
                drawn = shares(side, word, layer, head)
                assert np.array_equal(~np.isnan(drawn), alive) and alive.any() == (layer < 9 or name == "dense")
                expected = attention.by_patch(word, layer, None if head < 0 else head)
                np.testing.assert_allclose(drawn[alive], expected[alive], rtol=1e-5, atol=1e-9)


@pytest.mark.browser
@pytest.mark.parametrize(("side", "name"), enumerate(("dense", "aim")))
def test_heat_of_all_layers_and_heads_sums_to_the_bars(shares, record, runs, side, name):
    rows = runs[name].token_attention.row
    for word in (0, 1):
        drawn = shares(side, word, -1, -1)
        once = [drawn[view][np.unique(rows[view], return_index=True)[1]].sum() for view in range(4)]  # each token once
        np.testing.assert_allclose(once, record["sides"][side]["words"][word][1], atol=0.003)


def panel(browser, record):
    """The panel alone on a page, with four green pictures."""
    value = {"pictures": [{"url": GREEN}] * 4, "record": record}
    props = {"value": value, "texts": {"en": TEXTS}, "palette": browser_palette()}
    return panel_page(browser, "word_frames", props, viewport={"width": 700, "height": 900})


@pytest.fixture
def asked(browser, record):
    """The panel with a run whose patches it has asked for."""
    page = panel(browser, record | {"patches": None})
    page.wait_for_function("asked.length > 0")
    yield page
    page.close()


def answered(page, record) -> None:
    """What it asked for arrives."""
    page.evaluate("record => { props.value = { ...props.value, record }; changed(); }", record)
    page.wait_for_function("!document.querySelector('[data-part=layer]').disabled")


def colours(page, view: int, side: str) -> np.ndarray:
    """(64, 3) the colour in the middle of each patch of a view."""
    read = """([view, side]) => {
        const canvas = document.querySelectorAll(`canvas[data-side=${side}]`)[view], step = canvas.width / 8;
        const at = (i) => [(i % 8 + 0.5) * step, (Math.floor(i / 8) + 0.5) * step];
        const pixel = (i) => [...canvas.getContext('2d').getImageData(...at(i), 1, 1).data].slice(0, 3);
        return [...Array(64).keys()].map(pixel); }"""
    return np.array(page.evaluate(read, [view, side]))


@pytest.mark.browser
def test_patches_are_asked_for_once_and_drawn_without_losing_the_word(asked, record):
    page = asked
    assert page.evaluate("asked") == [["patches"]]
    assert page.inner_text("[data-part=brightest]").strip() == TEXTS["waiting"]
    page.wait_for_function("document.querySelector('canvas').width === 264")
    assert (colours(page, 0, "aim") == (0, 192, 0)).all()  # the picture as it is
    page.get_by_role("button", name="left").first.focus()
    answered(page, record)
    assert page.evaluate("asked.length") == 1 and page.evaluate("document.activeElement.innerText") == "left"
    assert page.evaluate("[...document.querySelectorAll('canvas')].map((one) => one.ariaLabel)")[:2] == [
        "Dense: frame 1, with the attention of the chosen word to its patches",
        "AIM: frame 1, with the attention of the chosen word to its patches",
    ]


@pytest.mark.browser
def test_what_a_layer_lacks_is_pale_and_the_brightest_patch_has_the_last_colour(asked, record, runs):
    page, attention = asked, runs["aim"].token_attention
    answered(page, record)
    page.wait_for_function("document.querySelector('canvas').width === 264")
    page.get_by_role("button", name="the").first.click()
    page.locator("[data-part=layer]").select_option(value="7")
    page.locator("[data-part=head]").select_option(index=2)  # all, 1, 2
    expected = attention.by_patch(0, 7, 1)
    gone = attention.last[attention.row] < 7
    drawn = np.stack([colours(page, view, "aim") for view in range(4)])
    assert 0 < gone.sum() < gone.size
    assert len(np.unique(drawn[gone], axis=0)) == 1 and np.ptp(drawn[gone][0]) < 20  # green faded to grey
    assert np.ptp(drawn[~gone], axis=1).min() > 40  # no colour of the scale is grey
    best = np.unravel_index(expected.argmax(), expected.shape)
    heat, light = [int(browser_palette()["heat"][255][at : at + 2], 16) for at in (1, 3, 5)], 0.587 * 192
    np.testing.assert_allclose(drawn[best], [0.72 * part + 0.28 * light for part in heat], atol=3)
    told = page.inner_text("[data-part=brightest]")
    assert f"AIM: the brightest token has {100 * expected.max():.1f} %" in told and f"on frame {best[0] + 1}." in told
    page.locator("[data-part=layer]").select_option(value="11")
    assert TEXTS["nothing"].format(side="AIM") in page.inner_text("[data-part=brightest]")
    assert len(np.unique(np.concatenate([colours(page, view, "aim") for view in range(4)]), axis=0)) == 1


@pytest.mark.browser
def test_words_past_the_record_and_runs_without_one_say_so(browser, record, runs, tokenizer):
    first = runs["dense"].token_attention
    short = TokenAttention(first.row, first.last, first.levels[:1], first.peaks[:1])
    runs = runs | {"dense": replace(runs["dense"], token_attention=short)}
    page = panel(browser, word_frames_record(runs, tokenizer, with_patches=True))
    page.get_by_role("button", name="left").first.click()
    assert TEXTS["unrecorded"].format(side="Dense", count=1) in page.inner_text("[data-part=brightest]")
    assert page.evaluate("asked.length") == 0
    page.close()
    page = panel(browser, record | {"byPatch": False, "patches": None})
    assert page.locator("[data-part=heat]").is_hidden() and page.locator("li img").count() == 4
    page.close()
