"""Speedup: told where the turns agree, refused where they do not."""

from __future__ import annotations

import pytest

from aim_core.speedup import MOST_SPREAD, Speedup, speedup


def test_turns_that_agree_give_the_ratio_of_medians_and_its_range():
    assert speedup((300, 280, 330), (30, 20, 22)) == Speedup(300 / 22, 10, 15)


@pytest.mark.parametrize("fast", [(10, 10, 20.1), (10, 4.9, 10)])
def test_turns_that_are_too_far_apart_tell_nothing(fast):
    assert speedup((100, 100, 100), fast) is None


def test_the_limit_itself_is_told_and_one_turn_is_not():
    assert speedup((100, 100), (10, 10 * MOST_SPREAD)) and speedup((100,), (10,)) is None


def test_load_that_slows_both_of_a_turn_alike_is_no_harm():
    assert speedup((100, 1000, 100), (10, 100, 10)) == Speedup(10, 10, 10)


@pytest.mark.parametrize("times", [((), ()), ((1, 2), (1,)), ((1, 2), (1, 0)), ((-1, 2), (1, 1))])
def test_times_that_are_none_are_refused(times):
    with pytest.raises(ValueError, match="times"):
        speedup(*times)
