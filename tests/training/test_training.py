"""Training: one that is stopped and resumed ends with the weights of one that ran through; what it exports loads."""

import json
from dataclasses import fields

import cv2
import numpy as np
import pytest
import torch

from aim_core.config import AimConfig
from aim_core.engine import Engine
from training import train
from training.batches import BatchMaker
from training.build import make_processor
from training.questions import TYPES
from training.recipe import NONE, RECIPE, THREES, WIDE, BatchSpec, Stage, learning_rate
from training.train import Steps, Training, export, report, run
from training.wordings import WIDE_ANSWERS

BATCHES = (
    BatchSpec(2, 1, "merge", (0.2, 0.5)),
    BatchSpec(1, 1, "place", (0.2, 0.5)),
    BatchSpec(2, 1, "drop", (0.3, 0.6)),
)
ONE = dict.fromkeys(TYPES, 1)
TINY = (Stage("see", 2, (BatchSpec(1, 2),), 1e-3, NONE), Stage("settle", 3, BATCHES, 1e-3, ONE))
SEED = 5


class StoppedError(Exception):
    """Stands for a machine that goes away."""


@pytest.fixture
def tiny(monkeypatch):
    """Two stages of a few steps, and questions kept at rates that need no counting, which would take seconds."""
    rates = {(kind, answer): 1.0 for kind, answers in WIDE_ANSWERS.items() for answer in answers}
    monkeypatch.setattr("training.batches.answer_rates", lambda max_skew, wide=False: rates)
    monkeypatch.setattr(train, "RECIPE", TINY)
    monkeypatch.setattr(train, "prepare", lambda max_skew: None)


@pytest.fixture
def stop_after(monkeypatch):
    """Call it with a number: so many further steps are taken, then training stops before anything is changed."""
    real = train.take_step

    def prepare(steps: int | None) -> None:
        taken = iter(range(steps)) if steps is not None else None

        def take_step(*args):
            if taken is not None and next(taken, None) is None:
                raise StoppedError
            return real(*args)

        monkeypatch.setattr(train, "take_step", take_step)

    return prepare


@pytest.mark.slow
def test_a_resumed_training_ends_like_one_that_ran_through(tiny, stop_after, tmp_path):
    checkpoint = tmp_path / "checkpoint.pt"
    whole = Training(SEED, "cpu")
    run(whole, tmp_path, save_every=1e9)
    for steps, place in ((1, (0, 1)), (4, (1, 2))):
        checkpoint.unlink()
        stop_after(steps)
        with pytest.raises(StoppedError):
            run(Training(SEED, "cpu"), tmp_path, save_every=0.0)
        stop_after(None)
        resumed = Training(SEED, "cpu")
        resumed.helpers.patch.weight.data.zero_()  # the checkpoint replaces it
        resumed.load(checkpoint)
        assert (resumed.stage, resumed.step) == place
        run(resumed, tmp_path, save_every=1e9)
        assert_same(whole.model.state_dict(), resumed.model.state_dict())
        assert_same(whole.helpers.state_dict(), resumed.helpers.state_dict())


def test_a_checkpoint_of_another_seed_or_recipe_is_refused(tiny, tmp_path, monkeypatch, capsys):
    checkpoint, out = tmp_path / "checkpoint.pt", tmp_path / "model"
    Training(SEED, "cpu").save(checkpoint)
    with pytest.raises(ValueError, match="another seed or recipe"):
        Training(SEED + 1, "cpu").load(checkpoint)
    monkeypatch.setattr(train, "MAX_ANSWER_SKEW", 3.0)
    monkeypatch.setattr("sys.argv", ["train", "--folder", str(tmp_path), "--out", str(out), "--seed", str(SEED)])
    with pytest.raises(SystemExit):
        train.main()
    assert "Give another --folder" in capsys.readouterr().err and not out.exists()


def test_a_checkpoint_outlives_the_renaming_of_the_recipes_classes_and_fields(tiny, tmp_path):
    """As one that was written when `BatchSpec` was called Turn and `Stage.batches` turns; other values are refused."""
    path, training = tmp_path / "checkpoint.pt", Training(SEED, "cpu")
    training.stage, training.step = 1, 2
    training.save(path)
    state = torch.load(path, weights_only=True)
    assert not any(name in state["recipe"] for name in ("Stage", "BatchSpec", "batches", "name=", "frames"))
    old = repr((train.MAX_ANSWER_SKEW, THREES, WIDE, TINY)).replace("BatchSpec(", "Turn(").replace("batches=", "turns=")
    assert old.count("Turn(frames=") == 4 and old.count("turns=(") == 2
    torch.save(state | {"recipe": old}, path)
    resumed = Training(SEED, "cpu")
    resumed.load(path)
    assert (resumed.stage, resumed.step) == (1, 2)
    assert_same(training.model.state_dict(), resumed.model.state_dict())
    torch.save(state | {"recipe": old.replace("frames=2", "frames=3")}, path)
    with pytest.raises(ValueError, match="another seed or recipe"):
        resumed.load(path)


def test_nothing_is_exported_where_nothing_was_trained(tmp_path, monkeypatch, capsys):
    out = tmp_path / "model"
    monkeypatch.setattr("sys.argv", ["train", "--folder", str(tmp_path / "empty"), "--out", str(out), "--export"])
    with pytest.raises(SystemExit):
        train.main()
    assert "Train first" in capsys.readouterr().err and not out.exists()


