"""Findings: what is compared costs the same where it should, the fast way of asking answers as the engine does."""

import hashlib
import json
import operator
import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pytest
import torch

from aim_core.adapters.qwen2_5_vl import Qwen25VLAdapter
from aim_core.config import AimConfig, LinearSchedule
from aim_core.methods.aim import MergeSimilar, PageRank, as_method
from aim_core.methods.base import Method
from aim_core.methods.scorers import RandomScorer
from aim_core.ops.flops import prefill_flops
from aim_core.weights import weights_hash
from tests.families.qwen2_5_vl import make as make_qwen
from training.batched_inference import Video, prompt
from training.drawing import render
from training.eval_sets import held_out_set
from training.findings import tasks
from training.findings.attention import SCORERS, object_shares, one_each
from training.findings.plans import Shape, Step, equal_schedules, equal_steps, is_equal, spread
from training.findings.report import attention_report, finding_report, table
from training.findings.settings import SETS, Group, Maker, all_settings, findings
from training.findings.shards import Shard, run_shards
from training.world import frame_times, owner_map

QUESTIONS = [
    "is there a red star?",
    "how many objects are there?",
    "which appears first, the red star or the blue ring?",
]
METHODS = {
    "dense": as_method(AimConfig.dense()),
    "merged": as_method(AimConfig(0.25, 50, 51)),
    "original positions": as_method(AimConfig(0.25, 50, 51, positions="original")),
    "pruned": as_method(AimConfig(0.25, 2, 9)),
    "causal": as_method(AimConfig(0.5, 1, 20, scores="pagerank_causal", positions="original")),
    "cut": Method("cut", MergeSimilar(1.0), Step(3, 0.125), RandomScorer(4)),
    "text too": Method("text too", MergeSimilar(0.25), Step(3, 0.125), PageRank(), drop_text=True),
}


@pytest.fixture(scope="module")
def film():
    return render(held_out_set(1)[0].scene, frame_times(3), 96)


@pytest.fixture(scope="module")
def video(engine, film):
    with torch.inference_mode():
        return Video(engine.adapter, film)


@pytest.mark.slow
@pytest.mark.parametrize("side_by_side", [0, 10_000])
@pytest.mark.parametrize("name", METHODS)
def test_first_words_are_those_of_the_engine(engine, video, film, name, side_by_side, monkeypatch):
    monkeypatch.setattr("training.batched_inference.MAX_BATCHED_TOKENS", side_by_side)
    wanted = [
        engine.run(film, question, config=METHODS[name], max_new_tokens=1).answer_ids[0] for question in QUESTIONS
    ]
    assert video.first_tokens(METHODS[name], QUESTIONS) == wanted


def test_a_prompt_is_the_processors(engine, film):
    ids = engine.adapter.inputs(film, np.arange(len(film), dtype=np.float32), QUESTIONS[0])["input_ids"][0]
    assert torch.equal(torch.cat(prompt(engine.adapter, QUESTIONS[0], 3 * 64 + 1)), ids)


def test_like_frames_are_encoded_once_and_come_back_in_order(engine, video, film, monkeypatch):
    seen, real = [], engine.adapter.encode
    monkeypatch.setattr(engine.adapter, "encode", lambda inputs: seen.append(inputs) or real(inputs))
    with torch.inference_mode():
        again = Video(engine.adapter, film[[2, 0, 2, 0, 0]])
    assert seen[0]["pixel_values_videos"].shape[1] == 2
    assert torch.allclose(again.tokens, video.tokens[[2, 0, 2, 0, 0]])


def test_a_step_keeps_all_then_a_share():
    assert Step(2, 0.25).tokens_entering(10, 4) == [10, 10, 2, 2]
    assert Step(1, 0.001).tokens_entering(10, 3) == [10, 1, 1]


@pytest.fixture(scope="module")
def shape() -> Shape:
    return Shape(12, 144, 10, (("hidden", 128), ("kv", 128), ("intermediate", 320)))


