"""The wide world: the same shapes, colours and actions on any ground, of any size and turn, filmed by any camera."""

from __future__ import annotations

import math

import numpy as np

from training.wide_paint import paint, spoiling
from training.wide_scene import HIDDEN, MOMENTS, RGB, Camera, WideScene, WideThing, hidden
from training.world import (
    APPEARS,
    COLORS,
    HELD_OUT,
    LAST_SEEN,
    MOTIONS,
    PHASES,
    SHAPES,
    STAYS,
    VANISHES,
    WEIGHTS,
    held_out,
)

MOST_THINGS = 6
RADIUS = (0.05, 0.25)
LARGEST = (0.25, 0.25, 0.20, 0.17, 0.14, 0.13)  # largest radius, by how many things there are
HEADING = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}


def make_wide_scene(
    seed: int, unseen: bool = False, static: bool = False, visits: bool = True, count: int | None = None
) -> WideScene:
    """A scene drawn from `seed`; the options are those of `world.make_scene`, `count` how many things there are."""
    rng = np.random.default_rng(seed)
    count = count or 1 + int(rng.integers(MOST_THINGS))
    while True:
        stretch, bars = _format(rng)
        camera = _camera(rng, static)
        crossing = rng.random() < 0.3
        things: list[WideThing] = []
        for color, shape, action in _plans(rng, count, unseen, static, visits):
            thing = _place(rng, color, shape, action, count, things, stretch, bars, camera, crossing)
            if thing is None:
                break
            things.append(thing)
        if len(things) == count and (not crossing or _shown(things, stretch)):
            break
    things, ground = paint(rng, things, stretch)
    return WideScene(tuple(things), ground, stretch, bars, camera, spoiling(rng), int(rng.integers(2**31)))


