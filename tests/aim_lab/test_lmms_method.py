"""The method that a document is answered with."""

from __future__ import annotations

import pytest

from aim_lab.lmms_knobs import Knobs
from aim_lab.lmms_method import choose_method


def chosen(engine, frames, **knobs):
    return choose_method(engine, Knobs.of_arguments({"pretrained": "a/model", **knobs}), frames, "what moves?")


def test_dense_lets_all_visual_tokens_into_every_layer(engine, frames):
    own = chosen(engine, frames, method="dense")
    assert set(own.workload.visual_per_layer(own.method)) == {own.workload.num_visual}


def test_aim_has_the_paper_s_schedule_scaled_to_the_depth_unless_told_otherwise(engine, frames):
    usual = engine.adapter.default_config()
    schedules = [chosen(engine, frames, **own).method.schedule for own in ({}, {"l1": 1, "l2": 3})]
    assert [(own.l1, own.l2) for own in schedules] == [(usual.l1, usual.l2), (1, 3)]
    assert chosen(engine, frames, keep_ratio=0.5).method.merger.keep_ratio == 0.5


@pytest.mark.parametrize("method", ["random", "dycoke"])  # in closed form, and counted on the video
def test_a_budget_is_met_on_the_video_at_hand(engine, frames, method):
    own = chosen(engine, frames, method=method, budget=0.7, of="entering")
    entering = engine.planned(frames, "what moves?", config=own.method).visual_per_layer[0]
    assert own.settings and (own.note or abs(entering / own.workload.num_visual / 0.7 - 1) < 0.01)


def test_a_budget_out_of_reach_is_refused_in_a_sentence(engine, frames):
    with pytest.raises(ValueError, match=r"FastV cannot go under .*% of the dense FLOPs"):
        chosen(engine, frames, method="fastv", budget=0.01)
