"""The shape world: the same from the same seed, things apart and inside the frame, labels that fit the pixels."""

import math
from collections import Counter
from functools import cache

import numpy as np
import pytest

from training.drawing import render
from training.world import (
    ACTIONS,
    APPEARS,
    COLORS,
    HELD_OUT,
    LAST_SEEN,
    MAX_OBJECTS,
    PHASES,
    SHAPES,
    STAYS,
    VANISHES,
    WEIGHTS,
    Scene,
    Thing,
    frame_times,
    held_out,
    make_scene,
    most_of_a_kind,
    owner_map,
    place_of,
)

MANY_TIMES = np.linspace(0, 1, 41)
SEEDS = range(150)
LOOKS = {  # tips that stand out, share of the bounding box that is filled, whether the middle is
    "circle": (0, math.pi / 4, True),
    "square": (4, 1.0, True),
    "triangle": (3, 1 / 2, True),
    "star": (5, 0.36, True),
    "cross": (4, 5 / 9, True),
    "ring": (0, 0.5, False),
}
BRIGHTEST_GROUND = 105
scene_of = cache(make_scene)  # many tests look at the same scenes, and drawing one up takes milliseconds


@pytest.mark.parametrize("unseen", [False, True])
def test_a_seed_always_gives_the_same_scene_and_pixels(unseen):
    for seed in (0, 7, 2**62 + 1):
        one, two = (make_scene(seed, unseen=unseen) for _ in range(2))
        assert one == two
        assert np.array_equal(render(one, frame_times(3), 64), render(two, frame_times(3), 64))
    assert make_scene(1) != make_scene(2)


@pytest.mark.parametrize("unseen", [False, True])
def test_things_keep_apart_and_inside_the_frame(unseen):
    for seed in SEEDS:
        things = scene_of(seed, unseen=unseen).things
        for time in MANY_TIMES:
            for index, thing in enumerate(things):
                x, y = thing.center(time)
                assert thing.radius <= min(x, y, 1 - x, 1 - y)
                for other in things[:index]:
                    assert math.dist((x, y), other.center(time)) > thing.radius + other.radius


def test_nothing_is_drawn_at_the_border():
    for seed in range(40):
        scene = scene_of(seed)
        for frame in render(scene, frame_times(4), 128):
            border = np.concatenate([frame[0], frame[-1], frame[:, 0], frame[:, -1]])
            assert border.max() <= BRIGHTEST_GROUND + 5 * scene.grain


@pytest.mark.parametrize("unseen", [False, True])
def test_names_are_unique_and_traits_fit_each_other(unseen):
    for seed in SEEDS:
        things = scene_of(seed, unseen=unseen).things
        assert len({thing.name for thing in things}) == len(things)
        for thing in things:
            (x0, y0), (x1, y1) = thing.begin, thing.finish
            way = "still" if thing.begin == thing.finish else _way(x1 - x0, y1 - y0)
            assert thing.motion == way
            if way != "still":
                assert place_of(thing.begin) != place_of(thing.finish)


def _way(dx: float, dy: float) -> str:
    assert dx == 0 or dy == 0
    return ("right" if dx > 0 else "left") if dx else ("down" if dy > 0 else "up")


def test_training_never_shows_a_held_out_combination_and_held_out_scenes_always_do():
    for seed in range(300):
        assert not _held_out(scene_of(seed))
        assert not _held_out(scene_of(seed, static=True))
        assert not _held_out(scene_of(seed, visits=False))
        assert _held_out(scene_of(seed, unseen=True))


def _held_out(scene: Scene) -> list[Thing]:
    return [thing for thing in scene.things if held_out(*_combination(thing))]


def test_held_out_scenes_show_all_held_out_combinations():
    """Each new thing comes first in its scene; 300 scenes leave out none but by chance."""
    shown = {_combination(scene_of(seed, unseen=True).things[0]) for seed in range(300)}
    assert shown <= set(HELD_OUT) and len(shown) >= len(HELD_OUT) - 2


def _combination(thing: Thing) -> tuple[str, str, str]:
    return thing.color, thing.shape, thing.action


def test_one_combination_in_eight_is_held_out_and_each_two_of_its_three_traits_meet_in_training():
    assert len(HELD_OUT) * 8 == len(COLORS) * len(SHAPES) * len(ACTIONS)
    trained = {(c, s, d) for c in COLORS for s in SHAPES for d in ACTIONS} - set(HELD_OUT)
    for one, other in ((0, 1), (0, 2), (1, 2)):
        every = {(combination[one], combination[other]) for combination in HELD_OUT}
        assert every <= {(combination[one], combination[other]) for combination in trained}
    assert not any(held_out(c, s, action) for c in COLORS for s in SHAPES for action in ("rests", "visits"))


def test_scenes_show_one_to_four_things_and_every_deed():
    scenes = [scene_of(seed) for seed in range(300)]
    assert {len(scene.things) for scene in scenes} == set(range(1, MAX_OBJECTS + 1))
    assert {thing.action for scene in scenes for thing in scene.things} == set(WEIGHTS)


def test_most_of_a_kind_counts_colors_and_shapes():
    numbers = set()
    for seed in range(300):
        names = [thing.name.split() for thing in scene_of(seed).things]
        most = max(Counter(words).most_common(1)[0][1] for words in zip(*names, strict=True))
        assert most_of_a_kind(scene_of(seed)) == most
        numbers.add(most)
    assert numbers == {1, 2, 3, 4}


