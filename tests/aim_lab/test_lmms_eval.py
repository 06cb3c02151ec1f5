"""The plugin in the real lmms-eval: found by its entry point, scored as our own evaluation, killed and going on."""

from __future__ import annotations

import json
import time
from itertools import groupby
from operator import attrgetter

import pytest

from aim_core.engine import Engine
from tests.helpers.lmms import TASK, LmmsEval, filmed, write_task
from tests.helpers.wheel import ROOT, build_wheel
from training.answering import answer_all
from training.eval_sets import DEVELOPMENT_SEED, NUM_FRAMES, held_out_set

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
NUM_VIDEOS = 8


@pytest.fixture(scope="module")
def lmms(tmp_path_factory) -> LmmsEval:
    return LmmsEval.beside(build_wheel(tmp_path_factory.mktemp("wheel")), tmp_path_factory.mktemp("lmms"))


@pytest.fixture(scope="module")
def items(lmms):
    """All questions about some held-out films, and what lmms-eval is told of them."""
    groups = groupby(held_out_set(4, seed=DEVELOPMENT_SEED), key=attrgetter("video"))
    chosen = [item for (_, group), _ in zip(groups, range(NUM_VIDEOS), strict=False) for item in group]
    found = filmed(chosen, lmms.home)
    write_task(lmms.home, found)
    return found


@pytest.fixture(scope="module")
def right(items):
    """Which answers our own evaluation finds right, dense and with AIM."""
    return {name: own.right for name, own in answer_all(Engine.from_pretrained(MODEL), items, NUM_FRAMES).items()}


MODEL = ROOT / "assets" / "model"


def asked(lmms: LmmsEval, method: str, more: str = "") -> list[str]:
    knobs = f"pretrained={MODEL},frames={NUM_FRAMES},answers={lmms.home / 'answers.jsonl'},method={method}{more}"
    out = lmms.home / method
    return [
        *("--model", "aim", "--model_args", knobs, "--tasks", TASK, "--include_path", str(lmms.home)),
        *("--output_path", str(out), "--log_samples"),
    ]


def results(lmms: LmmsEval, method: str) -> dict:
    (path,) = (lmms.home / method).rglob("*_results.json")
    return json.loads(path.read_text())["results"][TASK]


def lines(lmms: LmmsEval) -> list[str]:
    path = lmms.home / "answers.jsonl"
    return path.read_text().splitlines() if path.exists() else []


def test_it_is_listed(lmms):
    code, said = lmms.run("models", "--aliases")
    (line,) = (line for line in said.splitlines() if line.split()[:1] == ["aim"])
    assert code == 0 and line.split() == ["aim", "chat", "aim_explorer"]


def test_killed_midway_it_goes_on_and_scores_as_our_own_evaluation_does(lmms, items, right):
    """Then another method is asked the same, with a paired test against the first."""
    process = lmms.start(*asked(lmms, "aim"))
    while len(lines(lmms)) < 5 and process.poll() is None:
        time.sleep(0.02)
    process.kill()
    process.communicate()
    before = lines(lmms)
    assert 5 <= len(before) < len(items)

    code, said = lmms.run(*asked(lmms, "aim"))
    assert code == 0, said
    assert lines(lmms)[: len(before)] == before and len(lines(lmms)) == len(items)
    assert {json.loads(line)["doc_id"] for line in lines(lmms)} == set(range(len(items)))
    assert results(lmms, "aim")["shape_world_score,none"] == pytest.approx(right["aim"].mean())
    assert samples(lmms, "aim") == right["aim"].tolist()

    (baseline,) = (lmms.home / "aim").rglob("*samples*.jsonl")
    code, said = lmms.run(*asked(lmms, "dense"), "--baseline", baseline)
    assert code == 0, said
    assert len(lines(lmms)) == 2 * len(items)
    found = results(lmms, "dense")
    assert found["shape_world_score,none"] == pytest.approx(right["dense"].mean())
    assert found["paired_baseline_score"] == pytest.approx(100 * right["aim"].mean())


def samples(lmms: LmmsEval, method: str) -> list[bool]:
    """Which documents lmms-eval scored as right."""
    (path,) = (lmms.home / method).rglob("*samples*.jsonl")
    docs = sorted(map(json.loads, path.read_text().splitlines()), key=lambda doc: doc["doc_id"])
    return [bool(doc["shape_world_score"]) for doc in docs]


def test_a_rival_meets_the_budget_of_each_document(lmms, items):
    code, said = lmms.run(*asked(lmms, "fastv", ",budget=0.4"), "--limit", "6")
    assert code == 0, said
    own = [json.loads(line) for line in lines(lmms) if json.loads(line)["knobs"]["method"] == "fastv"]
    assert len(own) == 6 and all(abs(line["shares"]["flops"] / 0.4 - 1) < 0.01 or line["note"] for line in own)


def test_a_knob_that_there_is_none_of_ends_it_with_a_sentence(lmms, items):
    code, said = lmms.run(*asked(lmms, "aim", ",framse=8"))
    assert code == 1 and "aim: there is no knob 'framse': choose among pretrained, method, budget" in said
    assert "Traceback" not in said
