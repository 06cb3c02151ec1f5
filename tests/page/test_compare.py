"""Compare: what is refused, what the panel is told of each run, and that a comparison comes run by run."""

from __future__ import annotations

import base64
import csv
import io
import json
import math
from dataclasses import replace
from urllib.parse import parse_qsl

import gradio as gr
import numpy as np
import pytest

from aim_core.budget import MEASURES, Budget
from aim_core.method_comparison import DENSE, MethodRun, compare_methods
from aim_core.methods.registry import METHODS
from page.compare import USUAL
from page.compare_link import LEAST, checked_budget, checked_methods, compare_query, read_compare_link
from page.components.compare.component import ComparePanel
from page.components.compare.record import compare_record
from page.exports.comparison import comparison_code, comparison_csv
from page.i18n import STRINGS
from page.state.samples import is_right
from tests.helpers.browsing import ROOT
from tests.helpers.modules import GREY, panel_page

NAMES = ["aim", "fastv", "vtw", "tome_in_tower", "divprune", "vidcom2", "fewer_frames"]
QUESTION = "is there a star?"


@pytest.fixture(scope="module")
def runs(engine, frames) -> list[MethodRun]:
    budget = Budget(0.1)
    return [*compare_methods(engine, frames, QUESTION, methods=NAMES, budget=budget, max_new_tokens=3, num_timed=1)]


@pytest.fixture(scope="module")
def record(runs) -> dict:
    return compare_record(runs, "yes", False, Budget(0.1))


def refused(check, *args) -> str:
    with pytest.raises(gr.Error) as caught:
        check(*args)
    return str(caught.value.message)


@pytest.mark.parametrize("percent", [LEAST - 1, 101, "x", None, math.nan, [], math.inf])
def test_a_budget_that_is_none_is_a_sentence(percent):
    assert "These settings do not work" in refused(checked_budget, percent, "flops")


def test_a_budget_of_nothing_known_is_a_sentence():
    assert "These settings do not work" in refused(checked_budget, 10, "hours")


@pytest.mark.parametrize("names", [None, [], "aim", ["no such"], 3])
def test_without_a_method_there_is_nothing_to_compare(names):
    assert "at least one method" in refused(checked_methods, names)


def test_methods_come_once_each_in_the_order_of_the_registry():
    assert checked_methods(["random", "aim", "aim", "no such"]) == ["aim", "random"]
    assert {*USUAL} <= {*METHODS} and len(USUAL) >= 12


@pytest.mark.parametrize("language", STRINGS)
def test_every_measure_has_its_words(language):
    assert {*STRINGS[language]["MEASURES"]} == {*MEASURES}


def test_each_run_is_a_row_with_what_it_cost(runs, record):
    assert [row["name"] for row in record["rows"]] == [DENSE, *NAMES]
    for run, row in zip(runs, record["rows"], strict=True):
        assert row["refused"] == run.refused
        if run.refused:
            continue
        assert " ".join(word for _, word in row["words"]) == run.answer
        assert row["counts"] == [*run.visual_per_layer] and row["numbers"]["flops"] == run.shares.flops
        assert row["ms"] == run.median_ms and row["right"] == is_right(run.answer, "yes")
    assert {"dense", "aim", "divprune", "vidcom2"} <= {row["name"] for row in record["rows"] if not row["refused"]}
    refusals = {row["name"]: row["refused"] for row in record["rows"] if row["refused"]}
    assert "cannot go under" in refusals["fastv"] and all(sentence.endswith(".") for sentence in refusals.values())


def test_every_patch_is_where_the_trace_says(runs, record):
    for run, row in zip(runs, record["rows"], strict=True):
        if run.refused:
            continue
        where = np.frombuffer(base64.b64decode(row["tokens"]["row"]), "<i4").reshape(run.trace.group.shape)
        last = np.frombuffer(base64.b64decode(row["tokens"]["last"]), "<i2")
        for layer in range(run.trace.num_layers):
            assert np.array_equal(last[where] >= layer, run.trace.alive(layer))
        into = np.frombuffer(base64.b64decode(row["tokens"]["into"]), "<i4")
        assert np.array_equal(into[: run.trace.num_rows], run.trace.folded_into_by_row())