def assert_same(one: dict, two: dict) -> None:
    assert one.keys() == two.keys()
    assert not [name for name in one if not torch.equal(one[name], two[name])]


def test_opencvs_threads_do_not_stop_the_processes_that_make_batches(tiny, tmp_path, monkeypatch):
    """They hung where the grounds had been drawn by several threads first, as on a machine of many cores."""

    def prepare(max_skew: float) -> None:
        cv2.GaussianBlur(np.zeros((2000, 2000, 3), dtype=np.float32), (0, 0), 5.0)

    monkeypatch.setattr(train, "prepare", prepare)
    threads = cv2.getNumThreads()
    try:
        cv2.setNumThreads(4)
        cv2.GaussianBlur(np.zeros((2000, 2000, 3), dtype=np.float32), (0, 0), 5.0)
        run(Training(SEED, "cpu"), tmp_path, save_every=1e9)
    finally:
        cv2.setNumThreads(threads)


@pytest.mark.slow
def test_weights_change_in_every_stage(tiny, stop_after, tmp_path):
    """So that the test above compares something: the tower learns first, the language model after it."""
    training = Training(SEED, "cpu")
    before = {name: value.clone() for name, value in training.model.state_dict().items()}
    stop_after(4)
    with pytest.raises(StoppedError):
        run(training, tmp_path, save_every=1e9)
    changed = {name for name, value in training.model.state_dict().items() if not torch.equal(value, before[name])}
    assert any("vision_tower" in name for name in changed)
    assert {f"model.language_model.layers.{i}.mlp.up_proj.weight" for i in range(12)} <= changed


def test_seeing_comes_nearer_to_the_teacher_step_by_step(tiny):
    """On one batch of the wide world, shown again and again."""
    training = Training(SEED, "cpu")
    batch = BatchMaker(training.processor.tokenizer, SEED).make(0, 0, 2, 1, NONE, 1.5, 0.15, 1.0)
    stage = Stage("see", 1000, (), 0.1, NONE)  # its first step warms up at a hundredth of that
    losses = [train.take_step(training, batch, stage)[0]["match"].item() for _ in range(8)]
    assert losses[-1] < 0.8 * losses[0]


def test_the_data_of_a_step_do_not_depend_on_where_training_began(tiny):
    tokenizer = make_processor().tokenizer
    from_start, resumed = (Steps(BatchMaker(tokenizer, SEED), 1, first) for first in (0, 2))
    assert (len(from_start), len(resumed)) == (3, 1)
    one, two = from_start[2], resumed[0]
    for field in fields(one):
        assert torch.equal(getattr(one, field.name), getattr(two, field.name))
    assert not torch.equal(from_start[0].pixels, one.pixels)


def test_batch_specs_follow_each_other(tiny):
    steps = Steps(BatchMaker(make_processor().tokenizer, SEED), 1, 0)
    assert [tuple(steps[i].pixels.shape[:2]) for i in range(3)] == [(spec.videos, spec.frames) for spec in BATCHES]


def test_a_line_of_progress_says_how_far_it_is_and_how_long_it_takes(tiny, tmp_path, capsys):
    training = Training(SEED, "cpu")
    training.stage, training.step = 1, 2
    report(training, TINY[1], [({"answer": 2.0}, 0.25), ({"answer": 1.0}, 0.75)], tmp_path, seconds=90, pace=240)
    assert "right 0.5 loss 1.500; 80.0 % done, 4 minutes left at this pace" in capsys.readouterr().out
    line = {"stage": "settle", "step": 2, "of": 3, "minutes": 1.5, "right": 0.5, "losses": {"answer": 1.5}}
    assert json.loads((tmp_path / "log.jsonl").read_text()) == line


def test_the_learning_rate_warms_up_and_a_stage_ends_near_zero():
    stage = Stage("", 1000, (), 1e-3, NONE)
    assert learning_rate(stage, 0) == pytest.approx(1e-3 / 100)
    assert learning_rate(stage, 400) == 1e-3
    assert learning_rate(stage, 750) == pytest.approx(0.5e-3)
    assert 0 < learning_rate(stage, 999) < 1e-5


def test_the_recipe_learns_to_see_and_then_to_answer_about_one_to_thirty_two_frames():
    *seeing, settle = RECIPE
    assert settle.asks and not any(stage.asks for stage in seeing)
    assert {spec.how for spec in settle.batches} == {"drop", "merge", "place"}
    assert (min(spec.frames for spec in settle.batches), max(spec.frames for spec in settle.batches)) == (1, 32)


def test_what_is_exported_is_small_and_answers(tmp_path):
    export(Training(SEED, "cpu"), tmp_path)
    (weights,) = tmp_path.glob("*.safetensors")
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < 25e6
    assert _dtypes(weights) == {"F16"}
    result = Engine.from_pretrained(tmp_path, device="cpu").run(
        np.zeros((1, 64, 64, 3), dtype=np.uint8), "how many objects are there?", config=AimConfig(), max_new_tokens=2
    )
    assert result.trace.num_layers == 12


def _dtypes(path) -> set[str]:
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        return {file.get_slice(name).get_dtype() for name in file.keys()}  # noqa: SIM118 (not a dict)
