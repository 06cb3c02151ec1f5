"""Compare: distances between distributions against sums written out."""

from __future__ import annotations

import math

import numpy as np
import pytest

from aim_core.comparison import compare


def logs(probabilities) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return np.log(np.array(probabilities, dtype=np.float64)).astype(np.float32)


def random_logs(seed: int, size: int = 300) -> np.ndarray:
    x = np.random.default_rng(seed).normal(0, 4, size)
    return (x - np.logaddexp.reduce(x)).astype(np.float32)


def test_the_distances_of_a_coin():
    found = compare(logs([0.75, 0.25]), logs([0.5, 0.5]))
    assert found.kl == pytest.approx(0.75 * math.log(1.5) + 0.25 * math.log(0.5), abs=1e-7)
    assert found.total_variation == pytest.approx(0.25, abs=1e-7)


def test_the_distances_are_the_sums_they_say():
    one, other = random_logs(0), random_logs(1)
    p = [math.exp(x) for x in one.tolist()]
    q = [math.exp(x) for x in other.tolist()]
    p, q = [x / math.fsum(p) for x in p], [x / math.fsum(q) for x in q]
    found = compare(one, other)
    assert found.kl == pytest.approx(math.fsum(a * (math.log(a) - math.log(b)) for a, b in zip(p, q, strict=True)))
    assert found.total_variation == pytest.approx(math.fsum(abs(a - b) for a, b in zip(p, q, strict=True)) / 2)
    assert found.kl != pytest.approx(compare(other, one).kl)


def test_a_distribution_is_at_no_distance_from_itself():
    found = compare(random_logs(2), random_logs(2))
    assert (found.kl, found.total_variation, found.agrees) == (0, 0, True)


def test_the_best_of_both_sides_are_listed_once():
    found = compare(logs([0.4, 0.3, 0.2, 0.1, 0.0]), logs([0.0, 0.1, 0.2, 0.3, 0.4]), num_top=2)
    assert found.ids.tolist() == [0, 1, 3, 4] and not found.agrees
    np.testing.assert_allclose(found.dense, [0.4, 0.3, 0.1, 0.0], atol=1e-7)
    np.testing.assert_allclose(found.aim, [0.0, 0.1, 0.3, 0.4], atol=1e-7)
    assert compare(logs([0.5, 0.5]), logs([0.5, 0.5]), num_top=9).ids.tolist() == [0, 1]


def test_what_one_side_rules_out():
    assert compare(logs([0.5, 0.5]), logs([1.0, 0.0])).kl == math.inf
    assert compare(logs([1.0, 0.0]), logs([0.5, 0.5])).kl == pytest.approx(math.log(2))


def test_vectors_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"one length, got \(2,\) and \(3,\)"):
        compare(np.zeros(2), np.zeros(3))
    with pytest.raises(ValueError, match="num_top"):
        compare(np.zeros(2), np.zeros(2), num_top=0)
    for wrong in (np.nan, -np.inf):
        with pytest.raises(ValueError, match="finite"):
            compare(np.full(2, wrong), np.zeros(2))
