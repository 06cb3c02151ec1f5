"""The solver: all that costs the same, a race on more and more documents, and a choice that is checked on others."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from zlib import crc32

import numpy as np
import pytest

from aim_core.methods.registry import make_method
from aim_core.ops.flops import Decoder
from aim_core.workload import ModelShape, Workload
from aim_lab.__main__ import main
from aim_lab.documents import Document, read_documents
from aim_lab.estimate import workload_of
from aim_lab.line import Line
from aim_lab.milliseconds import Clock, fitted
from aim_lab.race import FIRST, difference, race
from aim_lab.settings import Setting
from aim_lab.shell import WIDTH, Limit, shell
from aim_lab.solver import best_within, cheapest_as_good, check
from tests.helpers.lab import line

DECODER = Decoder(hidden=128, kv=64, intermediate=512, q=128, heads=4, vocabulary=100)


def workload(num_frames: int) -> Workload:
    shape = ModelShape(num_layers=8, l1=4, l2=6, num_views=num_frames, longest_side=6)
    return Workload(DECODER, shape, ((num_frames, (6, 6)),), num_separators=1, num_text=20)


WORKLOADS = {4: workload(4), 8: workload(8)}
DEFAULT = Setting.of("aim", 8, keep_ratio=0.25, l1=4, l2=6)


def cost(setting: Setting, limit: Limit) -> float:
    own = WORKLOADS[setting.num_frames]
    return limit.cost(own, own.visual_per_layer(make_method(setting.method, **setting.settings)))


@pytest.mark.parametrize("of", ["flops", "kv"])
def test_the_shell_is_all_that_costs_the_same_and_nothing_else(of):
    limit = Limit(cost(DEFAULT, Limit(1, of)), of)
    found = shell(WORKLOADS, limit)
    assert found.default == DEFAULT and len(found.settings) > 10
    for setting, told in found.settings.items():
        assert told == cost(setting, limit) and (1 - WIDTH) * limit.most <= told <= limit.most
    other = next(iter(found.settings))
    assert shell(WORKLOADS, limit, default=other).default == other
    by_hand = set()
    for num_frames in WORKLOADS:
        for l1 in range(7):
            for l2 in range(l1 + 1, 9):
                for count in range(1, 37):
                    own = Setting.of("aim", num_frames, keep_ratio=count / 36, l1=l1, l2=l2)
                    if (1 - WIDTH) * limit.most <= cost(own, limit) <= limit.most:
                        by_hand.add((num_frames, l1, l2, count))
    pruning = [own for own in found.settings if own.settings["l1"] < 8]
    assert {_counted(own) for own in pruning} == by_hand and len(pruning) == len(by_hand)


def _counted(setting: Setting) -> tuple[int, int, int, int]:
    own = setting.settings
    return setting.num_frames, own["l1"], own["l2"], round(36 * own["keep_ratio"])


def test_a_thinned_shell_keeps_the_default_and_spreads_over_the_rest():
    found = shell(WORKLOADS, Limit(cost(DEFAULT, Limit(1))), ("aim", "random", "holitom"))
    few = found.thinned(9)
    assert len(set(few)) == 9 and DEFAULT in few
    assert {own.method for own in few} == {"aim", "random"}
    assert any("HoliTom" in sentence for sentence in found.left_out)
    every = [own for own in found.settings if own.method == "aim"]
    for name in ("l1", "l2"):
        values = [own.settings[name] for own in few if own.method == "aim"]
        assert (min(values), max(values)) == tuple(f(own.settings[name] for own in every) for f in (min, max))
    assert len(found.thinned(10**6)) == len(found.settings)


def test_what_is_cheap_enough_as_it_is_stays_dense_and_what_is_too_dear_is_refused():
    limit = Limit(1.1 * Limit(1).dense(WORKLOADS[4]))
    found = shell(WORKLOADS, limit)
    assert [own.num_frames for own in found.settings if own.method == "dense"] == [4]
    with pytest.raises(ValueError, match="Nothing costs so little"):
        shell(WORKLOADS, Limit(1.0))
    with pytest.raises(ValueError, match="no method 'nothing'"):
        shell(WORKLOADS, limit, ["nothing"])
    with pytest.raises(ValueError, match="a limit is above 0"):
        Limit(-1)


@dataclass(frozen=True)
class Named:
    name: str

    def content(self) -> str:
        return self.name


DOCUMENTS = [Document(Named(f"v{video}"), question, "yes") for video in range(80) for question in ("a?", "b?")]


class World:
    """Answers by chance: how often a setting is right is a property of it, the same each time."""

    def __init__(self, chance):
        self.chance, self.asked = chance, {}

    def __call__(self, settings, documents) -> list[Line]:
        for setting in settings:
            for document in documents:
                key = setting, document.clip, document.question
                rng = np.random.default_rng(crc32(f"{document.clip.name} {document.question}".encode()))
                right = bool(rng.random() < self.chance(setting))
                flops = 1000 if setting.method == "dense" else 10
                self.asked.setdefault(
                    key, line(setting, document.clip.name, document.question, right, flops=flops, same_answer=right)
                )
        return [self.asked[own, document.clip, document.question] for document in documents for own in settings]


def test_a_race_drops_what_is_surely_behind_and_keeps_the_best():
    settings = [Setting.of("aim", 8, keep_ratio=0.25, l1=l1, l2=8) for l1 in range(7)]
    world = World(lambda own: 0.95 if own.settings["l1"] == 5 else 0.94 if own.settings["l1"] == 4 else 0.5)
    found = race(settings, DOCUMENTS, world, "accuracy")
    assert found.standing[0].settings["l1"] in (4, 5) and found.rows[0].setting == found.leader
    assert {own.settings["l1"] for own in found.standing} <= {4, 5}
    assert len(world.asked) < len(settings) * len(DOCUMENTS)  # fewer runs than all of them on all
    assert [one.num_videos for one in found.rounds] == [16, 32, 64, 80][: len(found.rounds)]
    dropped = [own for one in found.rounds for own in one.dropped]
    assert sorted([*dropped, *found.standing], key=str) == sorted(settings, key=str)


def test_with_few_videos_nothing_is_dropped():
    settings = [Setting.of("aim", 8, l1=l1, l2=8) for l1 in (1, 2)]
    world = World(lambda own: float(own.settings["l1"] == 1))
    found = race(settings, DOCUMENTS[: 2 * FIRST - 2], world, "accuracy")
    assert len(found.standing) == 2 and found.leader.settings["l1"] == 1


def test_a_setting_that_is_refused_anything_is_out():
    settings = [Setting.of("aim", 8, l1=l1, l2=8) for l1 in (1, 2)]

    def refuses(own, documents):
        lines = World(lambda own: 0.5)(own, documents)
        return [replace(one, refused="no" if one.settings["l1"] == 1 else "") for one in lines]

    assert race(settings, DOCUMENTS, refuses, "accuracy").leader == settings[1]


def test_paired_differences_are_of_the_same_questions():
    one = [line(DEFAULT, "v", str(i), i < 6) for i in range(10)]
    other = [line(DEFAULT, "v", str(i), i < 5) for i in range(5, -1, -1)]
    assert difference(one, other, "accuracy").value == pytest.approx(1 / 6)
    assert difference(one, other, "accuracy", 0.5).value == pytest.approx(1 - 0.5 * 5 / 6)
    with pytest.raises(ValueError, match="no question in common"):
        difference(one, [line(DEFAULT, "w", "0", True)], "accuracy")
    with pytest.raises(ValueError, match="go by agreement"):
        difference(one, [replace(own, wanted="") for own in one], "accuracy")


def test_the_best_within_a_budget_is_told_with_what_was_tried_and_why():
    world = World(lambda own: 0.9 if own.num_frames == 4 else 0.6)
    limit = Limit(cost(DEFAULT, Limit(1)))
    found = best_within(limit, "a budget", WORKLOADS, DOCUMENTS[:80], world, "accuracy", most=8)
    assert found.choice.num_frames == 4 and found.default == DEFAULT
    assert len(found.rows) == 8 and found.beside_default.low > 0
    assert "8 of them were measured" in found.why and "Beside the released schedule" in found.why
    told = json.loads(json.dumps(found.as_dict()))
    assert told["choice"]["num_frames"] == 4 and len(told["tried"]) == 8 and told["rounds"]
    others = DOCUMENTS[80:]
    checked = check(found, 8, others, world)
    assert [row.setting for row in checked.rows] == [Setting.of("dense", 8), DEFAULT, found.choice]
    assert checked.rows[0].n == 80 and checked.beside_default.low > 0 and checked.beside_dense.value > 0


def test_the_cheapest_that_is_as_good_is_the_last_before_it_falls():
    def chance(own):
        if own.method == "dense":
            return 0.97
        return 0.97 if cost(own, Limit(1)) > 0.2 * Limit(1).dense(WORKLOADS[8]) else 0.5

    steps = []
    found = cheapest_as_good(0.99, WORKLOADS, DOCUMENTS, World(chance), "accuracy", on_budget=steps.append)
    share = cost(found.choice, Limit(1)) / Limit(1).dense(WORKLOADS[8])
    assert 0.2 < share < 0.2 / 0.7 + 0.01 and len(steps) == len(found.curve) == 5
    assert "as its whole interval shows" in found.why
    only_dense = World(lambda own: float(own == Setting.of("dense", 8)))
    poor = cheapest_as_good(0.99, WORKLOADS, DOCUMENTS, only_dense, "accuracy")
    assert poor.choice == Setting.of("dense", 8) and "the dense model stays" in poor.why
    with pytest.raises(ValueError, match="a share of the dense model"):
        cheapest_as_good(1.5, WORKLOADS, DOCUMENTS, World(chance), "accuracy")


def test_a_limit_in_time_is_one_in_operations():
    assert Clock(10, 2, 0.1).flops(30) == 10e9
    with pytest.raises(ValueError, match="no prefill takes 9 ms"):
        Clock(10, 2, 0.1).flops(9)


@pytest.mark.parametrize(
    ("ms", "clock"), [((30, 50, 70), (10, 2)), ((70, 70, 50), (0, 3600 / 1400)), ((10, 35, 60), (0, 2600 / 1400))]
)
def test_a_clock_is_a_line_and_goes_through_nothing_where_a_line_would_be_absurd(ms, clock):
    found = fitted(np.array([10.0, 20.0, 30.0]), np.array(ms, float))
    assert (found.fixed, found.per_gflop) == pytest.approx(clock) and found.flops(1000) > 0
    assert (found.miss < 1e-9) == (clock[0] > 0)


@pytest.mark.slow
@pytest.mark.parametrize("goal", ["--kv-mib", "--of-dense", "--ms"])
def test_the_command_finds_and_checks_a_setting_of_a_model(goal, folder, checkpoint, engine, tmp_path, capsys):
    own = workload_of(engine, read_documents(folder)[0], 1)
    kv = own.kv_bytes([own.num_visual] * own.shape.num_layers) / 2  # the command has half as many bytes a number
    limit = {"--kv-mib": kv / 2 / 2**20, "--of-dense": 0.8, "--ms": 100_000}[goal]
    lines = (folder / "asked.csv").read_text().splitlines()
    for name, video in (("calibration", "3.png"), ("others", "4.png")):
        (tmp_path / f"{name}.csv").write_text("\n".join([lines[0], *(own for own in lines if own.startswith(video))]))
        (tmp_path / video).write_bytes((folder / video).read_bytes())
    words = ["solve", str(tmp_path / "calibration.csv"), "--check", str(tmp_path / "others.csv"), goal, str(limit)]
    words += ["--frames", "1", "--model", str(checkpoint), "--out", str(tmp_path / "log.jsonl"), "--most", "3"]
    words += ["--device", "cpu", "--max-new-tokens", "2", "--json", str(tmp_path / "found.json")]
    assert main(words) == 0, capsys.readouterr().err
    told = capsys.readouterr().out
    assert "Choice for at " in told and "On 3 other questions:" in told
    record = json.loads((tmp_path / "found.json").read_text())
    assert record["check"]["rows"][0]["name"] == "dense, 1 frames" and record["why"]
    assert main([*words, "--check", str(tmp_path / "calibration.csv")]) == 1
    assert "keep them apart" in capsys.readouterr().err
