"""Rank correlation against a slow reference: ranks by counting, correlation by its definition."""

from __future__ import annotations

import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aim_core.ops.rank_correlation import average_ranks, spearman

PAIRS = st.lists(st.tuples(st.integers(-4, 4), st.integers(-4, 4)), min_size=2, max_size=12)


def slow_ranks(values) -> list[float]:
    return [1 + sum(other < value for other in values) + (values.count(value) - 1) / 2 for value in values]


@given(PAIRS)
def test_it_is_the_correlation_of_ranks(pairs):
    one, other = (list(column) for column in zip(*pairs, strict=True))
    assert average_ranks(np.array(one)).tolist() == slow_ranks(one)
    found = spearman(np.array(one, dtype=float), np.array(other, dtype=float))
    if len(set(one)) == 1 or len(set(other)) == 1:
        assert found is None
    else:
        assert found == pytest.approx(statistics.correlation(slow_ranks(one), slow_ranks(other)), abs=1e-12)


def test_an_order_explains_itself_and_its_reverse():
    scores = np.exp(np.arange(50.0))
    assert spearman(np.arange(50), scores) == pytest.approx(1) and spearman(-np.arange(50), scores) == pytest.approx(-1)


@pytest.mark.parametrize("one", [np.zeros(3), np.zeros((2, 2)), np.array([0.0, np.nan])])
def test_what_has_no_order_is_refused(one):
    with pytest.raises(ValueError, match="two arrays"):
        spearman(one, np.zeros(2))
    assert spearman(np.zeros(0), np.zeros(0)) is None