def test_static_scenes_rest():
    for seed in SEEDS:
        for thing in scene_of(seed, static=True).things:
            assert thing.motion == "still" and thing.visible(0.0) and thing.visible(0.999)


def test_things_come_and_go_when_their_phase_says():
    phases = set()
    for thing in (thing for seed in SEEDS for thing in scene_of(seed).things):
        low, high = APPEARS[thing.phase]
        assert low <= thing.appears <= high
        assert thing.stays == (thing.vanishes == 1.0) == thing.visible(0.999)
        if thing.action == "vanishes":
            assert VANISHES[0] <= thing.vanishes <= VANISHES[1]
        elif thing.action == "visits":
            assert min(STAYS[0], LAST_SEEN - thing.appears) <= thing.vanishes - thing.appears <= STAYS[1]
        else:
            assert thing.stays
        assert thing.visible(thing.appears) and not thing.visible(thing.vanishes)
        phases.add(thing.phase)
    assert phases == set(PHASES)


@pytest.mark.parametrize("num_frames", [6, 8, 16])
def test_a_visitor_is_seen_in_six_frames_or_more_and_short_clips_have_none(num_frames):
    visitors = [thing for seed in range(300) for thing in scene_of(seed).things if thing.action == "visits"]
    assert len(visitors) > 30
    assert all(any(thing.visible(time) for time in frame_times(num_frames)) for thing in visitors)
    short = (scene_of(seed, visits=False) for seed in range(300))
    assert not [thing for scene in short for thing in scene.things if thing.action == "visits"]


def test_pixels_show_a_thing_exactly_while_it_is_visible():
    for seed in range(60):
        scene = scene_of(seed)
        frames = render(scene, MANY_TIMES, 96)
        for thing in scene.things:
            if thing.motion != "still" or thing.shape == "ring":
                continue
            x, y = (int(share * 96) for share in thing.begin)
            for frame, time in zip(frames, MANY_TIMES, strict=True):
                assert _is_colored(frame[y, x], thing.color, scene.grain) == thing.visible(time)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_shape_looks_like_its_name(shape):
    thing = Thing("white", shape, 0.3, (0.5, 0.5), (0.5, 0.5), "still", "start", 0.0, 1.0)
    frame = render(Scene((thing,), "plain", (40, 40, 40), (40, 40, 40), 0.0, 0), np.array([0.5]), 400)[0]
    filled = frame[..., 0] > 140
    points = np.argwhere(filled)
    tips, share, middle = LOOKS[shape]
    assert _tips(filled) == tips
    assert len(points) / np.prod(np.ptp(points, axis=0) + 1) == pytest.approx(share, abs=0.02)
    assert filled[200, 200] == middle


def _tips(filled: np.ndarray) -> int:
    """How often a walk round the middle of `filled`, not far from its furthest point, goes in and out."""
    points = np.argwhere(filled)
    center = points.mean(axis=0)
    angles = np.linspace(0, 2 * math.pi, 720, endpoint=False)
    way = 0.9 * np.linalg.norm(points - center, axis=1).max() * np.stack([np.sin(angles), np.cos(angles)], axis=1)
    y, x = np.round(center + way).astype(int).T
    inside = filled[y, x]
    return np.count_nonzero(inside != np.roll(inside, 1)) // 2


def test_owners_are_where_their_color_is():
    size, rows, checked = 256, 16, 0
    middle = (np.arange(rows) * size // rows) + size // rows // 2
    for seed in range(40):
        scene = scene_of(seed)
        times = frame_times(3)
        frames, owners = render(scene, times, size), owner_map(scene, times, rows)
        for frame, owner, time in zip(frames, owners, times, strict=True):
            for row, column in np.argwhere(owner >= 0):
                thing = scene.things[owner[row, column]]
                point = (column + 0.5) / rows, (row + 0.5) / rows
                assert thing.visible(time)
                assert math.dist(point, thing.center(time)) < thing.radius
                if thing.shape in ("circle", "square") and math.dist(point, thing.center(time)) < 0.7 * thing.radius:
                    assert _is_colored(frame[middle[row], middle[column]], thing.color, scene.grain)
                    checked += 1
    assert checked > 100


def test_cells_without_an_owner_show_the_ground():
    """Corners of a triangle reach a little further than its radius, so cells near a thing are left out."""
    size, rows = 256, 16
    middle = (np.arange(rows) * size // rows) + size // rows // 2
    for seed in range(20):
        scene = scene_of(seed)
        frame, owner = render(scene, np.array([0.5]), size)[0], owner_map(scene, np.array([0.5]), rows)[0]
        for row, column in np.argwhere(owner < 0):
            point = (column + 0.5) / rows, (row + 0.5) / rows
            if all(math.dist(point, thing.center(0.5)) > 1.4 * thing.radius for thing in scene.things):
                assert frame[middle[row], middle[column]].max() <= BRIGHTEST_GROUND + 5 * scene.grain


def _is_colored(pixel: np.ndarray, color: str, grain: float) -> bool:
    return bool(np.abs(pixel.astype(int) - COLORS[color]).max() <= 3 + 6 * grain)
