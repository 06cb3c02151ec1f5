"""Equal cost: a keep ratio in closed form at every number of frames, as a slow search finds it too."""

from __future__ import annotations

import json

import numpy as np
import pytest

from aim_core.budget import TOLERANCE
from aim_core.methods.knobs import ModelShape
from aim_core.methods.registry import make_method
from aim_core.ops.flops import Decoder
from aim_core.workload import Workload
from aim_lab.__main__ import main
from aim_lab.documents import Document
from aim_lab.equal_cost import at_cost, dense_flops
from aim_lab.estimate import estimate
from aim_lab.line import Log
from aim_lab.measure import Recipe
from aim_lab.settings import Setting, grid
from aim_lab.sweep import Plan, here, sweep

DECODER = Decoder(hidden=128, kv=64, intermediate=512, q=128, heads=4, vocabulary=100)
DEPTH, SIDE = 8, 6


def workload(num_frames: int) -> Workload:
    shape = ModelShape(num_layers=DEPTH, l1=4, l2=6, num_views=num_frames, longest_side=SIDE)
    return Workload(DECODER, shape, ((num_frames, (SIDE, SIDE)),), num_separators=1, num_text=20)


def cost(own: Workload, name: str, **settings) -> int:
    return own.flops(own.visual_per_layer(make_method(name, **settings)))


@pytest.mark.parametrize("num_frames", [5, 8, 12, 30, 64])
def test_aim_costs_the_same_by_the_nearest_schedule_as_a_slow_search_finds_it(num_frames):
    own, wanted = workload(num_frames), dense_flops(workload(4))
    near: dict[int, dict[tuple[int, int], float]] = {}  # by how far a schedule is away, the nearest cost of each
    for l1 in range(DEPTH + 1):
        for l2 in range(l1 + 1, DEPTH + 1):
            costs = [cost(own, "aim", keep_ratio=count / SIDE**2, l1=l1, l2=l2) for count in range(1, SIDE**2 + 1)]
            miss = min(abs(one / wanted - 1) for one in costs)
            if miss <= TOLERANCE:
                near.setdefault(abs(l1 - 4) + abs(l2 - 6), {})[l1, l2] = miss
    if not near:
        with pytest.raises(ValueError, match="AIM comes no nearer than"):
            at_cost("aim", wanted, own)
        return
    found = at_cost("aim", wanted, own)
    settings = dict(found.settings)
    schedule = settings.pop("l1"), settings.pop("l2")
    assert schedule in near[min(near)]
    assert abs(found.miss) == pytest.approx(near[min(near)][schedule])
    assert own.flops(found.visual_per_layer) == cost(own, "aim", **found.settings)


def test_other_methods_cost_the_same_or_say_why_not():
    wanted = dense_flops(workload(4))
    for num_frames, name in ((8, "merge_only"), (64, "random"), (16, "fewer_frames"), (4, "merge_only")):
        own = workload(num_frames)
        found = at_cost(name, wanted, own)
        assert own.flops(found.visual_per_layer) == pytest.approx(wanted, rel=TOLERANCE)
    with pytest.raises(ValueError, match="merging only comes no nearer than"):
        at_cost("merge_only", wanted, workload(64))  # 2 tokens of each of 64 frames, or 3
    with pytest.raises(ValueError, match="AIM cannot cost so much: all tokens of these frames cost "):
        at_cost("aim", wanted, workload(3))
    with pytest.raises(ValueError, match="cannot go under"):
        at_cost("fastv", wanted, workload(64))


def test_where_all_tokens_cost_just_that_aim_prunes_next_to_nothing():
    own = workload(4)
    found = at_cost("aim", dense_flops(own), own)
    assert found.settings["keep_ratio"] == 1 and found.visual_per_layer[:-1] == (own.num_visual,) * (DEPTH - 1)


def test_what_a_video_decides_is_counted_there():
    own, wanted, asked = workload(16), dense_flops(workload(4)), []

    def count(method) -> list[int]:
        asked.append(method)
        return [round(own.num_visual * method.merger.keep_ratio)] * DEPTH

    assert abs(at_cost("vidcom2", wanted, own, count).miss) <= TOLERANCE and asked


def test_a_grid_takes_the_cost_of_fewer_frames():
    settings, _ = grid(["aim as_dense=2,4"], [8, 16])
    assert [str(own) for own in settings][:2] == ["aim, as_dense=2, 8 frames", "aim, as_dense=2, 16 frames"]
    with pytest.raises(ValueError, match="solve its cost first"):
        settings[0].build()
    for text in ("aim as_dense=2 l1=4", "aim as_dense=0", "aim as_dense=1.5", "aim as_dense=few"):
        with pytest.raises(ValueError, match="stands alone and is a number of frames"):
            grid([text], [8])


class Few:
    """A clip of frames drawn by chance."""

    name = "few"

    def content(self) -> str:
        return self.name

    def frames(self, num_frames: int) -> np.ndarray:
        return np.random.default_rng(0).integers(0, 256, (num_frames, 32, 32, 3), np.uint8)


def test_a_sweep_measures_more_frames_at_the_cost_of_few(engine, tmp_path):
    settings = grid(["aim as_dense=1", "random as_dense=1"], [1, 3])[0] + [Setting.of("aim", 1, as_dense=2)]
    recipe = Recipe("w", "float64", "cpu", reference=1, max_new_tokens=1)
    plan = Plan((Document(Few(), "how many objects are there?"),), tuple(settings), recipe)
    expected = estimate(engine, plan, plan.tasks(Log(tmp_path / "log.jsonl")))
    dense, *others, refused = sweep(plan, tmp_path / "log.jsonl", here(engine)).lines
    assert all(own.flops == pytest.approx(dense.flops, rel=TOLERANCE) for own in others) and len(others) == 4
    assert {own.num_frames for own in others if own.found["keep_ratio"] < 0.5} == {3}
    assert "cannot cost so much" in refused.refused
    assert expected.flops == pytest.approx(6 * dense.flops, rel=TOLERANCE)
    other = recipe.line(plan.documents[0], Setting.of("aim", 3, budget=0.3))
    assert other.code != others[0].code  # how the cost is met is part of what was run, for these alone


def test_the_command_takes_many_numbers_of_frames_at_one_cost(clip, checkpoint, tmp_path, capsys):
    questions = tmp_path / "asked.csv"
    questions.write_text(f"video,question\n{clip.name},is there a blue star?\n")
    (tmp_path / clip.name).symlink_to(clip)
    words = ["sweep", str(questions), "--model", str(checkpoint), "--device", "cpu", "--reference", "2"]
    words += ["--out", str(tmp_path / "log.jsonl"), "--max-new-tokens", "1", "--json", str(tmp_path / "found.json")]
    assert main([*words, "--frames", "2", "4", "8", "--grid", "aim as_dense=2"]) == 0, capsys.readouterr().err
    dense, *others = json.loads((tmp_path / "found.json").read_text())["rows"]
    assert [row["num_frames"] for row in others] == [2, 4, 8]
    assert all(row["flops"] == pytest.approx(dense["flops"], rel=TOLERANCE) for row in others)