@pytest.mark.browser
@pytest.mark.parametrize("is_on_gpu", [False, True])
def test_memory_is_a_column_where_a_gpu_measured_it(browser, runs, is_on_gpu):
    measured = [replace(run, peak_bytes=None if run.refused else (3 + i) << 30) for i, run in enumerate(runs)]
    with gr.Blocks():
        props = ComparePanel().fixed
    record = compare_record(measured if is_on_gpu else runs, None, False, Budget(0.1))
    pictures = [{"url": GREY}] * len(record["views"])
    props |= {"value": {"pictures": pictures, "record": record}}
    page = panel_page(browser, "compare", json.loads(json.dumps(props)))
    heads = page.locator("thead th").filter(visible=True).all_inner_texts()
    assert ("Memory" in heads) == is_on_gpu
    spans = "lines => lines.map((line) => [...line.cells].reduce((sum, { colSpan }) => sum + colSpan, 0))"
    assert {*page.locator("tbody tr").evaluate_all(spans)} == {len(heads)}
    if is_on_gpu:
        most = max(run.peak_bytes or 0 for run in measured)
        page.get_by_role("button", name="Memory").click()
        page.get_by_role("button", name="Memory").click()
        first = page.locator("tbody tr").first.locator("td").nth(heads.index("Memory") - 1)
        assert first.inner_text() == f"{most >> 30} GiB"
    page.close()


def test_words_that_dense_lacks_are_marked(runs):
    record = compare_record(runs, None, True, Budget(0.1, "kv"))
    assert record["outside"] and record["measure"] == "kv"
    dense = runs[0].answer.split()
    rows = [row for row in record["rows"] if not row["refused"]]
    assert {row["right"] for row in rows} == {None}
    for row in rows:
        kinds, words = zip(*row["words"], strict=True)
        assert (set(kinds) == {"same"}) == (list(words) == dense)
        assert all(word in dense for kind, word in row["words"] if kind == "same")


def test_the_table_has_a_line_for_each_method(runs):
    lines = list(csv.DictReader(io.StringIO(comparison_csv(runs))))
    assert [line["method"] for line in lines] == [run.name for run in runs]
    for run, line in zip(runs, lines, strict=True):
        assert line["refused"] == run.refused and not (run.refused and line["answer"])
        if not run.refused:
            assert line["visual_per_layer"].split() == [str(count) for count in run.visual_per_layer]
            assert float(line["flops_share"]) == run.shares.flops and float(line["prefill_ms_median"]) == run.median_ms
            assert line["peak_bytes"] == ("" if run.peak_bytes is None else str(run.peak_bytes))


def test_the_code_compares_the_same_again(capsys, monkeypatch):
    sample = str(ROOT / "assets/samples/crossing.mp4")
    code = comparison_code((sample,), QUESTION, 8, Budget(0.1), ["aim", "divprune"], "assets/model")
    monkeypatch.chdir(ROOT)
    exec(compile(code, "copied", "exec"), {})
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()[-3:]] == ["dense", "AIM", "DivPrune"]
    evil = comparison_code("folder/x'y.mp4", "a'''\nimport os", 8, Budget(0.1), ["aim"], "m")
    assert "\nimport os" not in evil and "folder" not in evil
    compile(evil, "copied", "exec")


def test_a_link_gives_back_what_was_asked():
    query = compare_query(QUESTION, Budget(0.12, "kv"), 5, ["aim", "evs"], ("crossing.mp4",))
    found = read_compare_link(dict(parse_qsl(query)))
    assert found.settings == (QUESTION, 12, "kv", 5, ["aim", "evs"]) and found.samples == ("crossing.mp4",)
    assert not found.bad and read_compare_link({}).settings == (None,) * 5


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("question", " "),
        ("budget", "1e9"),
        ("budget", "nan"),
        ("of", "hours"),
        ("frames", "0"),
        ("frames", "x" * 100),
        ("methods", "rm -rf"),
        ("methods", "aim nothing"),
        ("sample", "../../etc/passwd"),
    ],
)
def test_what_a_link_cannot_set_is_named_and_the_rest_is_set(name, value):
    found = read_compare_link({"budget": "20", "of": "kv"} | {name: value})
    assert found.bad == (name,) and (found.percent, found.measure).count(None) == (name in ("budget", "of"))
