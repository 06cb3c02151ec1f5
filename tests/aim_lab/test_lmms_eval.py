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
from training.answering import MAX_NEW_TOKENS, answer_all
from training.eval_sets import DEVELOPMENT_SEED, NUM_FRAMES, wide_held_out_set
from training.method_table.one_video import OneVideo

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
MODEL = ROOT / "assets" / "model"
NUM_VIDEOS, RIVAL, BUDGET = 4, "fastv", 0.4


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
    """Which answers our own evaluations find right, of AIM as `make evaluate` does and of the rival as `make methods`;
    not all of them, or it would tell nothing."""
    engine = Engine.from_pretrained(MODEL)
    found = {"aim": answer_all(engine, items, NUM_FRAMES, ("aim",))["aim"].right}
    found[RIVAL] = np.array(
        [one for _, own in groupby(items, key=attrgetter("path")) for one in of_rival(engine, [*own])]
    )
    assert all(0 < own.mean() < 1 for own in found.values()) and (found["aim"] != found[RIVAL]).any()
    return found


def of_rival(engine: Engine, items: list[Filmed]) -> list[bool]:
    """Which questions about one film the rival answers right at the budget."""
    texts = [item.question.text for item in items]
    said = OneVideo(engine.adapter, items[0].frames(NUM_FRAMES), texts, 0, MAX_NEW_TOKENS).asked(RIVAL, BUDGET, texts)
    return [item.question.accepts(one.answer) for item, one in zip(items, said, strict=True)]


def run_of(lmms: LmmsEval, method: str, knobs: str = "", **more) -> dict:
    """One run, as `lmms-eval --config` takes it."""
    knobs = f"pretrained={MODEL},frames={NUM_FRAMES},answers={lmms.home / 'answers.jsonl'},method={method}{knobs}"
    where = {"include_path": str(lmms.home), "output_path": str(lmms.home / method)}
    return {"model": "aim", "model_args": knobs, "tasks": TASK, "log_samples": True, **where, **more}


def config(lmms: LmmsEval, *runs: dict) -> tuple[str, str]:
    """One after the other in one process, since lmms-eval takes long to start."""
    path = lmms.home / f"{len(list(lmms.home.glob('*.yml')))}.yml"
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
    """The answers after the same command, by two processes that share the documents and the file."""
    code, said = lmms.run(*config(lmms, run_of(lmms, "aim")), processes=2)
    assert code == 0, said
    return lines(lmms)


@pytest.fixture(scope="module")
def compared(lmms, again) -> tuple[int, str]:
    """What lmms-eval says of the rival beside AIM, then of a knob that there is none of."""
    (baseline,) = (lmms.home / "aim").rglob("*samples*.jsonl")
    rival = run_of(lmms, RIVAL, f",budget={BUDGET}", baseline=str(baseline))
    return lmms.run(*config(lmms, rival, run_of(lmms, "aim", ",framse=8")))


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
    assert sorted(json.loads(line)["doc_id"] for line in again) == list(range(len(items)))
    assert len({json.loads(line)["fingerprint"] for line in again}) == 1


def test_it_scores_as_our_own_evaluation_does(lmms, again, compared, right):
    for name in ("aim", RIVAL):
        assert samples(lmms, name) == right[name].tolist()
        assert results(lmms, name)["shape_world_score,none"] == pytest.approx(right[name].mean())


def test_the_rival_meets_the_budget_of_each_document(lmms, items, compared):
    own = [json.loads(line) for line in lines(lmms) if json.loads(line)["knobs"]["method"] == RIVAL]
    assert len(own) == len(items) and all(0 < line["settings"]["keep_ratio"] < 1 for line in own)
    assert all(abs(line["shares"]["flops"] / BUDGET - 1) < 0.01 or line["note"] for line in own)


def test_two_methods_are_compared_document_by_document(lmms, compared, right):
    found = results(lmms, RIVAL)
    assert found["paired_baseline_score"] == pytest.approx(100 * right["aim"].mean())
    gap = 100 * (right[RIVAL].mean() - right["aim"].mean())
    assert found["paired_ci_lower"] <= gap <= found["paired_ci_upper"]


def test_a_knob_that_there_is_none_of_ends_it_with_a_sentence(compared):
    code, said = compared
    assert code == 1 and "aim: there is no knob 'framse': choose among pretrained, method, budget" in said
    assert "Traceback" not in said
