"""Panels: the estimate in the browser against the core's own numbers, and how two answers are told apart."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from aim_core.config import AimConfig
from aim_core.ops.flops import kv_bytes, prefill_flops
from aim_core.overrides import TokenOverrides
from aim_core.world_score import WorldCheck
from page import assets
from page.components.answers.component import AnswersPanel, answers_record
from page.components.estimate.component import EstimatePanel, frames_and_prompts, model_sizes
from page.components.first_token.component import FirstTokenPanel, first_token_record
from page.components.word_frames.component import WordFramesPanel
from page.i18n import ENGLISH
from page.token_text import token_text
from tests.helpers import modules

CONFIGS = [
    AimConfig(0.25, 6, 9),
    AimConfig(0.07, 0, 1),
    AimConfig(1.0, 12, 13),
    AimConfig(0.5, 3, 11),
    AimConfig.dense(),
]


@pytest.fixture(scope="module")
def script(browser):
    """Call a function of flops.js."""
    page, flops = modules.module_page(browser), ("components/estimate/flops.js",)
    yield lambda call, *arguments: modules.evaluate(page, flops, f"{call}(...argument)", list(arguments))
    page.close()


@pytest.fixture(scope="module")
def results(engine, frames):
    return [engine.run(frames, ENGLISH["EXAMPLE_QUESTION"], config=config, max_new_tokens=1) for config in CONFIGS]


@pytest.mark.browser
@pytest.mark.parametrize("index", range(len(CONFIGS)))
def test_the_estimate_is_what_the_engine_counts(script, engine, frames, results, index):
    result, dense = results[index], results[-1]
    config = result.config
    settings = {"keep_ratio": config.keep_ratio, "l1": config.l1, "l2": config.l2, "frames": len(frames)}
    settings |= frames_and_prompts(engine.adapter, *frames.shape[1:3])
    counted = script("estimate", model_sizes(engine), settings)
    assert counted["aim"]["visual"] == list(result.cost.visual_per_layer)
    assert counted["aim"]["flops"] == result.cost.language_flops
    assert counted["dense"]["flops"] == dense.cost.language_flops
    assert counted["vision"] == result.cost.vision_flops


@pytest.mark.browser
def test_the_browser_has_the_formulas_of_the_core(script):
    sizes, tokens = {"hidden": 64, "kv": 32, "intermediate": 96, "q": 128}, [300, 5, 0]
    assert script("prefillFlops", tokens, sizes) == prefill_flops(tokens, **sizes)
    assert script("kvBytes", tokens, 32, 2) == kv_bytes(tokens, 32, 2)


@pytest.mark.browser
def test_the_kv_cache_holds_what_the_estimate_says(script, engine, frames, results):
    config = results[0].config
    settings = {"keep_ratio": config.keep_ratio, "l1": config.l1, "l2": config.l2, "frames": len(frames)}
    settings |= frames_and_prompts(engine.adapter, *frames.shape[1:3])
    model = model_sizes(engine)
    expected = kv_bytes(results[0].cost.tokens_per_layer, model["sizes"]["kv"], 8)  # float64: 8 bytes
    assert script("estimate", model, settings)["aim"]["kv"] == expected


@pytest.mark.browser
@pytest.mark.parametrize("num", [1, 49, 64, 100, 144, 196])
def test_kept_tokens_round_as_the_core_does(script, num):
    from aim_core.ops.merging import num_kept

    for ratio in np.arange(2, 101) / 100:
        assert script("numKept", num, float(ratio)) == num_kept(num, float(ratio))


@pytest.fixture(scope="module")
def tokenizer(engine):
    return engine.adapter.processor.tokenizer


@pytest.fixture(scope="module")
def said(results):
    """The record of two or three answers."""

    def record(*answers: str) -> dict:
        runs = dict(zip(("dense", "aim", "hand"), (results[-1], results[0], results[0]), strict=False))
        answered = {side: replace(runs[side], answer=answer) for side, answer in zip(runs, answers, strict=False)}
        return answers_record(answered, True)

    return record


def test_equal_answers_agree(said):
    record = said("a red star", "a red star")
    assert record["agreement"] == {"shared": 3, "most": 3}
    assert {kind for side in ("dense", "aim") for kind, _ in record[side]["words"]} == {"same"}


def test_words_that_only_one_answer_has_are_marked(said):
    record = said("it moves to the left", "it moves right")
    assert record["dense"]["words"] == [
        ("same", "it"),
        ("same", "moves"),
        ("only", "to"),
        ("only", "the"),
        ("only", "left"),
    ]
    assert record["aim"]["words"] == [("same", "it"), ("same", "moves"), ("only", "right")]
    assert record["agreement"] == {"shared": 2, "most": 5}


def test_the_answer_by_hand_is_held_against_aim(said):
    record = said("it goes left", "it goes right", "it rests")
    assert record["hand"]["words"] == [("same", "it"), ("only", "rests")]
    assert record["aim"]["words"] == [("same", "it"), ("same", "goes"), ("only", "right")]  # as without marks
    assert record["overrides"] == {"protected": 0, "removed": 0, "same": False}
    assert said("left", "right", "right")["overrides"]["same"]


def test_known_answers_say_which_run_is_right(results, tokenizer):
    answers = dict(zip(("dense", "aim", "hand"), ("Three.", "4", "a b"), strict=True))
    runs = {side: replace(results[0], answer=answer) for side, answer in answers.items()}
    record = answers_record(runs, False, "3")
    assert [record[side]["right"] for side in answers] == [True, False, None] and record["known"] == "3"
    unknown = answers_record(runs, False)
    assert "known" not in unknown and unknown["dense"]["right"] is None
    assert answers_record({"dense": runs["dense"]}, False, "3")["dense"]["right"]


@pytest.mark.browser
@pytest.mark.parametrize(("aim", "verdict"), [("3", "apart"), ("4", "sameWrong"), ("5", "apart")])
def test_the_cards_say_what_is_right_also_when_both_are_wrong(browser, results, tokenizer, aim, verdict):
    texts = ENGLISH["ANSWER_PANEL"]
    runs = {side: replace(results[0], answer=answer) for side, answer in (("dense", "4"), ("aim", aim))}
    page = answers_page(browser, answers_record(runs, False, "3"))
    said = {side: page.locator(f"[data-part={side}-right]").inner_text() for side in runs}
    assert said["dense"] == texts["wrong"].format(known="3")
    assert said["aim"] == (texts["right"] if aim == "3" else said["dense"])
    assert page.locator("[data-part=verdict]").inner_text() == texts[verdict].format(known="3")
    page.close()


@pytest.mark.browser
def test_of_another_world_the_cards_say_that_the_answers_mean_nothing_and_tick_none(browser, results, tokenizer):
    texts, checks = ENGLISH["ANSWER_PANEL"], {True: WorldCheck(2.0, 0.5), False: WorldCheck(0.5, 0.5)}
    runs = dict.fromkeys(("dense", "aim", "hand"), replace(results[0], answer="red"))
    for outside, world in checks.items():
        page = answers_page(browser, answers_record(runs, True, world=world))
        assert page.get_by_text(texts["outside"]).is_visible() == outside
        assert ("✓" in page.locator("[data-part=root]").inner_text()) != outside
        assert page.locator("[data-part=verdict]").inner_text() == texts["same"].removeprefix("✓ " * outside)
        assert (max(weights(page, ".an-said")) <= 400) == outside
        page.close()
        page = first_token_page(browser, first_token_record(runs, tokenizer, world))
        assert (max(weights(page, "td, tbody th")) <= 400) == outside
        assert ("✓" in page.locator("[data-part=firsts]").inner_text()) != outside
        page.close()


def weights(page, parts: str) -> list[int]:
    find = "parts => parts.map((part) => Number(getComputedStyle(part).fontWeight))"
    return page.locator(parts).evaluate_all(find)


def test_marks_are_counted_in_tokens(results, tokenizer):
    trace = results[0].trace
    merged = int(np.bincount(trace.group[0]).argmax())
    patches = np.flatnonzero(trace.group[0] == merged)[:2]
    other = int(np.flatnonzero(trace.group[1] == 0)[0])
    marks = TokenOverrides(protect=tuple((0, int(patch)) for patch in patches), remove=((1, other),))
    runs = {"dense": results[-1], "aim": results[0], "hand": replace(results[0], overrides=marks)}
    assert len(patches) == 2
    assert answers_record(runs, True)["overrides"] == {"protected": 1, "removed": 1, "same": True}


def test_first_tokens_carry_the_runs_own_probabilities(results, tokenizer):
    dense, aim = results[-1], results[0]
    record = first_token_record({"dense": dense, "aim": aim}, tokenizer)
    vocabulary = tokenizer.convert_ids_to_tokens(range(len(dense.first_token_logprobs)))
    by_text = {token_text(tokenizer, index): index for index in range(len(vocabulary))}
    assert 5 <= len(record["rows"]) <= 10
    for word, *shares in record["rows"]:
        assert shares == pytest.approx(
            np.exp([dense.first_token_logprobs[by_text[word]], aim.first_token_logprobs[by_text[word]]]), rel=1e-6
        )
    falling = [max(row[1:]) for row in record["rows"]]
    assert falling == sorted(falling, reverse=True)
    assert record["firsts"] == [token_text(tokenizer, int(one.first_token_logprobs.argmax())) for one in (dense, aim)]
    expected = (np.exp(dense.first_token_logprobs) * (dense.first_token_logprobs - aim.first_token_logprobs)).sum()
    assert record["kl"] == [pytest.approx(expected, abs=1e-5)] and record["kl"][0] > 0


def with_first(result, shares: dict[int, float]):
    """The same with these probabilities of first tokens; the rest is spread over the others."""
    size = len(result.first_token_logprobs)
    rest = (1 - sum(shares.values())) / (size - len(shares))
    return replace(result, first_token_logprobs=np.log([shares.get(token, rest) for token in range(size)]))


def test_the_first_row_is_what_any_run_is_surest_of_and_hardly_likely_ones_are_counted(results, tokenizer):
    dense = with_first(results[-1], {20: 0.7, 21: 0.2, 22: 0.0999})
    aim = with_first(results[0], {30: 0.95, 20: 0.0499, 22: 0.00009})
    record = first_token_record({"dense": dense, "aim": aim}, tokenizer)
    assert [row[0] for row in record["rows"]] == [token_text(tokenizer, token) for token in (30, 20, 21, 22)]
    likely = {token for run in (dense, aim) for token in np.argsort(-run.first_token_logprobs, kind="stable")[:5]}
    assert record["few"] == len(likely) - 4 > 1


def test_the_likeliest_of_a_run_is_shown_however_unlikely(results, tokenizer):
    size = len(results[0].first_token_logprobs)
    even = replace(results[0], first_token_logprobs=np.full(size, -9.0))  # 0.0001 each, as of a large vocabulary
    record = first_token_record({"dense": even, "aim": even}, tokenizer)
    assert [row[0] for row in record["rows"]] == [token_text(tokenizer, 0)] and record["few"] == 4


def test_a_run_is_not_apart_from_itself(results, tokenizer):
    runs = dict.fromkeys(("dense", "aim", "hand"), results[0])
    record = first_token_record(runs, tokenizer)
    assert record["kl"] == [0, 0] and record["same"] and len(record["rows"]) == 5


def test_an_infinite_divergence_is_not_a_number_in_json(results, tokenizer):
    ruled_out = results[0].first_token_logprobs.copy()
    ruled_out[results[-1].first_token_logprobs.argmax()] = -np.inf
    record = first_token_record(
        {"dense": results[-1], "aim": replace(results[0], first_token_logprobs=ruled_out)}, tokenizer
    )
    assert record["kl"] == [None] and not record["same"]


def test_the_dense_answer_can_stand_alone_and_silence_is_said(results, tokenizer):
    record = answers_record({"dense": replace(results[-1], answer="")}, False)
    assert "aim" not in record and "agreement" not in record
    assert " ".join(word for _, word in record["dense"]["words"]) == ENGLISH["SILENT"]
    assert record["dense"]["time"] == "–"


def test_templates_are_fixed():
    for name in ("estimate", "answers", "first_token", "word_frames"):
        for kind in ("html", "css"):
            text = assets.text(f"components/{name}/{name}.{kind}")
            assert "${" not in text and "{{" not in text and "`" not in text


def answers_page(browser, record: dict):
    return modules.panel_page(
        browser, "answers", {"value": record, "texts": {"en": ENGLISH["ANSWER_PANEL"]}, "palette": {}, "fewest": 0.02}
    )


def first_token_page(browser, record: dict):
    props = {"value": record, "texts": {"en": ENGLISH["FIRST_TOKEN"]}, "palette": {}}
    return modules.panel_page(browser, "first_token", props)


@pytest.fixture(scope="module")
def first_tokens(results, tokenizer):
    """The record of a run's first token beside the dense one's."""
    return first_token_record({"dense": results[-1], "aim": results[0]}, tokenizer)


@pytest.mark.browser
def test_every_first_token_is_seen_and_the_hardly_likely_are_one_line(browser, first_tokens):
    rows = [[f"word {row}", 0.1, 0.2] for row in range(14)]
    page = first_token_page(browser, first_tokens | {"rows": rows, "few": 3})
    around = page.locator(".ft-scroll")
    assert around.evaluate("box => box.scrollHeight <= box.clientHeight + 1")
    assert around.locator("tfoot").inner_text() == ENGLISH["FIRST_TOKEN"]["few"].format(count=3)
    page.close()


EVIL = "<img src=x onerror=window.hit=1> ${window.hit=1} {{window}}"


@pytest.mark.browser
def test_markup_in_an_answer_stays_text(browser, said):
    page = answers_page(browser, said(EVIL, EVIL, EVIL))
    for part in ("dense", "aim", "hand"):
        assert EVIL in page.locator(f"[data-part={part}]").inner_text()
    assert page.evaluate("window.hit === undefined && !host.querySelector('img')")
    page.close()


@pytest.mark.browser
def test_markup_in_a_token_stays_text(browser, first_tokens):
    rows = [[EVIL, *first_tokens["rows"][0][1:]], *first_tokens["rows"][1:]]
    page = first_token_page(browser, first_tokens | {"rows": rows, "firsts": [EVIL, EVIL]})
    for part in ("[data-part=table] tbody th", "[data-part=firsts]"):
        assert EVIL in page.locator(part).first.inner_text()
    assert page.evaluate("window.hit === undefined && !host.querySelector('img')")
    page.close()


@pytest.mark.browser
def test_the_headline_says_tokens_and_work_and_whether_they_can_be_put_back(browser, said, results):
    record = said("left", "left")
    dense, aim = results[-1], results[0]
    share = aim.cost.language_flops / dense.cost.language_flops
    counts = (dense.cost.visual_per_layer[0], aim.cost.visual_per_layer[0], aim.cost.visual_per_layer[-1])
    assert record["headline"] == dict(zip(("dense", "merged", "last"), counts, strict=True)) | {"share": share}
    page = answers_page(browser, record)
    told = page.locator("[data-part=headline]").inner_text()
    assert [int(number) for number in re.findall("[0-9]+", told.replace(",", ""))][:3] == [*counts]
    button = page.locator("[data-part=break]")
    assert button.inner_text() == ENGLISH["ANSWER_PANEL"]["breakIt"]
    button.click()
    assert page.evaluate("asked") == [["breaks"]]
    page.close()


def test_gradio_can_make_the_panels_again(engine):
    panel = EstimatePanel(value={"keep_ratio": 0.5, "model": model_sizes(engine)}, elem_id="estimate")
    again = EstimatePanel(**panel.constructor_args | {"render": False})
    assert again.value == panel.value and again.fixed == panel.fixed
    assert AnswersPanel(elem_id="answers", render=False).preprocess({"dense": "x"}) is None
    assert FirstTokenPanel(elem_id="first_token", render=False).preprocess(None) is None
    assert WordFramesPanel(elem_id="word_frames", render=False).preprocess(None) is None


@pytest.mark.browser
def test_what_is_not_known_is_not_shown(browser, said):
    page = answers_page(browser, said("left", "left"))
    assert page.locator("[data-part=dense-right]").is_hidden() and not page.locator("[data-part=handCard]").is_visible()
    page.close()


@pytest.mark.browser
def test_bars_of_first_tokens_have_texts_and_headings_for_readers(browser, first_tokens):
    page = first_token_page(browser, first_tokens)
    table = page.get_by_role("table", name=ENGLISH["FIRST_TOKEN"]["caption"])
    assert [head.inner_text() for head in table.get_by_role("columnheader").all()] == ["Token", "Dense", "AIM"]
    assert all(cell.inner_text().endswith(" %") for cell in table.locator("tbody td").all())
    assert page.locator("[data-part=kl] li").count() == 1
    page.close()
