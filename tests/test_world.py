"""The shape world: the same from the same seed, things apart and inside the frame, labels that fit the pixels."""

import math

import numpy as np
import pytest

from training.drawing import render
from training.world import (
    APPEARS,
    COLORS,
    LATE_PAIRS,
    PHASES,
    VANISHES,
    Scene,
    frame_times,
    make_scene,
    owner_map,
    place_of,
)

MANY_TIMES = np.linspace(0, 1, 41)
SEEDS = range(150)
BRIGHTEST_GROUND = 105


@pytest.mark.parametrize("late", [False, True])
def test_a_seed_always_gives_the_same_scene_and_pixels(late):
    for seed in (0, 7, 2**62 + 1):
        one, two = (make_scene(seed, late=late) for _ in range(2))
        assert one == two
        assert np.array_equal(render(one, frame_times(3), 64), render(two, frame_times(3), 64))
    assert make_scene(1) != make_scene(2)


@pytest.mark.parametrize("late", [False, True])
def test_things_keep_apart_and_inside_the_frame(late):
    for seed in SEEDS:
        things = make_scene(seed, late=late).things
        for time in MANY_TIMES:
            for index, thing in enumerate(things):
                x, y = thing.center(time)
                assert thing.radius <= min(x, y, 1 - x, 1 - y)
                for other in things[:index]:
                    assert math.dist((x, y), other.center(time)) > thing.radius + other.radius


def test_nothing_is_drawn_at_the_border():
    for seed in range(40):
        scene = make_scene(seed)
        for frame in render(scene, frame_times(4), 128):
            border = np.concatenate([frame[0], frame[-1], frame[:, 0], frame[:, -1]])
            assert border.max() <= BRIGHTEST_GROUND + 5 * scene.grain


@pytest.mark.parametrize("late", [False, True])
def test_names_are_unique_and_traits_fit_each_other(late):
    for seed in SEEDS:
        things = make_scene(seed, late=late).things
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


def test_training_never_shows_a_late_pair_unless_asked_and_late_scenes_always_do():
    for seed in SEEDS:
        assert not _pairs(make_scene(seed)) & LATE_PAIRS
        assert not _pairs(make_scene(seed, static=True)) & LATE_PAIRS
        assert _pairs(make_scene(seed, late=True)) & LATE_PAIRS


def _pairs(scene: Scene) -> set[tuple[str, str]]:
    return {(thing.color, thing.shape) for thing in scene.things}


def test_static_scenes_rest():
    for seed in SEEDS:
        for thing in make_scene(seed, static=True).things:
            assert thing.motion == "still" and thing.visible(0.0) and thing.visible(0.999)


def test_things_come_and_go_when_their_phase_says():
    phases = set()
    for seed in SEEDS:
        for thing in make_scene(seed).things:
            low, high = APPEARS[thing.phase]
            assert low <= thing.appears <= high
            assert thing.vanishes == 1.0 or VANISHES[0] <= thing.vanishes <= VANISHES[1]
            assert thing.stays == thing.visible(0.999)
            assert thing.stays or thing.phase == "start"
            assert thing.visible(thing.appears) and not thing.visible(thing.vanishes)
            phases.add(thing.phase)
    assert phases == set(PHASES)


def test_pixels_show_a_thing_exactly_while_it_is_visible():
    for seed in range(60):
        scene = make_scene(seed)
        frames = render(scene, MANY_TIMES, 96)
        for thing in scene.things:
            if thing.motion != "still" or thing.shape == "ring":
                continue
            x, y = (int(share * 96) for share in thing.begin)
            for frame, time in zip(frames, MANY_TIMES, strict=True):
                assert _is_colored(frame[y, x], thing.color, scene.grain) == thing.visible(time)


def test_owners_are_where_their_color_is():
    size, rows, checked = 256, 16, 0
    middle = (np.arange(rows) * size // rows) + size // rows // 2
    for seed in range(40):
        scene = make_scene(seed)
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
        scene = make_scene(seed)
        frame, owner = render(scene, np.array([0.5]), size)[0], owner_map(scene, np.array([0.5]), rows)[0]
        for row, column in np.argwhere(owner < 0):
            point = (column + 0.5) / rows, (row + 0.5) / rows
            if all(math.dist(point, thing.center(0.5)) > 1.4 * thing.radius for thing in scene.things):
                assert frame[middle[row], middle[column]].max() <= BRIGHTEST_GROUND + 5 * scene.grain


def _is_colored(pixel: np.ndarray, color: str, grain: float) -> bool:
    return bool(np.abs(pixel.astype(int) - COLORS[color]).max() <= 3 + 6 * grain)
