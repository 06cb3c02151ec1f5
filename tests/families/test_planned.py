"""Planned: on every family, what is planned without the language model is what a run has, and budgets are met by it."""

from __future__ import annotations

import pytest

from aim_core.adapters.registry import adapter_for
from aim_core.budget import Budget, Solved, solve
from aim_core.config import AimConfig
from aim_core.engine import Engine
from aim_core.methods.counts import is_counted
from aim_core.methods.registry import METHODS
from aim_core.workload import Workload
from tests.families.family import QUESTION, pictures
from tests.families.table import FAMILIES

SIZE = (120, 200)
METHODS_TRIED = ("aim", "fastv", "pyramid_drop", "vidcom2", "evs", "average_pooling", "fewer_frames")


@pytest.mark.parametrize("name", FAMILIES)
def test_what_is_planned_is_what_a_run_has(family_model, name):
    engine = Engine(adapter_for(*family_model(name)))
    frames = pictures(4 if "video" in FAMILIES[name].media else 1, SIZE)

    def planned(method):
        return engine.planned(frames, QUESTION, config=method).visual_per_layer

    plain = engine.planned(frames, QUESTION, config=AimConfig.dense())
    dense = engine.run(frames, QUESTION, config=AimConfig.dense(), max_new_tokens=1)
    workload = Workload.of(engine.adapter, plain)
    assert plain.visual_per_layer == dense.cost.visual_per_layer and plain.num_text == dense.cost.num_text
    assert workload.num_visual == plain.visual_per_layer[0] and workload.num_separators >= 0
    assert workload.flops(plain.visual_per_layer) == dense.cost.language_flops
    ran = []
    for method_name in METHODS_TRIED:
        found = solve(method_name, Budget(0.7), workload, planned)
        if not isinstance(found, Solved):
            assert METHODS[method_name].title in found.reason
            continue
        result = engine.run(frames, QUESTION, config=found.method, max_new_tokens=1)
        assert found.visual_per_layer == planned(found.method) == result.cost.visual_per_layer
        assert result.cost.language_flops / dense.cost.language_flops == pytest.approx(found.shares.flops)
        assert found.miss == pytest.approx(found.shares.flops / 0.7 - 1)
        if is_counted(found.method):
            assert workload.visual_per_layer(found.method) == found.visual_per_layer
        ran.append(method_name)
    assert "vidcom2" in ran and len(ran) > 2
