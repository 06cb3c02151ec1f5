"""By hand: marks that protect or remove a token; removing equals hiding it everywhere, and nothing else moves."""

from __future__ import annotations

import pytest

from aim_core.by_hand import ByHand


def test_marks_are_pairs_of_whole_numbers():
    assert ByHand(protect=[[0, 3]]).protect == ((0, 3),)
    assert not ByHand() and ByHand(remove=((1, 2),))
    for wrong in ((-1, 0), (0, 1.5), (0,), "x", 3):
        with pytest.raises(ValueError, match="pair"):
            ByHand(remove=(wrong,))


def test_a_patch_cannot_be_marked_both_ways():
    with pytest.raises(ValueError, match="patch 5 of view 1 is marked both"):
        ByHand(protect=((0, 5), (1, 5)), remove=((1, 5),))
