"""Long videos: what is asked about is there for a few frames only, answers are balanced, and a viewer confirms them."""

from collections import Counter

import numpy as np
import pytest

from tests.helpers.viewer import Viewer
from training import eval_sets
from training.drawing import render
from training.eval_sets import FIRST_SEED, bucket, buckets
from training.long_videos import (
    BRIEF,
    EVENT_KINDS,
    EVENTS,
    KINDS,
    NUM_FRAMES,
    STEADY_KINDS,
    film_set,
    is_brief,
    long_set,
    make_long_scene,
)
from training.world import frame_times

PER_TYPE = 24


@pytest.fixture(scope="module")
def items():
    return long_set(PER_TYPE)


def test_every_answer_of_a_type_is_asked_for_equally_often(items):
    counts = Counter((item.question.type, bucket(item.question)) for item in items)
    assert counts == {(kind, name): PER_TYPE // len(buckets(kind)) for kind in KINDS for name in buckets(kind)}


@pytest.mark.parametrize("num_frames", NUM_FRAMES)
def test_a_viewer_agrees_with_every_answer(items, num_frames):
    for item in items:
        assert Viewer(item.scene, frame_times(num_frames)).answer(item.question.text) == item.question.answer


@pytest.mark.parametrize("num_frames", [*NUM_FRAMES, 128])
def test_what_is_asked_about_is_in_three_to_five_percent_of_the_frames(items, num_frames):
    for item in items:
        for thing in (item.scene.things[i] for i in item.question.about):
            seen = sum(thing.visible(time) for time in frame_times(num_frames))
            assert BRIEF[0] * num_frames - 1 <= seen <= BRIEF[1] * num_frames + 1 and seen


def test_eight_frames_miss_most_of_what_is_asked_about(items):
    """So the set tells settings with many frames from those with few."""
    brief = [item.scene.things[i] for item in items for i in item.question.about]
    seen = np.mean([any(thing.visible(time) for time in frame_times(8)) for thing in brief])
    assert 0.15 < seen < 0.5


def test_half_the_questions_of_existence_are_about_nothing_and_name_a_trait_that_is_there(items):
    asked = [item for item in items if item.question.type == "exist" and item.question.answer == "no"]
    assert len(asked) == PER_TYPE / 2
    for item in asked:
        color, shape = item.question.text.removesuffix("?").split()[-2:]
        assert (color in {t.color for t in item.scene.things}) or (shape in {t.shape for t in item.scene.things})


def test_scenes_rest_and_most_frames_are_the_same():
    for seed in range(20):
        scene = make_long_scene(seed)
        assert scene == make_long_scene(seed)
        assert any(map(is_brief, scene.things))
        assert all(thing.motion == "still" for thing in scene.things)
        frames = render(scene, frame_times(64), 32)
        assert 2 <= len(np.unique(frames.reshape(64, -1), axis=0)) <= 6


def test_the_set_is_the_same_each_time_and_its_seeds_are_never_the_training_ones(items, monkeypatch):
    seeds = []
    monkeypatch.setattr(
        "training.long_videos.make_scene", lambda seed, static: seeds.append(seed) or real(seed, static=static)
    )
    real = eval_sets.make_scene
    assert [item.question for item in long_set(2)]
    assert min(seeds) >= FIRST_SEED
    assert long_set(PER_TYPE) == items


@pytest.mark.parametrize("event", EVENTS)
def test_a_films_events_are_surely_seen_with_so_many_frames_and_every_other_one_with_half_as_many(event):
    films = film_set(event, PER_TYPE)
    brief = [film.scene.things[i] for film in films for asked in film.about_events for i in asked.about]
    for thing in brief:
        assert 1 <= sum(map(thing.visible, frame_times(event))) <= 2
        assert sum(map(thing.visible, frame_times(event // 2))) <= 1
    half = np.mean([any(map(thing.visible, frame_times(event // 2))) for thing in brief])
    assert 0.3 < half < 0.75
    for film in films:
        viewer, one = Viewer(film.scene, frame_times(event)), Viewer(film.scene, frame_times(1))
        steady = film.about_steady
        assert [viewer.answer(asked.text) for asked in film.about_events] == [own.answer for own in film.about_events]
        assert steady and [one.answer(asked.text) for asked in steady] == [own.answer for own in steady]
    counts = Counter((q.type, bucket(q)) for film in films for q in (*film.about_events, *film.about_steady))
    assert {kind for kind, _ in counts} == {*EVENT_KINDS, *STEADY_KINDS}
    assert max(counts.values()) <= 2 * (PER_TYPE // 2)
