"""Plain scenes: the same things at the same places and times, of a size that the old world's model sees well."""

import numpy as np

from training.drawing import render
from training.plain import GROUND, RADII, plain_scene
from training.wide_world import make_wide_scene
from training.world import COLORS, frame_times, make_scene

SEEDS = range(40)


def test_things_keep_names_places_and_times():
    for seed in SEEDS:
        scene = make_wide_scene(seed)
        for thing, plain in zip(scene.things, plain_scene(scene).things, strict=True):
            assert (plain.name, plain.appears, plain.vanishes) == (thing.name, thing.appears, thing.vanishes)
            assert plain.center(0.3) == thing.center(0.3)


def test_sizes_are_those_seen_well_unless_a_neighbour_is_nearer():
    least, most = RADII
    small = [0, 0]
    for seed in SEEDS:
        scene = make_wide_scene(seed)
        for thing, plain in zip(scene.things, plain_scene(scene).things, strict=True):
            assert plain.radius <= most and plain.radius >= min(least, thing.radius)
            assert plain.radius == thing.radius or not least <= thing.radius <= most
            small[plain.radius < least] += 1
    assert small[0] > 2 * small[1] > 0


def test_a_thing_that_grows_takes_no_room_of_its_neighbours():
    for seed in SEEDS:
        scene = make_wide_scene(seed, static=True)
        for one, plain in zip(scene.things, plain_scene(scene).things, strict=True):
            if plain.radius > one.radius:
                far = [np.hypot(*np.subtract(one.begin, other.begin)) for other in scene.things if other is not one]
                assert all(plain.radius < gap / 2 for gap in far)


def test_either_world_is_drawn_on_one_ground_in_the_old_worlds_colours():
    for make in (make_scene, make_wide_scene):
        scene = make(3, static=True)
        (frame,) = render(plain_scene(scene), frame_times(1), 96)
        seen = {tuple(color) for color in frame.reshape(-1, 3).tolist()}
        assert GROUND in seen
        assert {thing.color for thing in scene.things} == {name for name, value in COLORS.items() if value in seen}
