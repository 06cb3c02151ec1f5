"""Words and frames: tokens put together to words, and the panel that shows where each word's attention fell."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from aim_core.config import AimConfig
from page.components.word_frames.component import word_frames_record
from page.i18n import ENGLISH
from page.token_text import SavedTokens, answer_words, token_text
from tests.helpers.modules import panel_page


@pytest.fixture(scope="module")
def tokenizer(engine):
    return engine.adapter.processor.tokenizer


@pytest.fixture(scope="module")
def results(engine, frames):
    configs = (AimConfig(0.25, 6, 9), AimConfig.dense())
    return [engine.run(frames, ENGLISH["EXAMPLE_QUESTION"], config=config, max_new_tokens=1) for config in configs]


def test_tokens_have_names(tokenizer):
    assert token_text(tokenizer, tokenizer.eos_token_id) == ENGLISH["END_TOKEN"]
    assert token_text(tokenizer, tokenizer.convert_tokens_to_ids("left")) == "left"
    for name in ("pad", "user", "assistant"):
        token = tokenizer.convert_tokens_to_ids(f"<|{name}|>")
        assert token_text(tokenizer, token) == ENGLISH["SPECIAL_TOKENS"][name]
    made_up = SavedTokens({7: "<|fim_middle|>", 8: "<|"}, {}, None, (7,))
    assert token_text(made_up, 7) == "(special token fim_middle)" and token_text(made_up, 8) == "<|"


def test_answers_are_put_together_to_words(tokenizer):
    ids = (*tokenizer("the left")["input_ids"], tokenizer.eos_token_id)
    assert answer_words(tokenizer, ids) == [("the", [0]), ("left", [1])]


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ([b" It", b" go", b"es", b" left", b"."], [("It", [0]), ("goes", [1, 2]), ("left.", [3, 4])]),
        (["向左".encode(), "移".encode()[:2], "移".encode()[2:]], [("向左", [0]), ("移", [1, 2])]),
        ([b" ", b"one", b"\n", b"two"], [("one", [0, 1]), ("two", [2, 3])]),
    ],
)
def test_pieces_of_words_and_of_letters_are_joined(pieces, expected):
    from tokenizers import Tokenizer, decoders
    from tokenizers.models import BPE
    from tokenizers.pre_tokenizers import ByteLevel
    from transformers import PreTrainedTokenizerFast

    shown = _bytes_shown()
    names = ["".join(shown[byte] for byte in piece) for piece in pieces]
    model = Tokenizer(BPE({name: index for index, name in enumerate(names)}, []))
    model.pre_tokenizer, model.decoder = ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    assert answer_words(PreTrainedTokenizerFast(tokenizer_object=model), tuple(range(len(pieces)))) == expected


def _bytes_shown() -> dict[int, str]:
    """Byte → the letter that stands for it in a byte-level vocabulary."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    return {byte: chr(byte) for byte in plain} | {byte: chr(256 + index) for index, byte in enumerate(others)}


@pytest.fixture(scope="module")
def attended(results, tokenizer):
    """The record of two answers, "the red left" and "the left", with attention of known shares on 4 frames."""
    runs = {}
    for side, result, text in (("dense", results[-1], "the red left"), ("aim", results[0], "the left")):
        ids = (*tokenizer(text)["input_ids"], tokenizer.eos_token_id)
        shares = np.outer(np.arange(1, len(ids) + 1), [0.01, 0.02, 0.03, 0.04]).astype(np.float32)
        runs[side] = replace(result, answer=text, answer_ids=ids, frame_attention=shares)
    return word_frames_record(runs, tokenizer)


def test_words_carry_their_attention_and_their_twins(attended):
    dense, aim = attended["sides"]
    assert [word[0] for word in dense["words"]] == ["the", "red", "left"] and attended["measured"]
    assert dense["words"][2][1] == pytest.approx([0.03, 0.06, 0.09, 0.12])
    assert [word[2] for word in dense["words"]] == [[0, 0], [1, None], [2, 1]]
    assert aim["words"][1][2] == [2, 1] and len(attended["views"]) == 4


def test_attention_that_was_not_recorded_is_said(results, tokenizer):
    record = word_frames_record({"dense": results[-1], "aim": results[0]}, tokenizer)
    assert not record["measured"] and [side["words"] for side in record["sides"]] == [[], []]


@pytest.fixture
def frames_panel(browser, attended):
    """The panel in a page of its own, with four grey pictures."""
    grey = "data:image/gif;base64,R0lGODlhAQABAIAAAMLCwgAAACH5BAAAAAAALAAAAAABAAEAAAICRAEAOw=="
    value = {"pictures": [{"url": grey}] * 4, "record": attended}
    page = panel_page(browser, "word_frames", {"value": value, "texts": {"en": ENGLISH["WORD_FRAMES"]}, "palette": {}})
    yield page
    page.close()


@pytest.mark.browser
def test_a_run_without_details_is_not_said_to_have_no_words(browser, results, tokenizer):
    record, texts = word_frames_record({"dense": results[1], "aim": results[0]}, tokenizer), ENGLISH["WORD_FRAMES"]
    props = {"value": {"pictures": [], "record": record | {"views": []}}, "texts": {"en": texts}, "palette": {}}
    page = panel_page(browser, "word_frames", props)
    said = page.locator("#host").inner_text()
    assert not record["measured"] and texts["missing"] in said and texts["silent"] not in said
    page.close()


def heights(page, frame: int) -> list[float]:
    bars = page.locator("[data-part=strip] li").nth(frame).locator(".wf-bars i")
    return [float(bar.evaluate("bar => bar.style.height.slice(0, -1)")) for bar in bars.all()]


@pytest.mark.browser
def test_a_word_shows_its_attention_in_both_runs(frames_panel):
    page = frames_panel
    page.get_by_role("button", name="left").first.click()
    assert heights(page, 3) == pytest.approx([100, 100 * 0.08 / 0.12]) and heights(page, 0)[0] == pytest.approx(25)
    assert page.locator("li small").first.inner_text() == "3 % · 2 %"
    told = page.inner_text("[data-part=told]")
    assert "Dense: 30 % of the attention of “left”" in told and "Most on frame 4: 12 %." in told
    assert page.locator("button[aria-pressed=true]").count() == 2
    page.get_by_role("button", name="red").hover()
    assert heights(page, 3)[1] == 0 and "AIM: this answer has no such word." in page.inner_text("[data-part=told]")


@pytest.mark.browser
def test_words_are_walked_with_the_arrow_keys(frames_panel):
    page = frames_panel
    page.get_by_role("button", name="the").first.focus()
    walk = (
        ("ArrowRight", "red", "dense"),
        ("ArrowRight", "left", "dense"),
        ("ArrowDown", "left", "aim"),
        ("ArrowLeft", "the", "aim"),
        ("ArrowLeft", "the", "aim"),
        ("ArrowUp", "the", "dense"),
    )
    for key, word, side in walk:
        page.keyboard.press(key)
        focused = page.evaluate(
            "[document.activeElement.innerText, document.activeElement.closest('[data-side]').dataset.side]"
        )
        assert focused == [word, side]
