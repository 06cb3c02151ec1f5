"""Plain scenes: what a video shows, as the old world would show it: upright, of middling size, on one dim ground."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from training.wide_scene import MOMENTS, WideScene
from training.world import Scene, Thing

GROUND = (52, 52, 52)
RADII = (0.09, 0.14)  # what the old world's model sees well


def plain_scene(scene: Scene | WideScene) -> Scene:
    """The same things at the same places; small ones grow as long as there is room."""
    things = tuple(replace(thing, radius=_radius(thing, scene.things)) for thing in scene.things)
    return Scene(things, "plain", GROUND, GROUND, 0.0, 0)


def _radius(thing: Thing, things: tuple[Thing, ...]) -> float:
    least, most = RADII
    others = [other for other in things if other is not thing]
    if thing.radius < least and others:
        nearest = min(np.hypot(*np.subtract(thing.center(t), other.center(t))) for other in others for t in MOMENTS)
        least = max(thing.radius, min(least, 0.48 * float(nearest)))
    return min(most, max(least, thing.radius))
