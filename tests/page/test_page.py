"""The page's parts: what is refused and in which words, the table of numbers, the store, the choice of model."""

from __future__ import annotations

import time
from dataclasses import replace

import gradio as gr
import pytest

from aim_core.config import AimConfig
from aim_core.media.errors import MediaError
from aim_core.overrides import TokenOverrides
from aim_core.result import PrefillTimes
from page import checks
from page.comparison_table import comparison, flops, summary, times
from page.i18n import ENGLISH, I18N
from page.layout_shared import about
from page.overrides import checked_overrides
from page.state.model_facts import ModelFacts
from page.state.startup import load, public_name
from page.state.store import ResultStore, StoredRun, held_bytes
from page.times import spent
from tests.helpers.waiting import wait_until


@pytest.fixture(scope="module")
def results(engine, frames):
    question = "is there a star?"
    return [
        engine.run(frames, question, config=c, max_new_tokens=2) for c in (AimConfig.dense(), AimConfig(0.25, 6, 9))
    ]


def refused(check, *args) -> str:
    with pytest.raises(gr.Error) as caught:
        check(*args)
    return str(caught.value.message)


@pytest.mark.parametrize(
    ("question", "says"),
    [
        ("", "Type a question"),
        ("  \n", "Type a question"),
        (None, "Type a question"),
        ("why " * 2000, "2,000 words"),
        ("why" * 300_000, "900,000 characters"),
        (5, "must be a text"),
        (["why?"], "must be a text"),
    ],
)
def test_questions_that_cannot_be_asked(question, says):
    assert says in refused(checks.checked_question, question)


def test_a_question_loses_only_its_margins():
    assert checks.checked_question("  is there\na star? ") == "is there\na star?"


@pytest.mark.parametrize(
    "settings", [(0, 6, 9), (1.5, 6, 9), (0.5, 9, 6), (0.5, 6, 6), (0.5, -1, 3), (0.5, 1.5, 3), ("x", 1, 2)]
)
def test_impossible_sliders_are_a_sentence(settings):
    assert "These settings do not work" in refused(checks.checked_config, *settings)


@pytest.mark.parametrize("count", [0, 33, 2.5, "many", None, True])
def test_impossible_numbers_of_frames_are_a_sentence(count):
    assert refused(checks.checked_frames, count)


def test_sliders_send_floats():
    assert checks.checked_config(0.25, 6.0, 9.0) == AimConfig(0.25, 6, 9) and checks.checked_frames(8.0) == 8


def test_the_open_tab_comes_first():
    both = "a.mp4", "b.png"
    assert checks.checked_media(*both, "video") == ("a.mp4",) and checks.checked_media(*both, "image") == ("b.png",)
    assert checks.checked_media(None, "b.png", "video") == ("b.png",)
    assert checks.checked_media("a.mp4", None, "image") == ("a.mp4",)
    assert checks.checked_media(None, "b.png", "image", ("c.png",)) == ("b.png", "c.png")
    assert "Upload" in refused(checks.checked_media, None, None, "video")


@pytest.mark.parametrize(
    ("error", "says"),
    [(MediaError("No picture."), "No picture."), (MemoryError(), "memory"), (RuntimeError("secret"), "again")],
)
def test_nothing_but_sentences_leaves_a_handler(error, says):
    def handler():
        raise error

    message = refused(checks.guarded(handler))
    assert says in message and "secret" not in message


def test_a_step_that_fails_is_a_sentence_too():
    def handler():
        yield 1
        raise RuntimeError("secret")

    steps = checks.guarded(handler)()
    assert next(steps) == 1
    assert "again" in refused(lambda: next(steps))


@pytest.mark.parametrize(
    ("count", "text"),
    [(2.5e12, "2.5 TFLOPs"), (45.6e9, "45.6 GFLOPs"), (1e6, "1 MFLOPs"), (10, "10 FLOPs"), (0, "0 FLOPs")],
)
def test_flops_are_short(count, text):
    assert flops(count) == text


def test_the_table_shows_the_records_numbers(results):
    dense, aim = results
    table = comparison(dense, aim, 3)
    assert f"| {dense.cost.visual_per_layer[0]:,} | {aim.cost.visual_per_layer[0]:,} |" in table
    assert flops(aim.cost.language_flops) in table and f"{aim.cost.vision_share:.0%}" in table
    assert f"| {spent([aim.timing.prefill_ms])} |" in table and "of 3 turns" in table and "6·n·d·m" in table
    assert times(dense.cost.language_flops, aim.cost.language_flops) in table


def timed(results, *prefills):
    """Dense and AIM with these prefills, and 10 ms of vision before each."""
    times = [PrefillTimes(ms, (1.0,) * len(ms), tuple(10 + one for one in ms)) for ms in prefills]
    pairs = zip(results, times, strict=True)
    return [replace(run, timing=run.timing.with_prefills(own)) for run, own in pairs]


def test_times_are_told_with_the_fastest_and_the_slowest_and_their_ratio(results):
    both = timed(results, (30.0, 26.4, 42.0), (10.04, 9.0, 12.0))
    table = comparison(*both, 3)
    assert "| 30 ms (26–42) | 10 ms (9–12) | 3× (2.9–3.5) |" in table
    assert "| 40 ms (36–52) | 20 ms (19–22) | 2× (1.9–2.4) |" in table and both[0].timing.merge_ms == 1.0
    record = summary(dict(zip(("dense", "aim"), both, strict=True)))
    assert record["dense"]["prefill_ms"] == [30, 26.4, 42] and record["aim"]["first_word_ms"] == [20.04, 19, 22]


