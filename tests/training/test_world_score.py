"""World score: a fit against another library's, what the shipped one says, and sources that never serve twice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from aim_core.engine import Engine
from aim_core.media.decode import load_frames
from aim_core.world_score import read_world_score
from training.build import IMAGE_SIZE
from training.other_worlds import FIT, TEST, film_clips, picture_clips
from training.patterns import PATTERNS
from training.samples import samples
from training.strangers.grounds import shipped
from training.world_score import NUM_FRAMES, fit, own_clips, seeing, strangers_rows, table, totals

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "assets" / "model"


@pytest.fixture(scope="module")
def engine_shipped():
    return Engine.from_pretrained(MODEL, device="cpu")


@pytest.fixture(scope="module")
def said(engine_shipped):
    """Whether clips are said to be of another world."""
    score, see = read_world_score(MODEL), seeing(engine_shipped)
    return lambda clips: [see(clip) @ score.weights + score.offset > score.limit for clip in clips]


def test_the_fit_is_that_of_scikit_learn():
    linear = pytest.importorskip("sklearn.linear_model")
    draw = np.random.default_rng(0)
    own, other = draw.normal(size=(60, 4)) * [1, 2, 3, 4] + 5, draw.normal(size=(25, 4)) * [2, 1, 1, 9] + [6, 5, 4, 3]
    weights, offset = fit(own, other, penalty=0.3)
    rows, scale = np.concatenate([own, other]), own.std(0)
    theirs = linear.LogisticRegression(C=0.3, class_weight="balanced", tol=1e-10, max_iter=10_000)
    theirs.fit((rows - own.mean(0)) / scale, np.arange(len(rows)) >= len(own))
    assert rows @ weights + offset == pytest.approx(theirs.decision_function((rows - own.mean(0)) / scale), abs=1e-3)


def test_the_score_belongs_to_the_shipped_weights_and_is_small():
    """Of other weights it would be refused: `python -m training.world_score` fits it again."""
    score = read_world_score(MODEL)
    assert score is not None and score.weights.shape == (4 * 128,)
    assert (MODEL / "world.json").stat().st_size < 300_000


def test_clips_of_its_world_pass_and_others_are_caught(said):
    strangers = [clips[0].frames(NUM_FRAMES) for clips in list(strangers_rows(1).values())[::3]]
    assert sum(said([*own_clips(4 * 10**9, 4, 1), *strangers])) <= 1
    pictures = [clip for source in TEST.pictures for clip in picture_clips(source, 1, 9, NUM_FRAMES)]
    films = [load_frames(str(shipped(package) / path), NUM_FRAMES).frames for package, path in TEST.films]
    caught = said([*pictures, *films])
    assert sum(caught) >= len(caught) - 1 and all(caught[-len(films) :])


def test_no_sample_is_said_to_be_of_another_world(said):
    files = [str(ROOT / "assets" / "samples" / sample.file) for sample in samples()]
    assert not any(said(load_frames(path, NUM_FRAMES).frames for path in files))


def test_sources_are_there_and_none_serves_both_to_fit_and_to_measure():
    fitted, tested = ({*sources.pictures, *sources.films} for sources in (FIT, TEST))
    assert not {Path(path).stem for _, path in fitted} & {Path(path).stem for _, path in tested}
    assert all((shipped(package) / path).is_file() for package, path in fitted | tested)


@pytest.mark.parametrize("name", PATTERNS)
def test_a_pattern_is_a_clip_and_the_same_for_the_same_seed(name):
    one, again, other = (PATTERNS[name](np.random.default_rng(seed), 3) for seed in (5, 5, 6))
    assert one.shape == (3, IMAGE_SIZE, IMAGE_SIZE, 3) and one.dtype == np.uint8
    assert np.array_equal(one, again) and not np.array_equal(one, other)


@pytest.mark.parametrize("kind", ["pictures", "films"])
def test_clips_from_files_are_the_same_for_the_same_seed_and_stay_inside(kind):
    make, source = {"pictures": (picture_clips, FIT.pictures[0]), "films": (film_clips, FIT.films[0])}[kind]
    one, again, other = (np.stack(list(make(source, 4, seed, 3))) for seed in (5, 5, 6))
    assert one.shape == (4, 3, IMAGE_SIZE, IMAGE_SIZE, 3) and one.dtype == np.uint8
    assert np.array_equal(one, again) and not np.array_equal(one, other)
    assert min(clip.std() for clip in one) > 5  # no part lies beside the picture


def test_the_table_sums_each_kind():
    report = {"films": {"bunny": [9, 10], "bikes": [1, 2]}}
    assert totals(report) == {"films": (10, 12)}
    assert table(report).splitlines()[2:] == ["| films | 10 of 12 (83.3%) | bunny 9/10, bikes 1/2 |"]
