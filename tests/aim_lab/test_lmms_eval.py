"""The plugin in the real lmms-eval: found by its entry point, scored as our own evaluation, killed and going on."""

from __future__ import annotations

import json
import time
from itertools import groupby
from operator import attrgetter

import numpy as np
import pytest
import yaml

from aim_core.engine import Engine
from tests.helpers.lmms import TASK, Filmed, LmmsEval, filmed, write_task
from tests.helpers.wheel import ROOT, build_wheel
from training.answering import answer_all
from training.eval_sets import DEVELOPMENT_SEED, NUM_FRAMES, wide_held_out_set

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
MODEL = ROOT / "assets" / "model"
NUM_VIDEOS, FEW = 8, 4  # asked about, and questions that a rival is asked
BUDGET = 0.4


@pytest.fixture(scope="module")
def lmms(tmp_path_factory) -> LmmsEval:
    return LmmsEval.beside(build_wheel(tmp_path_factory.mktemp("wheel")), tmp_path_factory.mktemp("lmms"))


@pytest.fixture(scope="module")
def items(lmms) -> list[Filmed]:
    """All questions about some held-out films; lmms-eval has them as a task."""
    groups = groupby(wide_held_out_set(1, seed=DEVELOPMENT_SEED), key=attrgetter("video"))
    chosen = [item for (_, group), _ in zip(groups, range(NUM_VIDEOS), strict=False) for item in group]
    found = filmed(chosen, lmms.home)
    write_task(lmms.home, found)
    return found


@pytest.fixture(scope="module")
def right(items) -> dict[str, np.ndarray]:
    """Which answers our own evaluation finds right, dense and with AIM; not all of them, or it would tell nothing."""
    found = {name: own.right for name, own in answer_all(Engine.from_pretrained(MODEL), items, NUM_FRAMES).items()}
    assert all(0 < own.mean() < 1 for own in found.values())
    return found


def run_of(lmms: LmmsEval, method: str, knobs: str = "", **more) -> dict:
    """One run, as `lmms-eval --config` takes it."""
    knobs = f"pretrained={MODEL},frames={NUM_FRAMES},answers={lmms.home / 'answers.jsonl'},method={method}{knobs}"
    where = {"include_path": str(lmms.home), "output_path": str(lmms.home / method)}
    return {"model": "aim", "model_args": knobs, "tasks": TASK, "log_samples": True, **where, **more}


def config(lmms: LmmsEval, *runs: dict) -> tuple[str, str]:
    """Several of them in one process, since lmms-eval takes long to start."""
    path = lmms.home / f"{len(list(lmms.home.glob('*.yaml')))}.yml"
    path.write_text(yaml.safe_dump(list(runs)))
    return "--config", str(path)


@pytest.fixture(scope="module")
def before(lmms, items) -> list[str]:
    """The answers of a run that was killed."""
    process = lmms.start(*config(lmms, run_of(lmms, "aim")))
    while len(lines(lmms)) < 5 and process.poll() is None:
        time.sleep(0.02)
    process.kill()
    said, _ = process.communicate(timeout=60)
    assert 5 <= len(lines(lmms)) < len(items), said
    return lines(lmms)


@pytest.fixture(scope="module")
def again(lmms, before) -> list[str]:
    """The answers after the same command, and a rival at a budget in the same process."""
    rival = run_of(lmms, "fastv", f",budget={BUDGET}", limit=FEW)
    code, said = lmms.run(*config(lmms, run_of(lmms, "aim"), rival))
    assert code == 0, said
    return lines(lmms)


@pytest.fixture(scope="module")
def compared(lmms, again) -> tuple[int, str]:
    """What lmms-eval says of the dense model beside AIM, then of a knob that there is none of."""
    (baseline,) = (lmms.home / "aim").rglob("*samples*.jsonl")
    wrong = run_of(lmms, "aim", ",framse=8")
    return lmms.run(*config(lmms, run_of(lmms, "dense", baseline=str(baseline)), wrong))


def lines(lmms: LmmsEval) -> list[str]:
    path = lmms.home / "answers.jsonl"
    return path.read_text().splitlines() if path.exists() else []


def results(lmms: LmmsEval, method: str) -> dict:
    (path,) = (lmms.home / method).rglob("*_results.json")
    return json.loads(path.read_text())["results"][TASK]


def samples(lmms: LmmsEval, method: str) -> list[bool]:
    """Which documents lmms-eval scored as right."""
    (path,) = (lmms.home / method).rglob("*samples*.jsonl")
    docs = sorted(map(json.loads, path.read_text().splitlines()), key=lambda doc: doc["doc_id"])
    return [bool(doc["shape_world_score"]) for doc in docs]


def test_it_is_listed(lmms):
    code, said = lmms.run("models", "--aliases")
    (line,) = (line for line in said.splitlines() if line.split()[:1] == ["aim"])
    assert code == 0 and line.split() == ["aim", "chat", "aim_explorer"]


def test_a_killed_run_goes_on_and_asks_nothing_twice(items, before, again):
    assert again[: len(before)] == before
    own = [json.loads(line) for line in again if json.loads(line)["knobs"]["method"] == "aim"]
    assert [line["doc_id"] for line in own] == list(range(len(items)))
    assert len({line["fingerprint"] for line in own}) == 1


def test_it_scores_as_our_own_evaluation_does(lmms, again, compared, right):
    for name in ("aim", "dense"):
        assert samples(lmms, name) == right[name].tolist()
        assert results(lmms, name)["shape_world_score,none"] == pytest.approx(right[name].mean())


def test_a_rival_meets_the_budget_of_each_document(again):
    own = [json.loads(line) for line in again if json.loads(line)["knobs"]["method"] == "fastv"]
    assert len(own) == FEW
    assert all(abs(line["shares"]["flops"] / BUDGET - 1) < 0.01 or line["note"] for line in own)
    assert all(0 < line["settings"]["keep_ratio"] < 1 for line in own)


def test_two_methods_are_compared_document_by_document(lmms, compared, right):
    found = results(lmms, "dense")
    assert found["paired_baseline_score"] == pytest.approx(100 * right["aim"].mean())
    gap = 100 * (right["dense"].mean() - right["aim"].mean())
    assert found["paired_ci_lower"] <= gap <= found["paired_ci_upper"]


def test_a_knob_that_there_is_none_of_ends_it_with_a_sentence(compared):
    code, said = compared
    assert code == 1 and "aim: there is no knob 'framse': choose among pretrained, method, budget" in said
    assert "Traceback" not in said