def test_a_busy_machine_gets_no_ratio(results):
    table = comparison(*timed(results, (30.0, 20.0, 70.0), (10.0, 5.0, 5.0)), 3)
    assert f"| 30 ms (20–70) | 5 ms (5–10) | {ENGLISH['TOO_BUSY']} |" in table
    assert "| 40 ms | 20 ms | – |" in comparison(*timed(results, (30.0,), (10.0,)), 1)  # one turn has no spread


@pytest.mark.parametrize(
    ("runs", "text"),
    [
        ([0.8349], "0.83 ms"),
        ([347.0, 333.3, 401.0], "350 ms (330–400)"),
        ([1234.0, 980.0, 1449.0], "1.2 s (0.98–1.4)"),
        ([123456.0], "120 s"),
    ],
)
def test_a_time_has_two_digits(runs, text):
    assert spent(runs) == text


def test_a_table_without_times_says_how_to_get_them(results):
    table = comparison(*results, 0)
    assert "measured here" not in table and "press Run to time both" in table


def test_the_summary_is_plain_numbers(results):
    record = summary(dict(zip(("dense", "aim"), results, strict=True)))
    assert record["aim"]["visual_tokens_per_layer"] == list(results[1].cost.visual_per_layer)
    assert record["dense"]["answer"] == results[0].answer


def test_the_store_is_bounded_in_bytes_and_replaces(results):
    one, other = (StoredRun(path, "why?", 4, *results) for path in ("a.mp4", "b.mp4"))
    store = ResultStore(int(2.5 * held_bytes(one)))
    first, second = store.put(one), store.put(one)
    assert store.put(other, second) == second and store.get(second) is other
    assert store.get(first) is one
    third = store.put(other)
    assert store.get(second) is None and store.get(None) is None  # the least recently used went
    assert store.get(first) is one and store.get(third) is other and store.num_bytes == 2 * held_bytes(one)


def test_the_store_keeps_nothing_for_ever_and_nothing_too_large(results):
    one, now = StoredRun("a.mp4", "why?", 4, *results), time.monotonic()
    arrays = {id(array): array.nbytes for run in results for array in (run.trace.frames, run.first_token_logprobs)}
    assert held_bytes(one) > sum(arrays.values()) and held_bytes(one, one) == held_bytes(one)
    store = ResultStore(held_bytes(one), seconds=0.05)
    key = store.put(one)
    assert store.get(key) is one
    wait_until(lambda: store.get(key) is None)
    store.expire()
    assert store.num_bytes == 0 and time.monotonic() - now >= 0.05
    assert ResultStore(held_bytes(one) - 1).put(one)  # shown, and not kept


def test_marks_on_patches_that_are_there_pass(results):
    trace = results[1].trace
    last = [trace.group.shape[0] - 1, trace.group.shape[1] - 1]
    assert checked_overrides({"protect": [[0, 0]], "remove": [last]}, trace) == TokenOverrides(
        ((0, 0),), (tuple(last),)
    )
    assert not checked_overrides({}, trace) and not checked_overrides({"protect": [], "remove": []}, trace)


@pytest.mark.parametrize(
    "sent",
    [
        None,
        [],
        "x",
        {"protect": "00"},
        {"protect": [[0]]},
        {"protect": [[0, 1, 2]]},
        {"protect": [[0, 1.0]]},
        {"protect": [[True, 1]]},
        {"protect": [["0", 1]]},
        {"remove": [[-1, 0]]},
        {"remove": [[4, 0]]},
        {"remove": [[0, 64]]},
        {"remove": [[0, 10**30]]},
        {"remove": [[0, 0]] * 257},
        {"other": []},
        {"remove": {}},
    ],
)
def test_marks_that_do_not_fit_are_a_sentence(results, sent):
    assert "mark patches again" in refused(checked_overrides, sent, results[1].trace)


def test_a_patch_marked_both_ways_is_a_sentence(results):
    message = refused(checked_overrides, {"protect": [[0, 3]], "remove": [[0, 3]]}, results[1].trace)
    assert "both to protect and to remove" in message


def test_a_request_knows_its_runs(results):
    dense, aim = results
    plain = StoredRun("a.mp4", "why?", 4, dense, aim)
    assert list(plain.runs) == ["dense", "aim"] and plain.shown is aim and not plain.overrides
    hand = replace(aim, overrides=TokenOverrides(remove=((0, 1),)))
    marked = replace(plain, hand=hand)
    assert list(marked.runs) == ["dense", "aim", "hand"] and marked.shown is hand and marked.overrides == hand.overrides


def test_a_model_that_cannot_be_loaded_leaves_the_embedded_one(checkpoint):
    loaded = load("no/such-model", embedded=checkpoint)
    assert loaded.is_embedded and "no/such-model" in loaded.problem and loaded.problem.endswith(".")
    other = load(str(checkpoint), embedded="not used")
    assert not other.is_embedded and not other.problem


def test_visitors_see_no_path_of_the_server(checkpoint, tmp_path):
    named = load(str(checkpoint), embedded="not used")
    assert named.name == ModelFacts.of(named).name == checkpoint.name
    about(named)
    assert checkpoint.name in I18N.translations["en"]["about"]
    assert str(checkpoint.parent) not in I18N.translations["en"]["about"]
    broken = load(str(tmp_path), embedded=checkpoint)
    assert tmp_path.name in broken.problem and str(tmp_path.parent) not in broken.problem
    missing = load(str(tmp_path / "none"), embedded=checkpoint)
    assert "none" in missing.problem and str(tmp_path) not in missing.problem
    assert public_name("some/model-7b") == "some/model-7b" and public_name("/srv/none/model") == "model"