def test_plans_found_cost_what_they_should(shape):
    target = shape.flops(AimConfig.for_depth(12).schedule, 289)
    assert target == prefill_flops([289 + 10] * 7 + [192 + 10, 96 + 10] + [10] * 3, 128, 128, 320)
    schedules, steps = equal_schedules(shape, 289, target), equal_steps(shape, 289, target)
    assert LinearSchedule(6, 9) in schedules
    assert len(schedules) > 4 and len(steps) > 4
    for plan in [*schedules, *steps]:
        assert is_equal(shape.flops(plan, 289), target)
    assert schedules[0].l1 < 2 and schedules[-1].l2 - schedules[-1].l1 == 1


def test_text_that_is_dropped_costs_nothing(shape):
    plan = Step(6, 0.5)
    assert shape.flops(plan, 289, drop_text=True) == prefill_flops([299] * 6 + [298 // 2 + 1] * 6, 128, 128, 320)


def test_spread_takes_both_ends():
    assert spread([1, 2, 3, 4, 5], 3) == [1, 3, 5] and spread([1, 2], 3) == [1, 2]


def test_settings_are_named_apart_and_compared_on_the_same_questions(engine):
    found = findings(engine.adapter)
    assert "".join(finding.letter for finding in found) == "abcdefg"
    groups = [group for finding in found for group in finding.groups]
    every = [setting for group in groups for setting in (group.baseline, *group.others)]
    assert len(set(every)) == len({setting.name for setting in every}) == len(all_settings(found))
    for group in groups:
        assert group.others and {setting.items for setting in group.others} == {group.baseline.items}


def test_early_and_late_and_many_frames_cost_the_same(engine):
    shape = Maker(engine.adapter).shape
    by_letter = {finding.letter: finding for finding in findings(engine.adapter)}
    for group in (*by_letter["b"].groups, *by_letter["d"].groups):
        every = (group.baseline, *group.others)
        flops = [_flops(shape, setting) for setting in every]
        assert max(flops) <= 1.07 * min(flops), [setting.name for setting in every]
    assert len(by_letter["d"].groups[0].others) == 4


def _flops(shape: Shape, setting) -> int:
    tokens = round(setting.method.merger.keep_ratio * shape.tokens_per_frame)
    return shape.flops(setting.method.schedule, setting.num_frames * tokens + 1)


def test_chance_is_drawn_anew_for_every_video(engine):
    make = Maker(engine.adapter)
    chance, ranked = (make(2, 1.0, Step(1, 0.5), rank) for rank in ("chance", "PageRank"))
    assert chance.method_for(1) != chance.method_for(2) == chance.method_for(2)
    assert ranked.method_for(1) == ranked.method


def test_every_set_has_the_questions_asked_for():
    for name, make in SETS.items():
        assert len(make(26)) >= 26, name


@pytest.mark.slow
def test_a_worker_answers_whole_videos_under_every_setting(engine, checkpoint):
    items = held_out_set(1, 2)[:6]
    make = Maker(engine.adapter)
    settings = [make(frames, 0.25, plan, items="shortest") for frames in (1, 2) for plan in (None, Step(2, 0.5))]
    shards = tasks.answer_shards(str(checkpoint), "shortest", items, [*settings, make(8, 0.25)])
    assert [len(shard.args[1]) for shard in shards] == [6]
    (shard,) = shards
    right = shard.function(*shard.args)
    assert right.keys() == {setting.name for setting in settings} and shard.weight == 24
    said = [replace(item, question=replace(item.question, answer=_say(engine, item))) for item in items]
    assert tasks.answer(str(checkpoint), said, settings[2:3]) == {settings[2].name: [True] * 6}
    assert all(len(own) == 6 for own in right.values())


def _say(engine, item) -> str:
    frames, config = render(item.scene, frame_times(2), 96), AimConfig(0.25, 50, 51)
    ids = engine.run(frames, item.question.text, config=config, max_new_tokens=1).answer_ids
    return engine.adapter.processor.tokenizer.convert_ids_to_tokens(list(ids))[0]


def test_attention_on_the_thing_asked_about_is_a_share_in_every_layer(video):
    (item,) = one_each(held_out_set(2), 1)
    assert len(item.question.about) == 1
    shares = object_shares(video, item, 3)
    assert 0 < shares["chance"] < 0.2
    for name in SCORERS:
        assert len(shares[name]) == 12 and all(0 <= share <= 1 for share in shares[name])
    assert shares["PageRank"] != shares["PageRank, causal"]


class Looking:
    """Stands for a video of 3 frames: scores are 1 on the thing asked about, `shift` rows late, and 0 elsewhere."""

    def __init__(self, adapter, item, shift: int):
        on = owner_map(item.scene, frame_times(3), adapter.grid[0]).reshape(-1) == item.question.about[0]
        self.adapter = adapter
        self.scores = torch.cat([torch.zeros(5 + shift), torch.from_numpy(on).float(), torch.zeros(9)])

    def record_scores(self, method, _question: str) -> int:
        for scores in method.scorer.scores.values():
            scores.append(self.scores)
        return 5


def test_attention_is_counted_on_the_own_patches_of_the_thing(engine):
    (item,) = one_each(held_out_set(2), 1)
    exact, late = (object_shares(Looking(engine.adapter, item, shift), item, 3) for shift in (0, 1))
    for name in SCORERS:
        assert exact[name] == [1.0] and late[name][0] < 1
    assert exact["chance"] == float(Looking(engine.adapter, item, 0).scores.sum()) / (3 * 64)


def test_watching_tells_the_first_row_of_the_video_in_the_prompt(engine, video, film):
    ids = engine.adapter.inputs(film, np.arange(len(film), dtype=np.float32), QUESTIONS[2])["input_ids"][0]
    assert video.record_scores(METHODS["dense"], QUESTIONS[2]) == ids.tolist().index(
        engine.adapter.placeholder_token_ids()["video"]
    )


@pytest.mark.slow
def test_finished_shards_are_not_run_again(tmp_path):
    shards = [Shard("one", 1, operator.add, (1, 2)), Shard("two", 1, operator.truediv, (1, 0))]
    with pytest.raises(ZeroDivisionError):
        run_shards(shards, tmp_path, workers=1)
    assert json.loads((tmp_path / shards[0].file_name).read_text()) == 3
    for shard in shards:
        (tmp_path / shard.file_name).write_text(f'"{shard.name}"')
    assert run_shards(shards, tmp_path, workers=1) == {"one": "one", "two": "two"}


@pytest.mark.slow
def test_after_a_shard_that_fails_no_other_is_begun(tmp_path):
    """A few are on their way to the worker already."""
    traces = [tmp_path / f"begun-{i}" for i in range(6)]
    later = [Shard(path.name, 1, subprocess.call, (["sh", "-c", f"touch '{path}'; sleep 0.5"],)) for path in traces]
    with pytest.raises(ZeroDivisionError):
        run_shards([Shard("wrong", 1, operator.truediv, (1, 0)), *later], tmp_path / "work", workers=1)
    assert not any(path.exists() for path in traces[3:])


@pytest.mark.slow
def test_a_finished_shard_is_run_again_for_other_arguments_only(tmp_path):
    one, other = (Shard("one", 1, operator.add, (1, second)) for second in (2, 3))
    assert run_shards([one], tmp_path, workers=1) == {"one": 3}
    (tmp_path / one.file_name).write_text("33")
    assert run_shards([other], tmp_path, workers=1) == {"one": 4}
    assert run_shards([one], tmp_path, workers=1) == {"one": 33}


def test_pieces_are_named_by_their_own_questions_and_settings(engine, checkpoint):
    make, items = Maker(engine.adapter), held_out_set(2)
    few, many = [make(8, 0.25)], [make(8, 0.25), make(8, 0.5)]
    clips, more = (tasks.answer_shards(str(checkpoint), "clips", items, own) for own in (few, many))
    again = tasks.answer_shards(str(checkpoint), "clips", items, [*few, make(4, 1.0, items="short")])
    assert [shard.file_name for shard in again] == [shard.file_name for shard in clips]
    assert not {shard.file_name for shard in more} & {shard.file_name for shard in clips}
    attention_items = one_each(items, 9)
    parts = ([attention_items[0], attention_items[-1]], attention_items)
    fewer, all_ = (tasks.attention_shards(str(checkpoint), own)[0] for own in parts)
    assert fewer.name == all_.name and fewer.file_name != all_.file_name


def test_the_same_weights_under_another_path_are_not_measured_again(engine, checkpoint, tmp_path):
    items, settings = held_out_set(1), [Maker(engine.adapter)(8, 0.25)]

    def names(model) -> list[str]:
        shards = tasks.answer_shards(str(model), "clips", items, settings) + tasks.attention_shards(str(model), items)
        assert {shard.args[0] for shard in shards} == {str(model)}
        return [shard.file_name for shard in shards]

    copied = shutil.copytree(checkpoint, tmp_path / "copied")
    assert names(copied) == names(checkpoint)
    with open(next(copied.glob("*.safetensors")), "ab") as file:
        file.write(b"0")
    assert not set(names(copied)) & set(names(checkpoint))


def test_a_model_of_another_family_is_refused_in_a_sentence():
    with pytest.raises(ValueError, match=r"need a LLaVA-OneVision model, .*; Qwen2_5_VLForConditionalGeneration is"):
        findings(Qwen25VLAdapter(*make_qwen()))


def test_the_hash_of_weights_is_that_of_all_their_files(tmp_path):
    for name, text in (("b.safetensors", b"two"), ("a.safetensors", b"one"), ("config.json", b"{}")):
        (tmp_path / name).write_bytes(text)
    assert weights_hash(tmp_path) == hashlib.sha256(b"onetwo").hexdigest()
    (tmp_path / "nothing").mkdir()
    with pytest.raises(ValueError, match="nothing"):
        weights_hash(tmp_path / "nothing")


def test_the_report_pairs_every_setting_with_its_baseline(engine):
    items, make = held_out_set(4), Maker(engine.adapter)
    base, worse = make(8, 1.0), make(8, 0.25)
    right = np.ones((2, len(items)), dtype=bool)
    wrong = right.copy()
    wrong[1, [item.question.type == "count" for item in items]] = False
    finding = replace(findings(engine.adapter)[0], groups=(Group(base, (worse,)),))
    report = finding_report(finding, {base.name: right, worse.name: wrong}, {"clips": items}, make.shape)
    row = report["groups"][0]["settings"][1]
    assert [own["value"] for own in row["accuracy"]["models"]] == [1.0, round(12 / 13, 4)]
    assert row["minus_baseline"]["models"][0] == {"value": 0.0, "low": 0.0, "high": 0.0}
    assert row["minus_baseline"]["together"]["value"] == pytest.approx(-1 / 26, abs=1e-4)
    assert row["tokens_per_frame"] == 16 and row["prefill_flops"] < report["groups"][0]["settings"][0]["prefill_flops"]
    assert row["types"]["count"] == 0.5 and row["types"]["color"] == 1.0 and len(row["types"]) == 13
    shares = [{"chance": 0.1} | {name: [0.2, share] for name in SCORERS} for share in (0.3, 0.5)]
    attention = attention_report([shares, shares])
    assert attention["models"][0]["PageRank"][1]["value"] == 0.4
    models = [{"path": name, "sha256": "0"} for name in ("a", "b")]
    lines = table({"models": models, "findings": [report], "attention": attention}).splitlines()
    (line,) = [line for line in lines if line.startswith("| 8 × 16, nothing pruned | ")]
    assert "| 96.2 (" in line and "-3.9 (" in line and "+0.0 (+0.0 to +0.0)" in line
    assert "| 1 | 40.0 (" in lines[-1]
    assert json.loads(json.dumps([report, attention])) == [report, attention]
