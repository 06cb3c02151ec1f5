"""The sound of files in the engine: heard by default, planned as it is run, counted in every estimate."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from aim_core.adapters.registry import adapter_for
from aim_core.budget import Budget, solve
from aim_core.config import AimConfig
from aim_core.engine import Engine
from aim_core.footprint import TEXT_TOKENS, footprint
from aim_core.media.decode import load_frames, load_sound
from aim_core.media.errors import NO_SOUND, MediaError
from aim_core.method_comparison import compare_methods
from aim_core.methods.aim import as_method
from aim_core.methods.registry import make_method
from aim_core.trace import Trace
from aim_core.workload import Workload
from page.components.estimate.component import prompts, sound_of
from tests.families.audio import sound
from tests.families.family import QUESTION, pictures
from tests.families.qwen2_5_omni import FAMILY
from tests.helpers.heard import write_film, write_sound

SETTINGS = AimConfig(0.4, l1=2, l2=5, audio_keep_ratio=0.5, audio_floor=0.2)
SIZE = (128, 192)


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    """Films of three seconds: with a sound, without, with a twentieth of a second of it; and a file of sound."""
    folder, frames = tmp_path_factory.mktemp("films"), pictures(30, SIZE)
    return {
        "heard": write_film(folder / "heard.mp4", "aac", pictures=frames, late=0.4),
        "silent": write_film(folder / "silent.mp4", None, pictures=frames),
        "short": write_film(folder / "short.mov", "pcm_s16le", pictures=frames, heard=0.05),
        "sound": write_sound(folder / "sound.mp3", "libmp3lame", 4.0),
    }


@pytest.fixture(scope="module")
def engine(family_model):
    return Engine(adapter_for(*family_model(FAMILY.model_type)))


@pytest.fixture(scope="module")
def runs(engine, films):
    """The film with its sound, dense and reduced."""
    return [
        engine.run(films["heard"], QUESTION, config=config, num_frames=4, max_new_tokens=2)
        for config in (AimConfig.dense(), SETTINGS)
    ]


def test_a_films_sound_is_heard_unless_it_is_not_to_be(engine, films, runs):
    dense, _ = runs
    frames = load_frames(films["heard"], 4)
    given = frames.with_audio(load_sound(films["heard"], 8)[: round(frames.duration * 16000)])
    asked = {"config": AimConfig.dense(), "max_new_tokens": 2}
    same = engine.run(given, QUESTION, **asked)
    assert dense.answer_ids == same.answer_ids and dense.trace.audio.num_tokens == same.trace.audio.num_tokens == 75
    np.testing.assert_allclose(dense.first_token_logprobs, same.first_token_logprobs, atol=1e-4)
    off = engine.run(films["heard"], QUESTION, sound=False, num_frames=4, **asked)
    silent = engine.run(films["silent"], QUESTION, num_frames=4, **asked)
    assert off.trace.audio is None and silent.trace.audio is None and off.cost.audio_per_layer == ()
    assert engine.frames(films["silent"], 4).sound == "none" and engine.frames(films["short"], 4).sound == "short"
    assert engine.frames(given, sound=False).audio is None and engine.frames(given).audio is given.audio


def test_a_file_of_sound_or_samples_go_beside_a_film_or_a_picture(engine, films):
    beside = engine.frames(films["silent"], 4, sound=films["sound"])
    assert len(beside.audio) == round(beside.duration * 16000)  # no longer than the film
    np.testing.assert_array_equal(engine.frames(pictures(1, SIZE), sound=sound(2.0)).audio, sound(2.0))
    one = engine.run(pictures(1, SIZE), QUESTION, config=SETTINGS, sound=films["sound"], max_new_tokens=1)
    assert one.trace.audio.num_tokens == pytest.approx(100, abs=2)
    with pytest.raises(MediaError) as silent:
        engine.frames(films["heard"], 4, sound=films["silent"])
    assert str(silent.value) == NO_SOUND


def test_a_family_that_does_not_hear_reads_no_sound_and_refuses_one(family_model, films):
    deaf = Engine(adapter_for(*family_model("qwen2_5_vl")))
    frames = deaf.frames(films["heard"], 4)
    assert frames.audio is None and frames.sound == ""
    for given in (films["sound"], sound()):
        with pytest.raises(ValueError, match="models do not hear: leave out the audio"):
            deaf.frames(films["heard"], 4, sound=given)


def test_what_is_planned_of_audio_is_what_a_run_has(engine, films, runs):
    film, (dense, reduced) = films["heard"], runs
    whole = engine.planned(film, QUESTION, config=AimConfig.dense(), num_frames=4)
    workload = Workload.of(engine.adapter, whole)
    assert whole.audio_chunks == (50, 25) and whole.num_text == dense.cost.num_text == reduced.cost.num_text
    for result in runs:
        plan = engine.planned(film, QUESTION, config=result.config, num_frames=4)
        counts = plan.visual_per_layer, plan.audio_per_layer
        assert counts == (result.cost.visual_per_layer, result.cost.audio_per_layer)
        assert plan.audio_per_layer == workload.audio_per_layer(as_method(result.config))
        assert result.cost.tokens_per_layer == tuple(sum(own) + plan.num_text for own in zip(*counts, strict=True))
        others = workload.others_per_layer(as_method(result.config))
        assert workload.flops(plan.visual_per_layer, others) == result.cost.language_flops
    assert dense.cost.audio_per_layer == (75,) * 6 and reduced.cost.audio_per_layer == (38, 38, 38, 25, 12, 8)
    others = workload.others_per_layer(as_method(reduced.config), reduced.cost.audio_per_layer)
    shares = workload.shares(reduced.cost.visual_per_layer, others)
    assert shares.flops == pytest.approx(reduced.cost.language_flops / dense.cost.language_flops)


def test_methods_at_one_cost_count_the_sound(engine, films):
    """FastV counts audio as text: what it keeps of it is in its cost."""
    found = compare_methods(engine, films["heard"], QUESTION, methods=["aim", "fastv"], budget=0.75, num_frames=4)
    dense, *others = found
    assert dense.result.cost.audio_per_layer == (75,) * 6
    for run in others:
        assert not run.refused and run.result.cost.audio_per_layer == (75,) * 6
        assert run.shares.flops == pytest.approx(run.result.cost.language_flops / dense.result.cost.language_flops)
        assert run.shares.flops == pytest.approx(0.75, abs=0.05)
    planned = engine.planned(films["heard"], QUESTION, config=AimConfig.dense(), num_frames=4)
    solved = solve("aim", Budget(0.75), Workload.of(engine.adapter, planned))
    assert solved.shares.flops == pytest.approx(others[0].shares.flops)
    assert make_method("fastv").audio is None


@pytest.mark.parametrize("num_samples", [1600, 1601, 9000, 16000, 31999, 32000, 48123, 128000])
def test_tokens_and_operations_of_a_sound_are_known_before_it_is_encoded(engine, num_samples):
    adapter = engine.adapter
    audio = sound(8.0)[:num_samples]
    inputs = adapter.inputs(pictures(4, SIZE), np.arange(4, dtype=np.float32), "?", audio)
    sizes, flops = adapter.expected_audio(num_samples)
    assert sum(sizes) == int((inputs["input_ids"] == adapter.model.config.audio_token_id).sum())
    assert flops == adapter.audio_flops(inputs) and max(sizes) <= 50


def test_the_pages_estimate_is_what_the_run_counts(engine, films, runs):
    dense, _ = runs
    heard = sound_of(engine.adapter, films["heard"])
    told = prompts(engine.adapter, *SIZE)[3]
    assert sum(size * count for size, count in heard["chunks"]) == dense.cost.audio_per_layer[0]
    assert told["vision"] + heard["flops"] == dense.cost.vision_flops
    off = engine.run(films["silent"], QUESTION, config=AimConfig.dense(), num_frames=4, max_new_tokens=1)
    assert heard["text"] == dense.cost.num_text - off.cost.num_text == 2
    assert sound_of(engine.adapter, films["silent"]) is None and sound_of(engine.adapter, None) is None


def test_the_memory_of_a_prompt_counts_its_sound(engine, family_folder, runs):
    folder, adapter = family_folder(FAMILY.model_type), engine.adapter
    silent, heard = (footprint(folder, adapter, torch.float32, 4, *SIZE, sound_seconds=own) for own in (0.0, 3.0))
    per_token = 2 * adapter.sizes["kv"] * 4 * adapter.num_layers
    assert heard.kv - silent.kv == 75 * per_token and heard.activations >= silent.activations
    cost = runs[0].cost
    assert heard.kv == (cost.visual_per_layer[0] + 75 + TEXT_TOKENS) * per_token


def test_a_trace_has_scores_and_loudness_of_audio(runs, films, tmp_path):
    audio = runs[1].trace.audio
    for layer in (2, 3, 4):  # the best go on
        scores, after = audio.scores_by_row(layer), audio.kept[layer + 1]
        best = np.argsort(-np.nan_to_num(scores, nan=-1), kind="stable")[: len(after)]
        assert set(best.tolist()) == set(after.tolist())
    assert audio.scores_by_row(0) is None and audio.loudness.shape == (75,)
    loud = audio.loudness > 0.1  # silent before it begins, and in the last tenth of each second
    assert not loud[:9].any() and loud[12:20].all() and loud[27:46].all() and not loud[48:49].any()
    runs[1].trace.save(tmp_path / "run.npz")
    again = Trace.load(tmp_path / "run.npz").audio
    np.testing.assert_array_equal(again.loudness, audio.loudness)
    assert all(map(np.array_equal, again.scores, audio.scores))
    old = replace(audio, scores=(), loudness=None)
    replace(runs[1].trace, audio=old).save(tmp_path / "old.npz")
    assert Trace.load(tmp_path / "old.npz").audio.scores_by_row(3) is None
