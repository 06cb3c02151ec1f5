"""Dropping and masking side by side: where they agree, and what they differ by as released."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aim_core.config import AimConfig
from aim_core.methods.aim import as_method
from aim_core.methods.fastv import fastv
from aim_core.parity_check import parity
from tests.helpers.prompts import plain_inputs
from tests.helpers.visible_vote import VisibleVote

CONFIG = AimConfig(1.0, l1=1, l2=11)


@pytest.fixture(scope="module")
def inputs(engine, frames):
    return plain_inputs(engine, frames)


def test_without_the_votes_of_masked_rows_everything_agrees(engine, inputs):
    found = parity(engine.adapter.model, inputs, replace(as_method(CONFIG), scorer=VisibleVote()))
    assert found.agrees and found.first_gap < 1e-5
    assert found.num_same_tokens == len(found.dropped.tokens)


def test_as_released_masked_rows_vote_and_a_few_tokens_differ(engine, inputs):
    found = parity(engine.adapter.model, inputs, CONFIG)
    assert found.num_different[:3] == (0, 0, 0) and 0 < sum(found.num_different) < 200
    assert not found.agrees and found.first_gap > 0


def test_a_method_that_drops_once_agrees(engine, inputs):
    found = parity(engine.adapter.model, inputs, fastv(2, 0.3))
    assert found.agrees and found.num_same_tokens == len(found.masked.tokens) > 0
