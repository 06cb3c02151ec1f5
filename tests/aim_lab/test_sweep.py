"""Sweeps: killed and begun again they lose nothing and repeat nothing; what a line is, and what is asked of it."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pytest

from aim_core.config import AimConfig
from aim_core.media.errors import MediaError
from aim_core.weights import weights_hash
from aim_lab.__main__ import main
from aim_lab.documents import Document, FileClip, is_right, read_documents
from aim_lab.estimate import estimate
from aim_lab.line import Line, Log
from aim_lab.measure import Model, Recipe, measured
from aim_lab.settings import Setting, grid
from aim_lab.sweep import Plan, alone, here, sweep
from tests.helpers.lab import command, kill_after, num_lines_of, run
from tests.helpers.packing import needs_packing

FEW = (Setting.of("aim", 1, keep_ratio=0.5, l1=2, l2=6), Setting.of("fastv", 1, budget=0.1))


@pytest.fixture(scope="module")
def plan(folder, engine) -> Plan:
    recipe = Recipe("w", "float64", "cpu", reference=1, max_new_tokens=2)
    return Plan(tuple(read_documents(folder)), FEW, recipe)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_sweep_that_was_killed_loses_nothing_and_repeats_nothing(folder, checkpoint, tmp_path, capsys):
    whole, parts = tmp_path / "whole.jsonl", tmp_path / "parts.jsonl"
    assert main(command(folder, checkpoint, whole)) == 0
    assert num_lines_of(whole) == 42
    before = kill_after(command(folder, checkpoint, parts), parts, 9)
    cut = before[: before.rfind(b"\n") + 1]
    parts.write_bytes(cut + cut.splitlines()[-1][:50])  # as a line is cut off
    done = run(command(folder, checkpoint, parts, "--processes", "2"))
    assert done.returncode == 0, done.stderr
    number = len(cut.splitlines())
    assert f"42 cells, {number} of them done" in done.stdout
    after = parts.read_bytes()
    assert after.startswith(cut)  # what was measured stays as it was
    assert after.count(b"\n") == 42
    answers = [{line.key: (line.answer, line.refused) for line in Log(path)} for path in (whole, parts)]
    assert answers[0] == answers[1] and len(answers[0]) == 42
    capsys.readouterr()
    assert main(command(folder, checkpoint, parts)) == 0
    assert "42 cells, 42 of them done; left: 0" in capsys.readouterr().out and parts.read_bytes() == after


def test_what_is_measured_is_what_the_engine_says(plan, engine, tmp_path):
    done = sweep(plan, tmp_path / "log.jsonl", here(engine))
    assert done.added == len(done.lines) == 18 and not done.failed
    document = plan.documents[0]
    dense, aim, fastv = done.lines[:3]
    assert (dense.method, dense.kl, dense.same_answer, dense.found) == ("dense", 0, True, {})
    assert aim.found == {"keep_ratio": 0.5, "l1": 2, "l2": 6} and aim.flops < dense.flops and aim.kl > 0
    picture = document.clip.frames(1)
    result = engine.run(picture, document.question, config=AimConfig(0.5, 2, 6), max_new_tokens=2)
    assert (aim.answer, aim.flops) == (result.answer, result.cost.language_flops)
    assert aim.kv_bytes == sum(result.cost.tokens_per_layer) * 2 * engine.adapter.sizes["kv"] * 8  # float64
    assert fastv.refused.startswith("FastV cannot go under") and not fastv.answer


def test_only_what_is_missing_is_asked_and_the_dense_answer_is_remembered(plan, engine, tmp_path, monkeypatch):
    path = tmp_path / "log.jsonl"
    sweep(replace(plan, settings=FEW[:1]), path, here(engine))
    longest, run_one = [], engine.run
    monkeypatch.setattr(engine, "run", lambda *a, **k: longest.append(k["max_new_tokens"]) or run_one(*a, **k))
    more = replace(plan, settings=(*FEW[:1], Setting.of("random", 1, keep_ratio=0.5)))
    assert sweep(more, path, here(engine)).added == 6
    assert longest == [1, 2] * 6  # of the dense run its first token alone, to compare with
    assert {line.key for line in Log(path)} == {line.key for line in sweep(more, path, here(engine)).lines}


def test_a_line_is_known_by_its_content(plan, folder, tmp_path):
    document, setting = plan.documents[0], FEW[0]
    key = plan.recipe.line(document, setting).key
    copied = shutil.copy(document.clip.path, tmp_path / "other.png")
    same = replace(document, clip=FileClip(copied, "another name"), wanted="other")
    assert plan.recipe.line(same, setting).key == key
    other = replace(document, clip=plan.documents[-1].clip)
    fields = {"weights": "v", "dtype": "bfloat16", "device": "cuda", "reference": 2, "max_new_tokens": 3}
    recipes = [replace(plan.recipe, **{name: value}) for name, value in fields.items()]
    changed = Setting.of("aim", 1, keep_ratio=0.5, l1=2, l2=7), replace(setting, num_frames=2), FEW[1]
    others = [(plan.recipe, other, setting), (plan.recipe, replace(document, question="?"), setting)]
    others += [(recipe, document, setting) for recipe in recipes] + [(plan.recipe, document, own) for own in changed]
    keys = [recipe.line(*rest).key for recipe, *rest in others]
    assert len({key, *keys}) == 1 + len(keys)


def test_a_right_answer_that_was_mended_counts_without_asking_again(plan, engine, tmp_path):
    path = tmp_path / "log.jsonl"
    first = sweep(plan, path, here(engine)).lines
    mended = replace(plan, documents=tuple(replace(own, wanted=first[0].answer or "nothing") for own in plan.documents))
    done = sweep(mended, path, here(engine))
    assert done.added == 0 and done.lines[0].wanted == (first[0].answer or "nothing")


def test_timed_prefills_are_taken_in_turns(plan, engine, tmp_path):
    timed = replace(plan, documents=plan.documents[:1], recipe=replace(plan.recipe, timed=2))
    lines = sweep(timed, tmp_path / "log.jsonl", here(engine)).lines
    assert [len(line.prefill_ms) for line in lines] == [2, 2, 0]


def test_what_breaks_is_told_and_tried_again(plan, engine, tmp_path, monkeypatch, capsys):
    path, run_one = tmp_path / "log.jsonl", engine.run

    def breaks(*args, config, **kwargs):
        if getattr(config, "name", "") == "AIM" and config.merger.reduces():
            raise RuntimeError("no memory")
        return run_one(*args, config=config, **kwargs)

    monkeypatch.setattr(engine, "run", breaks)
    done = sweep(plan, path, here(engine))
    assert done.added == 12 and {one.why for one in done.failed} == {"RuntimeError: no memory"}
    monkeypatch.setattr(engine, "run", run_one)
    assert sweep(plan, path, here(engine)).added == 6


def test_a_video_that_cannot_be_read_is_refused_in_a_sentence(plan, engine, tmp_path):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video")
    (task,) = Plan((Document(FileClip(broken, "broken.mp4"), "what?"),), FEW, plan.recipe).tasks(Log(tmp_path / "l"))
    lines = list(measured(engine, task))
    with pytest.raises(MediaError) as refused:
        task.document.clip.frames(1)
    assert len(lines) == 3 and {line.refused for line in lines} == {str(refused.value)}


def test_two_sweeps_do_not_write_one_file(plan, tmp_path):
    with alone(tmp_path / "log.jsonl"), pytest.raises(ValueError, match="another sweep is writing"):
        sweep(plan, tmp_path / "log.jsonl", lambda tasks: iter(()))


def test_the_cost_is_told_before(plan, engine, tmp_path):
    path = tmp_path / "log.jsonl"
    log = Log(path)
    before = estimate(engine, plan, plan.tasks(log))
    done = sweep(plan, path, here(engine))
    spent = sum(line.flops for line in done.lines)
    refused = 0.1 * done.lines[0].flops * 6  # expected of what was refused in the end
    assert (before.cells, before.done) == (18, 0) and before.seconds > 0
    assert before.flops == pytest.approx(spent + refused, rel=0.05)
    after = estimate(engine, plan, plan.tasks(Log(path)))
    assert (after.cells, after.done, after.flops, after.seconds) == (18, 18, 0, None)


def test_grids_are_all_combinations_that_fit():
    settings, left_out = grid(["dense", "aim keep_ratio=0.25,0.5 l1=5,9 l2=9"], [4, 8])
    assert len(settings) == 2 + 4 and len(left_out) == 1 and "l1 < l2" in left_out[0]
    assert str(settings[2]) == "aim, keep_ratio=0.25, l1=5, l2=9, 4 frames"
    assert grid(["holitom inner_merge=false"], [8])[0][0].settings == {"inner_merge": False}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "begins with no method"),
        ("nothing", "begins with no method"),
        ("aim keep_ratio", "is no setting"),
        ("aim kept=0.5", "no setting 'kept'"),
        ("aim keep_ratio=2", "keep_ratio must be"),
        ("aim keep_ratio=half", "keep_ratio must be"),
        ("dense keep_ratio=1", "has no settings"),
        ("fastv budget=0.5 layer=2", "stands alone"),
    ],
)
def test_a_grid_that_does_not_fit_is_refused_in_a_sentence(text, told):
    with pytest.raises(ValueError, match=told):
        grid([text], [8])


def test_questions_come_from_csv_and_jsonl_video_by_video(tmp_path):
    for name in ("a.mp4", "b.mp4"):
        (tmp_path / name).write_bytes(name.encode())
    rows = [("a.mp4", "one?", "1"), ("b.mp4", "two?", ""), ("a.mp4", "three, or four?", "B")]
    (tmp_path / "q.csv").write_text("video,question,answer\n" + "".join(f'{v},"{q}",{a}\n' for v, q, a in rows))
    found = read_documents(tmp_path)
    assert [(own.clip.name, own.question, own.wanted) for own in found] == [rows[0], rows[2], rows[1]]
    lines = [json.dumps({"video": v, "question": q} | ({"answer": a} if a else {})) for v, q, a in rows]
    (tmp_path / "q.jsonl").write_text("\n".join(lines))
    assert read_documents(tmp_path / "q.jsonl") == found
    with pytest.raises(ValueError, match="one CSV or JSONL file"):
        read_documents(tmp_path)


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("q.csv", "video,question\n", "has no row"),
        ("q.csv", "video,answer\na.mp4,1\n", "line 2 of .* has no question"),
        ("q.csv", "video,question\nc.mp4,what?\n", "line 2 of .* names c.mp4"),
        ("q.jsonl", "{\n", "line 1 of .* is not JSON"),
        ("q.jsonl", "[1]\n", "is no JSON object"),
        ("q.txt", "", "no CSV or JSONL file"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_a_sentence(tmp_path, name, text, told):
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=told):
        read_documents(tmp_path / name)


@pytest.mark.parametrize(
    ("said", "wanted", "right"),
    [
        ("Down.", "down", True),
        ("to  the left", "left|To the left", True),
        ("up", "down", False),
        ("(B) left", "B", True),
        ("B", "B", True),
        ("Bottom", "B", False),
        ("b: left", "A", False),
        ("", "B", False),
    ],
)
def test_right_answers(said, wanted, right):
    assert is_right(said, wanted) == right


def test_a_line_of_another_file_is_told_of(tmp_path):
    (tmp_path / "log.jsonl").write_text('{"a": 1}\n')
    with pytest.raises(ValueError, match=r"line 1 of .*log\.jsonl is not of this log"):
        Log(tmp_path / "log.jsonl")


def test_weights_are_those_of_the_folder(checkpoint):
    assert Model(str(checkpoint)).weights_hash() == weights_hash(checkpoint)
    with pytest.raises(ValueError, match="not in the Hub's cache"):
        Model("nobody/nothing").weights_hash()


@needs_packing
def test_lines_of_packed_weights_are_others(checkpoint, engine):
    """So that a file never mixes them, though the weights on the disk are the same."""
    packed = Model(str(checkpoint), "cpu", "float32", "int8")
    recipes = [Recipe.of(Model(str(checkpoint)), engine), Recipe.of(packed, packed.load())]
    assert recipes[0].weights == recipes[1].weights and recipes[1].dtype == "float32 int8"
    told = [Line(own.weights, own.dtype, "cpu", "", "dense", {}, 4, 4, 8, "v", "q") for own in recipes]
    assert told[0].key != told[1].key
