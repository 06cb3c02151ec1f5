"""Wide gap: whether the wide world's mistakes come from wordings or from things.

`python -m training.wide_gap` prints a table.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from pathlib import Path

import numpy as np

from training.answering import AnswerPool
from training.eval_sets import NUM_FRAMES, Item, wide_held_out_set
from training.tables import table_row

SEED = 2412_03250  # of videos that neither a choice nor the evaluation has seen
WORDINGS = {"trained on": 0.0, "never trained on": 1.0}
COUNTING = ("count", "count_kind")


def shares(items: Sequence[Item], right: np.ndarray, key: Callable[[Item], Hashable]) -> dict:
    """Share of right answers of the items of each key, in the order of the keys; right: (n,) bool."""
    groups = defaultdict(list)
    for item, one in zip(items, right, strict=True):
        groups[key(item)].append(bool(one))
    return {name: float(np.mean(groups[name])) for name in sorted(groups)}


def row(name: str, items: Sequence[Item], right: np.ndarray) -> list[str]:
    """Cells of one line: the mean over types, counting, all other types, and by how many things there are."""
    types = shares(items, right, lambda item: item.question.type)
    things = shares(items, right, lambda item: (len(item.scene.things) + 1) // 2)
    counting = np.mean([types[kind] for kind in COUNTING])
    others = np.mean([share for kind, share in types.items() if kind not in COUNTING])
    means = [np.mean([*types.values()]), counting, others, *things.values()]
    return [name, str(len(items)), *(f"{100 * mean:.1f}" for mean in means)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=Path("assets/model"))
    parser.add_argument("--per-type", type=int, default=30, help="questions of each type and kind of wording, at least")
    options = parser.parse_args()
    print(table_row(["wordings", "n", "mean", "counting", "other types", "1 or 2 things", "3 or 4", "5 or 6"]))
    print("|---|---|---|---|---|---|---|---|")
    with AnswerPool(options.model, 2) as ask:
        for name, kept in WORDINGS.items():
            items = wide_held_out_set(options.per_type, NUM_FRAMES, SEED, kept)
            print(table_row(row(name, items, ask(items, NUM_FRAMES, ("dense",))["dense"].right)), flush=True)


if __name__ == "__main__":
    main()
