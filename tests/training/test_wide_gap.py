"""The table of what the wide world's mistakes come from."""

import re

import numpy as np

from training.eval_sets import wide_held_out_set
from training.wide_gap import row, shares
from training.wordings import KEPT


def test_questions_are_all_or_none_in_wordings_that_training_never_used():
    patterns = [re.sub(r"\\{\w+\\}", ".+", re.escape(text)) for own in KEPT.values() for text in own]
    for kept in (0.0, 1.0):
        texts = [item.question.text for item in wide_held_out_set(1, seed=5, kept=kept)]
        found = [any(re.fullmatch(pattern, text) for pattern in patterns) for text in texts]
        assert all(found) if kept else not any(found)


def test_a_row_has_the_means_of_each_group():
    items = wide_held_out_set(2, seed=5)
    right = np.array([item.question.type == "count" for item in items])
    assert shares(items, right, lambda item: item.question.type) == {
        kind: float(kind == "count") for kind in sorted({item.question.type for item in items})
    }
    name, count, mean, counting, others, *_ = row("all", items, right)
    assert (name, count, counting, others) == ("all", str(len(items)), "50.0", "0.0")
    assert mean == f"{100 / 13:.1f}"
