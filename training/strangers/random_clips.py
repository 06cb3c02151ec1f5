"""Random clips: things with paths and times for a clip, drawn by chance so that every question has one right answer."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import count

import numpy as np

from training.strangers.clips import PAINTS, SIZES, Clip, Look, Thing
from training.strangers.shapes import REACH
from training.world import APPEARS, SHAPES, VANISHES

MOST_THINGS = {"small": 4, "normal": 4, "large": 2}
HEADINGS = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}
ACTIONS = ("rests", "moves", "moves", "appears", "appears", "vanishes", "vanishes")
FEWEST_PAINTS = 3
DISTINCT = 90  # a colour stands out from a pixel of the ground if they are so far apart in RGB
BLENDED = 0.05  # the most of a ground that a thing's colour may not stand out from
NEAREST = 0.14  # no path begins or ends nearer to a middle line of the frame, in its sides
APART = 1.02  # the least distance of two things, in their reaches together
MOMENTS = np.linspace(0, 1, 41)


@dataclass(frozen=True)
class Canvas:
    """An empty clip, and a shade of each colour that stands out from its ground."""

    clip: Clip
    paints: dict[str, tuple[int, int, int]]


def make_canvas(seed: tuple[int, ...], look: Look) -> Canvas:
    """The canvas of a seed; the same each time. A photograph from which few colours stand out is not taken."""
    for tries in count():
        clip = Clip((), look, (*seed, tries))
        paints = _paints(np.random.default_rng((*seed, tries, 1)), clip.ground)
        if len(paints) >= FEWEST_PAINTS:
            return Canvas(clip, paints)


def make_clip(canvas: Canvas, rng) -> Clip:
    """A clip on this canvas."""
    things: list[Thing] = []
    while not things:
        things = _things(rng, canvas.clip.look, canvas.paints)
    return replace(canvas.clip, things=tuple(things))


def _paints(rng, ground: np.ndarray) -> dict[str, tuple[int, int, int]]:
    """One shade of each colour that stands out from a ground."""
    chosen = {name: shades[int(rng.integers(len(shades)))] for name, shades in PAINTS.items()}
    pixels = ground[::4, ::4].reshape(-1, 3).astype(float)
    return {name: paint for name, paint in chosen.items() if _blended(pixels, paint) <= BLENDED}


def _blended(pixels: np.ndarray, paint: tuple[int, int, int]) -> float:
    return float((np.linalg.norm(pixels - paint, axis=1) < DISTINCT).mean())


def _things(rng, look: Look, paints: dict) -> list[Thing]:
    """Things that never touch, no two of the same colour and shape; none if there was no room.

    In half of the clips they share colours or shapes, so that there is something to count and to tell apart.
    """
    few = [len(paints), len(SHAPES)]
    if rng.random() < 0.5:
        few[int(rng.integers(2))] = int(rng.integers(1, 3))
    colors, shapes = rng.permutation(list(paints))[: few[0]], rng.permutation(SHAPES)[: few[1]]
    names = [(str(c), str(s)) for c in colors for s in shapes]
    count = int(rng.integers(1, MOST_THINGS[look.size] + 1))
    things: list[Thing] = []
    for idx in rng.permutation(len(names))[:count]:
        color, shape = names[idx]
        for _ in range(30):
            thing = _thing(rng, look, color, shape, paints[color])
            if all(_apart(thing, other, look) for other in things):
                things.append(thing)
                break
        else:
            return []
    return things


def _thing(rng, look: Look, color: str, shape: str, paint: tuple[int, int, int]) -> Thing:
    radius = float(rng.uniform(*SIZES[look.size]))
    turn = float(rng.uniform(0, 2 * math.pi)) if look.turn is None else look.turn
    signs = rng.choice([-1, 1], size=2)
    begin = tuple(float(0.5 + sign * _offset(rng, look, radius, axis)) for axis, sign in enumerate(signs))
    action = str(rng.choice(ACTIONS))
    if action == "moves":
        axis = int(rng.integers(2))
        finish = list(begin)
        finish[axis] = float(0.5 - signs[axis] * _offset(rng, look, radius, axis))
        heading = tuple(-int(signs[axis]) if i == axis else 0 for i in range(2))
        motion = next(name for name, way in HEADINGS.items() if way == heading)
        return Thing(color, shape, paint, radius, turn, begin, tuple(finish), motion)
    phase, appears, vanishes = "start", 0.0, 1.0
    if action == "appears":
        phase = str(rng.choice(["middle", "end"]))
        appears = float(rng.uniform(*APPEARS[phase]))
    elif action == "vanishes":
        vanishes = float(rng.uniform(*VANISHES))
    return Thing(color, shape, paint, radius, turn, begin, begin, "still", phase, appears, vanishes)


def _offset(rng, look: Look, radius: float, axis: int) -> float:
    """How far from the middle of the frame along an axis: clearly in a corner, and never cut off."""
    reach = REACH * radius * min(look.shape) / look.shape[axis]
    return rng.uniform(max(NEAREST, reach / 2), 0.5 - reach)


def _apart(one: Thing, other: Thing, look: Look) -> bool:
    """Whether the discs that hold two things never touch, even while one of them is not there."""
    side = np.array(look.shape) / min(look.shape)
    begin, finish = (side * np.subtract(*ends) for ends in ((one.begin, other.begin), (one.finish, other.finish)))
    gaps = np.linalg.norm(begin + MOMENTS[:, None] * (finish - begin), axis=1)
    return gaps.min() > APART * REACH * (one.radius + other.radius)
