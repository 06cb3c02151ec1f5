"""Panels: the estimate in the browser against the core's own numbers, and how two answers are told apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from aim_core.config import AimConfig
from page import assets, words
from page.panels.answers import AnswersPanel, answers_record
from page.panels.estimate import EstimatePanel, model_sizes

CONFIGS = [
    AimConfig(0.25, 6, 9),
    AimConfig(0.07, 0, 1),
    AimConfig(1.0, 12, 13),
    AimConfig(0.5, 3, 11),
    AimConfig.dense(),
]


@pytest.fixture(scope="module")
def script(browser):
    """Call a function of cost.js."""
    page = browser.new_page()
    code = assets.text("panels/cost.js")
    yield lambda call, *arguments: page.evaluate(f"a => {{ {code}; return {call}(...a); }}", list(arguments))
    page.close()


@pytest.fixture(scope="module")
def results(engine, frames):
    return [engine.run(frames, words.EXAMPLE_QUESTION, config, max_new_tokens=1) for config in CONFIGS]


@pytest.mark.browser
@pytest.mark.parametrize("index", range(len(CONFIGS)))
def test_the_estimate_is_what_the_engine_counts(script, engine, frames, results, index):
    result, dense = results[index], results[-1]
    config = result.config
    settings = {"keep_ratio": config.keep_ratio, "l1": config.l1, "l2": config.l2, "frames": len(frames)}
    counted = script("estimate", model_sizes(engine), settings)
    assert counted["aim"]["visual"] == list(result.cost.visual_per_layer)
    assert counted["aim"]["flops"] == result.cost.language_flops
    assert counted["dense"]["flops"] == dense.cost.language_flops
    assert counted["vision"] == result.cost.vision_flops


@pytest.mark.browser
def test_the_kv_cache_holds_what_the_estimate_says(script, engine, frames, results):
    config = results[0].config
    settings = {"keep_ratio": config.keep_ratio, "l1": config.l1, "l2": config.l2, "frames": len(frames)}
    model = model_sizes(engine)
    expected = sum(2 * n * model["sizes"]["kv"] * 8 for n in results[0].cost.tokens_per_layer)  # float64: 8 bytes
    assert script("estimate", model, settings)["aim"]["kv"] == expected


@pytest.mark.browser
@pytest.mark.parametrize("num", [1, 49, 64, 100, 144, 196])
def test_kept_tokens_round_as_the_core_does(script, num):
    from aim_core.merging import num_kept

    for ratio in np.arange(2, 101) / 100:
        assert script("numKept", num, float(ratio)) == num_kept(num, float(ratio))


def said(results, dense: str, aim: str) -> dict:
    return answers_record(replace(results[-1], answer=dense), replace(results[0], answer=aim), timed=True)


def test_equal_answers_agree(results):
    record = said(results, "a red star", "a red star")
    assert record["agreement"] == {"shared": 3, "most": 3}
    assert {kind for side in ("dense", "aim") for kind, _ in record[side]["words"]} == {"same"}


def test_words_that_only_one_answer_has_are_marked(results):
    record = said(results, "it moves to the left", "it moves right")
    assert record["dense"]["words"] == [("same", "it"), ("same", "moves"), ("only", "to"), ("only", "the"),
                                        ("only", "left")]  # fmt: skip
    assert record["aim"]["words"] == [("same", "it"), ("same", "moves"), ("only", "right")]
    assert record["agreement"] == {"shared": 2, "most": 5}


def test_the_dense_answer_can_stand_alone_and_silence_is_said(results):
    record = answers_record(replace(results[-1], answer=""), None, timed=False)
    assert record["aim"] is None and record["agreement"] is None
    assert " ".join(word for _, word in record["dense"]["words"]) == words.SILENT
    assert record["dense"]["time"] == "–"


def test_templates_are_fixed_and_text_stays_text():
    for name in ("estimate", "answers"):
        for kind in ("html", "css"):
            text = assets.text(f"panels/{name}.{kind}")
            assert "${" not in text and "{{" not in text and "`" not in text
        assert "innerHTML" not in assets.text(f"panels/{name}.js")


@pytest.mark.browser
def test_markup_in_an_answer_stays_text(browser, results):
    evil = "<img src=x onerror=window.hit=1> ${window.hit=1} {{window}}"
    page = browser.new_page()
    page.set_content(f"<div id=host>{assets.text('panels/answers.html')}</div>")
    code = assets.text("script/common.js", "panels/answers.js")
    props = {"value": said(results, evil, evil), "words": words.ANSWER_PANEL, "palette": {}}
    page.evaluate(
        "([code, props]) => Function('element', 'props', 'watch', code)(host, props, () => {})", [code, props]
    )
    assert page.inner_text("[data-part=dense]").strip() == evil
    assert page.evaluate("window.hit === undefined && !host.querySelector('img')")
    page.close()


def test_gradio_can_make_the_panels_again(engine):
    panel = EstimatePanel(model_sizes(engine), value={"keep_ratio": 0.5}, elem_id="estimate")
    again = EstimatePanel(**panel.constructor_args | {"render": False})
    assert again.props["model"] == panel.props["model"]
    assert AnswersPanel(elem_id="answers", render=False).preprocess({"dense": "x"}) is None
