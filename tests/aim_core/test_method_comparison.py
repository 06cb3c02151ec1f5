"""compare_methods: each run is what the engine says of that method alone, at the cost that was asked for."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from aim_core.__main__ import main
from aim_core.budget import MEASURES, TOLERANCE, Budget, Solved, solve
from aim_core.comparison import compare
from aim_core.config import AimConfig
from aim_core.engine import Engine
from aim_core.errors import Stopped
from aim_core.media.decode import load_frames
from aim_core.method_comparison import MethodRun, compare_methods, each_method
from aim_core.method_table import as_csv, as_json, as_text
from aim_core.methods.before_decoder import before_decoder
from aim_core.methods.registry import METHODS, make_method
from aim_core.methods.uniform import UniformPatches
from aim_core.reasons import Reason
from aim_core.workload import Workload
from tests.helpers.on_model import everything_on
from tests.helpers.prompts import QUESTION, prefilled

ROOT = Path(__file__).parents[2]
CLIP, ASKED = ROOT / "assets" / "samples" / "crossing.mp4", "how does the cyan star move?"
BUDGET = Budget(0.3)


@pytest.fixture(scope="module")
def told() -> list[MethodRun]:
    """What was told of every method as it finished."""
    return []


@pytest.fixture(scope="module")
def runs(engine, frames, told) -> dict[str, MethodRun]:
    """All methods, by an engine that remembers nothing yet."""
    fresh = Engine(engine.adapter)
    found = compare_methods(fresh, frames, QUESTION, budget=BUDGET, max_new_tokens=3, num_timed=2, on_done=told.append)
    return {run.name: run for run in found}


@pytest.fixture(scope="module")
def embedded() -> Engine:
    return Engine.from_pretrained(ROOT / "assets" / "model", device="cpu")


def test_dense_comes_first_and_every_method_after_it(runs):
    assert list(runs) == ["dense", *METHODS]
    dense = runs["dense"]
    assert (dense.kl, dense.same_answer, dense.first_token_agrees, dense.refused) == (0, True, True, "")
    assert {getattr(dense.shares, of) for of in MEASURES} == {1}
    assert all(run.title == METHODS[name].title for name, run in runs.items() if name != "dense")


@pytest.mark.parametrize("name", ["dense", *METHODS])
def test_a_run_is_what_the_engine_says_of_that_method_alone(engine, frames, runs, name):
    run, config = runs[name], AimConfig.dense()
    if run.refused:
        assert run.result is None and run.trace is None and run.visual_per_layer == ()
        return
    if name != "dense":
        config = make_method(name, **run.settings)
        assert run.method == config
    alone = Engine(engine.adapter).run(frames, QUESTION, config=config, max_new_tokens=3)
    assert run.answer == alone.answer and run.result.answer_ids == alone.answer_ids
    assert np.array_equal(run.result.first_token_logprobs, alone.first_token_logprobs)
    assert np.array_equal(run.trace.rows(), alone.trace.rows())
    assert run.visual_per_layer == alone.cost.visual_per_layer == tuple(alone.trace.retained)


def test_costs_are_those_of_the_runs_and_miss_the_budget_as_it_is_said(runs):
    dense = runs["dense"].result.cost
    ran = [run for run in runs.values() if run.result and run.name != "dense"]
    assert len(ran) > 10
    for run in ran:
        cost = run.result.cost
        assert run.flops == cost.language_flops
        assert run.shares.flops == pytest.approx(cost.language_flops / dense.language_flops)
        assert run.shares.kv == pytest.approx(sum(cost.tokens_per_layer) / sum(dense.tokens_per_layer))
        assert run.shares.mean == pytest.approx(sum(cost.visual_per_layer) / sum(dense.visual_per_layer))
        assert run.shares.entering == cost.visual_per_layer[0] / dense.visual_per_layer[0]
        assert run.miss == pytest.approx(run.shares.flops / 0.3 - 1)
        assert abs(run.miss) <= TOLERANCE or run.note


def test_bytes_of_the_cache_are_those_that_it_holds(engine, frames, runs):
    _, cache, _ = prefilled(engine, frames, runs["aim"].method)
    stored = sum(part.numel() * part.element_size() for layer in cache.layers for part in (layer.keys, layer.values))
    assert runs["aim"].kv_bytes == stored < runs["dense"].kv_bytes


def test_answers_and_first_tokens_are_held_beside_the_dense_ones(runs):
    dense = runs["dense"]
    for run in (run for run in runs.values() if run.result):
        apart = compare(dense.result.first_token_logprobs, run.result.first_token_logprobs)
        assert (run.kl, run.first_token_agrees) == (apart.kl, apart.agrees)
        assert run.same_answer == (run.answer == dense.answer)
    assert len({run.kl for run in runs.values()}) > 5


def test_each_is_told_when_it_has_answered_and_again_with_its_times(runs, told):
    ran = [name for name, run in runs.items() if run.result]
    assert [run.name for run in told] == [*runs, *ran]
    assert all(run.prefill_ms == () and run.median_ms is None for run in told[: len(runs)])
    for run in told[len(runs) :]:
        assert len(run.prefill_ms) == 2 and min(run.prefill_ms) <= run.median_ms <= max(run.prefill_ms)
        assert run.result.timing.runs_ms == run.prefill_ms and run.result.timing.prefill_ms == run.median_ms
        assert run is runs[run.name]


def test_the_video_is_seen_once(engine, frames, monkeypatch):
    fresh, seen = Engine(engine.adapter), []
    encode = engine.adapter.encode
    monkeypatch.setattr(engine.adapter, "encode", lambda inputs: seen.append(1) or encode(inputs))
    compare_methods(fresh, frames, QUESTION, methods=["vidcom2", "fastv"], max_new_tokens=1, num_timed=1)
    assert len(seen) == 1


def test_prefills_are_timed_in_turns_after_all_answers(engine, frames, monkeypatch):
    fresh, order = Engine(engine.adapter), []
    prefill = fresh._prefill
    monkeypatch.setattr(
        fresh, "_prefill", lambda prompt, session: order.append(session.method.name) or prefill(prompt, session)
    )
    compare_methods(fresh, frames, QUESTION, methods=["evs", "vtw"], max_new_tokens=1, num_timed=2)
    assert order == ["AIM", "EVS", "VTW"] * 3  # AIM with nothing to do is the dense model


def test_what_cannot_meet_the_budget_is_refused_with_its_floor_and_costs_nothing(engine, frames):
    dense, run = compare_methods(
        engine, frames, QUESTION, methods=["pyramid_drop"], budget=0.1, max_new_tokens=1, num_timed=1
    )
    assert run.refused.startswith("PyramidDrop cannot go under 2") and 0.2 < run.limit < 0.3
    assert (run.result, run.prefill_ms, run.shares) == (None, (), None) and len(dense.prefill_ms) == 1


def test_what_does_not_run_on_a_model_is_refused_and_the_others_go_on(engine, frames, monkeypatch):
    class Wrong(UniformPatches):
        def __call__(self, tokens, metric=None):
            raise ValueError("this family tells no attention of its tower")

    def made(keep_ratio: float = 0.25):
        return before_decoder("uniform", Wrong(keep_ratio))

    monkeypatch.setitem(METHODS, "uniform", replace(METHODS["uniform"], make=made))
    _, wrong, right = compare_methods(
        engine, frames, QUESTION, methods=["uniform", "random"], max_new_tokens=1, num_timed=0
    )
    assert wrong.refused == "every n-th patch cannot run here: this family tells no attention of its tower."
    assert not right.refused and right.answer


def test_a_comparison_that_is_stopped_leaves_what_was_done_and_the_engine_as_it_was(engine, frames):
    before, done = everything_on(engine.adapter.model), []
    with pytest.raises(Stopped):
        for run in each_method(engine, frames, QUESTION, max_new_tokens=1, stop=lambda: len(done) == 3):
            done.append(run)
    assert [run.name for run in done] == ["dense", *list(METHODS)[:2]]
    assert everything_on(engine.adapter.model) == before
    assert engine.run(frames, QUESTION, config=AimConfig.dense(), max_new_tokens=1).answer_ids


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ({"methods": ["luck"]}, "no method 'luck': choose among aim"),
        ({"num_timed": -1}, "num_timed"),
        ({"budget": 2.0}, "budget"),
        ({"question": " "}, "empty"),
        ({"max_new_tokens": 0}, "max_new_tokens"),
    ],
)
def test_wrong_requests_are_errors(engine, frames, how, says):
    with pytest.raises(ValueError, match=says):
        compare_methods(engine, frames, **{"question": QUESTION, "methods": ["evs"], **how})


def test_planned_is_what_a_run_then_has_and_runs_no_layer(engine, frames):
    layers = []
    hook = engine.adapter.decoder.layers[0].register_forward_hook(lambda *_: layers.append(1))
    try:
        planned = engine.planned(frames, QUESTION, config=make_method("vidcom2", keep_ratio=0.3))
    finally:
        hook.remove()
    result = engine.run(frames, QUESTION, config=make_method("vidcom2", keep_ratio=0.3), max_new_tokens=1)
    assert not layers and planned.visual_per_layer == result.cost.visual_per_layer
    assert planned.num_text == result.cost.num_text and len(planned.views) == len(frames)
    with pytest.raises(Stopped):
        engine.planned(frames, QUESTION, config=AimConfig.dense(), stop=lambda: True)


def test_peak_memory_is_told_where_it_can_be_measured(runs, checkpoint, frames):
    assert all(run.peak_bytes is None for run in runs.values())  # on a CPU
    if not torch.cuda.is_available():
        return
    engine = Engine.from_pretrained(checkpoint, device="cuda")
    weights = sum(one.numel() * one.element_size() for one in engine.adapter.model.parameters())
    dense, aim = compare_methods(engine, frames, QUESTION, methods=["aim"], max_new_tokens=1, num_timed=0)
    assert weights < aim.peak_bytes < dense.peak_bytes


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.5, 0.25, 0.125, 0.06])
def test_every_method_meets_a_budget_of_the_embedded_model_or_says_why_not(embedded, share):
    clip = load_frames(CLIP, 8)
    dense = embedded.planned(clip, ASKED, config=AimConfig.dense())
    workload = Workload.of(embedded.adapter, dense)
    assert workload.num_visual == dense.visual_per_layer[0] and workload.blocks == ((8, (12, 12)),)
    met = []
    for name in METHODS:
        found = solve(
            name, Budget(share), workload, lambda own: embedded.planned(clip, ASKED, config=own).visual_per_layer
        )
        if isinstance(found, Solved):
            assert abs(found.miss) <= TOLERANCE or "next to the budget" in found.note
            met += [name] if abs(found.miss) <= TOLERANCE else []
        else:
            assert "cannot go" in found.reason and abs(found.limit / share - 1) > TOLERANCE
    assert {"aim", "vidcom2", "v_cast", "divprune", "random"} <= set(met)


def test_tables_hold_every_run(runs):
    rows = json.loads(as_json(runs.values(), QUESTION, BUDGET))
    assert (rows["question"], rows["budget"]) == (QUESTION, {"share": 0.3, "of": "flops"})
    assert [row["name"] for row in rows["runs"]] == list(runs)
    aim = rows["runs"][1]
    assert aim["settings"] == runs["aim"].settings and aim["flops"] == runs["aim"].shares.flops
    assert aim["visual_per_layer"] == list(runs["aim"].visual_per_layer) and len(aim["prefill_ms"]) == 2
    lines = list(csv.DictReader(io.StringIO(as_csv(runs.values()))))
    assert [line["name"] for line in lines] == list(runs)
    assert float(lines[1]["kl"]) == runs["aim"].kl and lines[1]["settings"].startswith("keep_ratio=")
    text = as_text(list(runs.values()))
    assert all(run.title in text for run in runs.values()) and all(run.refused in text for run in runs.values())


def test_a_refused_run_has_no_figures_in_a_table():
    reason = Reason("under", {"title": "EVS", "share": 0.125, "of": "kv", "because": "so"})
    run = MethodRun("evs", "EVS", refusal=reason, limit=0.125)
    (row,) = json.loads(as_json([run], "?", BUDGET))["runs"]
    assert row["refused"] and row["limit"] == 0.125 and row["kl"] is row["flops"] is row["answer"] is None
    assert "EVS cannot go under 12.5% of the dense KV cache: so." in as_text([run])
    infinite = replace(run, refusal=None, kl=float("inf"))
    assert json.loads(as_json([infinite], "?", BUDGET))["runs"][0]["kl"] is None


@pytest.mark.slow
def test_the_command_line_prints_a_table_and_writes_files(tmp_path, capsys):
    to_json, to_csv = tmp_path / "runs.json", tmp_path / "runs.csv"
    files = ["--json", str(to_json), "--csv", str(to_csv)]
    how = ["--budget", "0.2", "--of", "mean", "--methods", "aim", "pyramid_drop", "--timed", "0", "--device", "cpu"]
    assert main(["compare", str(CLIP), ASKED, "--model", str(ROOT / "assets" / "model"), *how, *files]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].startswith("method") and [line.split()[0] for line in printed[1:]] == [
        "dense",
        "AIM",
        "PyramidDrop",
    ]
    assert printed[-1].startswith("PyramidDrop cannot go under 25.0%")
    assert [row["name"] for row in json.loads(to_json.read_text())["runs"]] == ["dense", "aim", "pyramid_drop"]
    assert to_csv.read_text().startswith("name,title,refused")


def test_the_command_line_says_in_a_sentence_what_is_wrong(capsys, checkpoint):
    assert main(["compare", "nothing.mp4", "what?", "--model", str(checkpoint), "--device", "cpu"]) == 1
    assert "not there" in capsys.readouterr().err
    assert main(["compare", str(CLIP), "what?", "--budget", "7"]) == 1
    assert "share of the dense cost" in capsys.readouterr().err
