"""The model card: its tables are those of the reports, and the reports are of the shipped weights."""

import json
from pathlib import Path

import pytest

from aim_core.weights import weights_hash
from training import evaluate
from training.findings.report import table as findings_table
from training.teacher import TEACHER
from training.world_score import table as world_table

ROOT = Path(__file__).parents[2]
CARD = (ROOT / "assets" / "model" / "README.md").read_text(encoding="utf-8")


def report(name: str) -> dict:
    return json.loads((ROOT / "assets" / f"{name}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("name", "table"), [("evaluation", evaluate.table), ("findings", findings_table)])
def test_the_card_holds_the_tables_of_the_reports(name, table):
    missing = [line for line in table(report(name)).splitlines() if line not in CARD.splitlines()]
    assert not missing


def test_the_card_holds_the_table_of_the_world_score():
    measured = json.loads((ROOT / "assets" / "model" / "world.json").read_text(encoding="utf-8"))["measured"]
    missing = [line for line in world_table(measured).splitlines() if line not in CARD.splitlines()]
    assert not missing


def test_the_reports_are_of_the_shipped_weights_and_of_their_teacher():
    assert report("evaluation")["sha256"] == weights_hash(ROOT / "assets" / "model")
    assert report("findings")["models"][0]["sha256"] == weights_hash(TEACHER.parent)


@pytest.mark.parametrize("name", ["README.md", "docs/evaluation.md"])
def test_other_pages_give_the_means_of_the_evaluation(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    for name in ("dense", "aim"):
        score = report("evaluation")["mean"][name]
        shown = [f"{100 * score[key]:.1f}" for key in ("accuracy", "low", "high")]
        assert "{} % ({}–{})".format(*shown) in text