def _plans(rng, count: int, unseen: bool, static: bool, visits: bool) -> list[tuple[str, str, str]]:
    """As `world._plan_things`: no two alike in colour and shape, half of the scenes with few colours or few shapes."""
    few, number = rng.random(), int(rng.integers(1, 3))
    colors, shapes = list(COLORS), list(SHAPES)
    if few < 0.25:
        colors = [colors[i] for i in rng.permutation(len(colors))[: max(number, -(-count // len(shapes)))]]
    elif few < 0.5:
        shapes = [shapes[i] for i in rng.permutation(len(shapes))[: max(number, -(-count // len(colors)))]]
    pairs = [(c, s) for c in colors for s in shapes]
    chosen = [pairs[i] for i in rng.permutation(len(pairs))[:count]]
    if not unseen:
        return [(c, s, _action(rng, c, s, static, visits)) for c, s in chosen]
    new = HELD_OUT[int(rng.integers(len(HELD_OUT)))]
    others = [pair for pair in chosen if pair != new[:2]]
    return [new, *((c, s, _action(rng, c, s, static, visits)) for c, s in others[: count - 1])]


def _action(rng, color: str, shape: str, static: bool, visits: bool) -> str:
    if static:
        return "rests"
    able = [d for d in _DEALT if not held_out(color, shape, d) and (visits or d != "visits")]
    return able[int(rng.integers(len(able)))]


_DEALT = [action for action, weight in WEIGHTS.items() for _ in range(weight)]


def _format(rng) -> tuple[tuple[float, float], tuple[float, float, RGB]]:
    """Stretch and bars of a scene: a square video, or a wide or tall one, squeezed into the square or between bars."""
    pick, ratio = rng.random(), (9 / 16, 3 / 4)[int(rng.integers(2))]
    if pick < 0.14:
        return (ratio, 1.0), (0.0, 0.0, (0, 0, 0))
    if pick < 0.22:
        return (1.0, ratio), (0.0, 0.0, (0, 0, 0))
    if pick < 0.34:
        bar, shade = (1 - ratio) / 2, int(rng.choice([0, 0, 16, 255]))
        bars = (0.0, bar) if rng.random() < 0.6 else (bar, 0.0)
        return (1.0, 1.0), (*bars, (shade,) * 3)
    return (1.0, 1.0), (0.0, 0.0, (0, 0, 0))


def _camera(rng, static: bool) -> Camera:
    if static or rng.random() < 0.7:
        return Camera()
    x, y, zoom = rng.uniform(-0.04, 0.04), rng.uniform(-0.04, 0.04), rng.uniform(-0.06, 0.08)
    return Camera((float(x), float(y)) if rng.random() < 0.7 else (0.0, 0.0), float(zoom) * (rng.random() < 0.6))


def _place(rng, color, shape, action, count, others, stretch, bars, camera, crossing) -> WideThing | None:
    """A thing where there is room for it; None if there is none. crossing: it may overlap others now and then."""
    largest = LARGEST[count - 1]
    for attempt in range(24):
        least = RADIUS[0] / min(stretch)
        radius = least * math.exp(rng.random() * max(0.0, math.log(largest * 0.97**attempt / least)))
        thing = _draft(rng, color, shape, action, radius, stretch, bars, camera)
        if thing and all(_allowed(thing, other, stretch, crossing) for other in others):
            return thing
    return None


def _allowed(one: WideThing, other: WideThing, stretch, crossing: bool) -> bool:
    away = (np.array(one.path) - np.array(other.path)) / stretch
    far, reach = np.sqrt((away**2).sum(1)), one.radius + other.radius
    if not crossing:
        return bool(far.min() > 1.06 * reach) and (one.motion == other.motion == "still" or _sweeps(away, reach))
    return bool((far > max(0.72 * reach, abs(one.radius - other.radius) + 0.6 * one.radius)).mean() > 0.75)


def _sweeps(away: np.ndarray, reach: float) -> bool:
    """Whether two things stay apart between the known moments too."""
    middle = (away[1:] + away[:-1]) / 2
    return bool(np.sqrt((middle**2).sum(1)).min() > 1.03 * reach)


def _shown(things: list[WideThing], stretch) -> bool:
    """Whether each thing can be seen at the first and the last of its moments, and at all but one in between."""
    times = (np.arange(16) + 0.5) / 16
    share = hidden(things, times, stretch)
    for index, thing in enumerate(things):
        own = share[[thing.visible(float(time)) for time in times], index]
        if len(own) == 0 or own[0] > 0.35 or own[-1] > 0.35 or (own > HIDDEN).sum() > 1:
            return False
    return True


def _draft(rng, color, shape, action, radius, stretch, bars, camera) -> WideThing | None:
    low, high = _room(radius, stretch, bars)
    if (low > high).any():
        return None
    begin, phase, appears, vanishes = low + rng.random(2) * (high - low), "start", 0.0, 1.0
    if action in ("appears", "visits"):
        phase = PHASES[1 + int(rng.integers(2))]
        appears = float(rng.uniform(*APPEARS[phase]))
    if action == "visits":
        vanishes = min(LAST_SEEN, appears + float(rng.uniform(*STAYS)))
    elif action == "vanishes":
        vanishes = float(rng.uniform(*VANISHES))
    path = np.repeat(begin[None], len(MOMENTS), axis=0)
    if action in MOTIONS:
        path = _way(rng, begin, action, low, high)
        if path is None:
            return None
    path = camera.seen(path, MOMENTS)
    points = tuple((float(x), float(y)) for x, y in path)
    motion = action if action in MOTIONS else "still"
    return WideThing(color, shape, radius, points[0], points[-1], motion, phase, appears, vanishes, path=points)


def _room(radius: float, stretch, bars) -> tuple[np.ndarray, np.ndarray]:
    """The least and the largest places (2,) of a thing's middle at which nearly all of the thing is in the frame."""
    edge = np.array(bars[:2]) + radius * np.array(stretch) * 0.95 + 0.01
    return edge, 1 - edge


def _way(rng, begin: np.ndarray, heading: str, low: np.ndarray, high: np.ndarray) -> np.ndarray | None:
    """(moments, 2), a path in one direction, not quite straight or at one speed; None if there is no room."""
    along = np.array(HEADING[heading], dtype=float)
    across = along[::-1]
    room = float(((high - begin) * np.maximum(along, 0) - (low - begin) * np.maximum(-along, 0)).sum())
    if room < 0.24:
        return None
    length = float(rng.uniform(0.24, min(0.75, room)))
    pace = MOMENTS ** float(rng.uniform(0.65, 1.5)) if rng.random() < 0.5 else MOMENTS
    curve = 0.0
    if rng.random() < 0.5:
        curve = float(rng.uniform(-0.25, 0.25)) * pace + float(rng.uniform(-0.2, 0.2)) * np.sin(np.pi * pace)
    path = begin + length * (pace[:, None] * along + (curve * np.ones_like(pace))[:, None] * across)
    return path if (path >= low).all() and (path <= high).all() else None
