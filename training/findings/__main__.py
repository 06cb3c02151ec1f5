"""Measure the paper's findings on one or more models (training seeds): JSON and a table for the model card."""

from __future__ import annotations

import argparse
import json
from itertools import chain
from pathlib import Path

import numpy as np

from aim_core.loading import load_adapter
from aim_core.weights import weights_hash
from training.eval_sets import Item
from training.findings.attention import one_each
from training.findings.report import attention_report, finding_report, table
from training.findings.settings import SETS, Finding, Maker, all_settings, findings
from training.findings.shards import run_shards
from training.findings.tasks import answer_shards, attention_shards

ATTENTION_QUESTIONS = 200


def measure(
    models: list[Path],
    found: tuple[Finding, ...],
    items: dict[str, list[Item]],
    attention_items: list[Item],
    cache: Path,
    workers: int,
):
    """For every setting (models, n) bool answers, and for every model what `object_shares` gave."""
    settings, rights, shares = all_settings(found), {}, []
    for model in models:
        shards = [s for name, own in items.items() for s in answer_shards(str(model), name, own, settings)]
        looks = attention_shards(str(model), attention_items)
        results = run_shards([*shards, *looks], cache / weights_hash(model)[:16], workers)
        for setting in settings:
            parts = [results[s.name][setting.name] for s in shards if setting.name in results[s.name]]
            rights.setdefault(setting.name, []).append(list(chain(*parts)))
        shares.append(list(chain(*(results[look.name] for look in looks))))
    return {name: np.array(rows, dtype=bool) for name, rows in rights.items()}, shares


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m training.findings", description=__doc__)
    parser.add_argument("models", type=Path, nargs="*", default=[Path("assets/model")], help="folders of models")
    parser.add_argument("--questions", type=int, default=1000, help="questions of each setting, at least")
    parser.add_argument("--only", default="abcdefgh", help="letters of the findings to measure")
    parser.add_argument("--workers", type=int, default=2, help="processes, of one thread each")
    parser.add_argument(
        "--cache", type=Path, default=Path("runs/findings"), help="results of finished shards; a later run goes on"
    )
    parser.add_argument("--out", type=Path, default=Path("assets/findings.json"), help="where the numbers go")
    options = parser.parse_args()
    adapter = load_adapter(options.models[0])
    try:
        found = tuple(finding for finding in findings(adapter) if finding.letter in options.only)
    except ValueError as error:
        parser.error(str(error))
    used = {setting.items for setting in all_settings(found)}
    items = {name: make(options.questions) for name, make in SETS.items() if name in used}
    attention_items = one_each(SETS["clips"](2 * options.questions), ATTENTION_QUESTIONS) if "h" in options.only else []
    rights, shares = measure(options.models, found, items, attention_items, options.cache, options.cacheers)
    shape = Maker(adapter).shape
    report = {
        "models": [{"path": str(model), "sha256": weights_hash(model)} for model in options.models],
        "findings": [finding_report(finding, rights, items, shape) for finding in found],
        "attention": attention_report(shares) if attention_items else None,
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(report, indent=1) + "\n")
    print(table(report))


if __name__ == "__main__":
    main()
