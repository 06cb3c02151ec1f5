"""The wide world: the same shapes, colours and deeds on any ground, of any size and turn, filmed by any camera."""

from __future__ import annotations

import colorsys
import math
from dataclasses import dataclass, replace

import cv2
import numpy as np

from training.grounds import Ground, ground_image, make_ground
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
    Thing,
    held_out,
)

MOST_THINGS = 6
RADIUS = (0.05, 0.25)
LARGEST = (0.25, 0.25, 0.20, 0.17, 0.14, 0.13)  # radius, by how many things there are
MOMENTS = np.linspace(0, 1, 9)  # where a path is known; straight in between
HIDDEN = 0.5  # a thing of which more is hidden is not to be seen
CONTRAST = 80.0  # least distance of a thing's colour, or its outline's, from the ground and other things, in RGB
BORDERED = 0.08  # least radius of a thing that a border leaves some colour of
BLACK = Ground("plain", ((6, 6, 6), (6, 6, 6)), 0)  # every colour stands out from it
CLEAR = 0.05  # how far from the middle lines something must be to be in a corner
# Hue in turns, saturation and value of what people call by a colour's name.
TINTS = {
    "red": ((-0.03, 0.02), (0.75, 1.0), (0.62, 1.0)),
    "green": ((0.27, 0.42), (0.6, 1.0), (0.45, 0.95)),
    "blue": ((0.58, 0.68), (0.65, 1.0), (0.6, 1.0)),
    "yellow": ((0.135, 0.17), (0.7, 1.0), (0.88, 1.0)),
    "purple": ((0.75, 0.84), (0.5, 1.0), (0.45, 0.9)),
    "orange": ((0.06, 0.11), (0.8, 1.0), (0.88, 1.0)),
    "cyan": ((0.48, 0.53), (0.55, 1.0), (0.75, 1.0)),
    "white": ((0.0, 1.0), (0.0, 0.04), (0.92, 1.0)),
}
HEADING = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}
RGB = tuple[int, int, int]


@dataclass(frozen=True)
class Look:
    """How a thing is painted. Widths and distances are shares of its radius."""

    fill: RGB
    form: float = 0.5  # of its outline, see `outlines.outline`
    turn: float = 0.0  # radians, at the start
    spin: float = 0.0  # radians, during the clip
    border: RGB | None = None
    width: float = 0.0  # of the border
    shade: float = 0.0  # how much darker one side is than the other
    light: float = 0.0  # radians, where that light comes from
    shadow: float = 0.0  # how dark; 0 for none
    soft: float = 0.0  # blur of the edge


@dataclass(frozen=True)
class WideThing(Thing):
    """A thing whose `path` is where it is seen at each of MOMENTS, the camera's moves included."""

    path: tuple[tuple[float, float], ...] = ()
    look: Look = Look((0, 0, 0))

    def center(self, time: float) -> tuple[float, float]:
        place = min(max(time, 0.0), 1.0) * (len(MOMENTS) - 1)
        index = min(int(place), len(MOMENTS) - 2)
        (x0, y0), (x1, y1), share = self.path[index], self.path[index + 1], place - index
        return x0 + (x1 - x0) * share, y0 + (y1 - y0) * share

    def resting(self, time: float) -> WideThing:
        look = replace(self.look, turn=self.look.turn + self.look.spin * time, spin=0.0)
        return replace(super().resting(time), path=(self.center(time),) * len(MOMENTS), look=look)


@dataclass(frozen=True)
class Camera:
    """What it does from the first moment to the last: how far it moves (shares of the frame), how much it zooms in."""

    shift: tuple[float, float] = (0.0, 0.0)
    zoom: float = 0.0

    def seen(self, points: np.ndarray, time: np.ndarray) -> np.ndarray:
        """(n, 2) where points are seen at (n,) times."""
        return 0.5 + (points - 0.5) * (1 + self.zoom * time[:, None]) + np.array(self.shift) * time[:, None]


@dataclass(frozen=True)
class Spoiling:
    """What happens to the frames after drawing; zero or one: nothing."""

    scale: int = 1  # drawn so many times larger, then made smaller
    blur: float = 0.0  # standard deviation in pixels
    small: float = 1.0  # made so much smaller, then larger again
    gain: float = 1.0
    bias: float = 0.0  # added to every value
    cast: RGB = (0, 0, 0)
    noise: float = 0.0  # standard deviation
    quality: int = 0  # of JPEG, and of the differences between frames; 0 for none


@dataclass(frozen=True)
class WideScene:
    """What one video shows. Later things lie over earlier ones."""

    things: tuple[WideThing, ...]
    ground: Ground
    stretch: tuple[float, float]  # of every shape: a wide film squeezed into a square has narrow ones
    bars: tuple[float, float, RGB]  # left and right, top and bottom, as shares of the frame; their colour
    camera: Camera
    spoiling: Spoiling
    seed: int


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
        for color, shape, deed in _plans(rng, count, unseen, static, visits):
            thing = _place(rng, color, shape, deed, count, things, stretch, bars, camera, crossing)
            if thing is None:
                break
            things.append(thing)
        if len(things) == count and (not crossing or _shown(things, stretch)):
            break
    things, ground = _paint(rng, things, stretch)
    return WideScene(tuple(things), ground, stretch, bars, camera, _spoiling(rng), int(rng.integers(2**31)))


def hidden(things, times: np.ndarray, stretch: tuple[float, float] = (1.0, 1.0)) -> np.ndarray:
    """(T, n) float: how much of each thing those over it hide, taking all for discs."""
    centers = np.array([[t.center(float(time)) for t in things] for time in times]) / np.array(stretch)  # (T, n, 2)
    radii = np.array([t.radius for t in things])
    there = np.array([[t.visible(float(time)) for t in things] for time in times])
    points = centers[:, :, None] + radii[:, None, None] * _DISC  # (T, n, P, 2)
    far = np.linalg.norm(points[:, :, :, None] - centers[:, None, None], axis=-1)  # (T, n, P, n)
    over = np.arange(len(things))[None] > np.arange(len(things))[:, None]
    covers = (far < radii) & over[None, :, None] & there[:, None, None]
    return covers.any(-1).mean(-1)


_DISC = np.array([(0, 0)] + [(r * math.cos(a), r * math.sin(a)) for r, n in ((0.45, 6), (0.8, 12))
                             for a in np.arange(n) * 2 * math.pi / n])  # fmt: skip


def is_clear(thing: Thing, time: float) -> bool:
    """Whether one can say in which corner a thing is."""
    return all(abs(at - 0.5) >= CLEAR for at in thing.center(time))


def wide_owner_map(scene: WideScene, times: np.ndarray, rows: int) -> np.ndarray:
    """(len(times), rows, rows) int64: which thing is over the middle of each cell, -1 for none; as `world.owner_map`.

    Things are discs, as squeezed as the film, and later ones hide earlier ones. The cell of a thing's middle is its own
    in any case, so that small ones have one.
    """
    middle = (np.arange(rows) + 0.5) / rows
    owners = np.full((len(times), rows, rows), -1, dtype=np.int64)
    for index, thing in enumerate(scene.things):
        there = np.array([thing.visible(float(time)) for time in times])
        x, y = np.array([thing.center(float(time)) for time in times]).T
        wide, high = thing.radius * scene.stretch[0], thing.radius * scene.stretch[1]
        across, down = ((middle - x[:, None]) / wide) ** 2, ((middle - y[:, None]) / high) ** 2
        near = (down[:, :, None] + across[:, None, :] < 1) & there[:, None, None]
        frame = np.flatnonzero(there)
        near[frame, *(np.clip((v[frame] * rows).astype(int), 0, rows - 1) for v in (y, x))] = True
        owners[near] = index
    return owners


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
        return [(c, s, _deed(rng, c, s, static, visits)) for c, s in chosen]
    new = HELD_OUT[int(rng.integers(len(HELD_OUT)))]
    others = [pair for pair in chosen if pair != new[:2]]
    return [new, *((c, s, _deed(rng, c, s, static, visits)) for c, s in others[: count - 1])]


def _deed(rng, color: str, shape: str, static: bool, visits: bool) -> str:
    if static:
        return "rests"
    able = [d for d in _DEALT if not held_out(color, shape, d) and (visits or d != "visits")]
    return able[int(rng.integers(len(able)))]


_DEALT = [deed for deed, weight in WEIGHTS.items() for _ in range(weight)]


def _format(rng) -> tuple[tuple[float, float], tuple[float, float, RGB]]:
    """A square film; or a wide or a tall one, squeezed or between bars."""
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


def _place(rng, color, shape, deed, count, others, stretch, bars, camera, crossing) -> WideThing | None:
    """A thing with room for it; None if there is none. If things may cross, most of their time they are apart too."""
    largest = LARGEST[count - 1]
    for attempt in range(24):
        least = RADIUS[0] / min(stretch)
        radius = least * math.exp(rng.random() * max(0.0, math.log(largest * 0.97**attempt / least)))
        thing = _draft(rng, color, shape, deed, radius, stretch, bars, camera)
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
    """Whether each thing is to be seen at the first and the last of its moments, and at all but one in between."""
    times = (np.arange(16) + 0.5) / 16
    share = hidden(things, times, stretch)
    for index, thing in enumerate(things):
        own = share[[thing.visible(float(time)) for time in times], index]
        if len(own) == 0 or own[0] > 0.35 or own[-1] > 0.35 or (own > HIDDEN).sum() > 1:
            return False
    return True


def _draft(rng, color, shape, deed, radius, stretch, bars, camera) -> WideThing | None:
    low, high = _room(radius, stretch, bars)
    if (low > high).any():
        return None
    begin, phase, appears, vanishes = low + rng.random(2) * (high - low), "start", 0.0, 1.0
    if deed in ("appears", "visits"):
        phase = PHASES[1 + int(rng.integers(2))]
        appears = float(rng.uniform(*APPEARS[phase]))
    if deed == "visits":
        vanishes = min(LAST_SEEN, appears + float(rng.uniform(*STAYS)))
    elif deed == "vanishes":
        vanishes = float(rng.uniform(*VANISHES))
    path = np.repeat(begin[None], len(MOMENTS), axis=0)
    if deed in MOTIONS:
        path = _way(rng, begin, deed, low, high)
        if path is None:
            return None
    path = camera.seen(path, MOMENTS)
    points = tuple((float(x), float(y)) for x, y in path)
    motion = deed if deed in MOTIONS else "still"
    return WideThing(color, shape, radius, points[0], points[-1], motion, phase, appears, vanishes, path=points)


def _room(radius: float, stretch, bars) -> tuple[np.ndarray, np.ndarray]:
    """The least and the largest places of a thing's middle: nearly all of it is to be seen."""
    edge = np.array(bars[:2]) + radius * np.array(stretch) * 0.95 + 0.01
    return edge, 1 - edge


def _way(rng, begin: np.ndarray, heading: str, low: np.ndarray, high: np.ndarray) -> np.ndarray | None:
    """(moments, 2): a path to one side, not quite straight and not quite even; None if there is no room."""
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


def _paint(rng, things: list[WideThing], stretch) -> tuple[list[WideThing], Ground]:
    """Colours and a ground on which they stand out; where they do not after some tries, a border or black helps."""
    fills = [_fill(rng, thing.color) for thing in things]
    plain = rng.random() < 0.35  # all of one make, as in a slide program
    first = _style(rng)
    large = [thing.radius * min(stretch) >= BORDERED for thing in things]
    for attempt in range(6):
        ground = make_ground(rng) if attempt < 5 else BLACK
        small = cv2.blur(ground_image(ground, 24), (3, 3)).astype(np.float32)
        weak = [not _stands_out(small, thing, fill) for thing, fill in zip(things, fills, strict=True)]
        if not any(weak) or (attempt > 2 and all(big for big, needs in zip(large, weak, strict=True) if needs)):
            break
        if attempt == 2:
            fills = [_fill(rng, thing.color) for thing in things]
    painted = []
    for thing, fill, big, needs in zip(things, fills, large, weak, strict=True):
        style = first if plain else _style(rng)
        if needs:
            style = style | {"border": _border(small, thing, fill), "width": float(rng.uniform(0.1, 0.2)), "soft": 0.0}
        elif not big:
            style = style | {"border": None}
        turn = float(rng.random() * 2 * math.pi) if rng.random() < 0.55 else float(rng.normal(0, 0.04))
        spin = float(rng.uniform(-1.5, 1.5)) if rng.random() < 0.1 else 0.0
        look = Look(fill, form=float(rng.random()), turn=turn, spin=spin, **style)
        painted.append(replace(thing, look=look))
    return painted, ground


def _fill(rng, color: str) -> RGB:
    """A shade of a colour: the usual one, a pure one, or any that goes by its name."""
    pick = rng.random()
    if pick < 0.25:
        return COLORS[color]
    (h0, h1), (s0, s1), (v0, v1) = TINTS[color]
    h, s, v = rng.random(3)
    if pick < 0.4:
        s, v = 1.0, 1.0
    r, g, b = colorsys.hsv_to_rgb((h0 + (h1 - h0) * h) % 1.0, s0 + (s1 - s0) * s, v0 + (v1 - v0) * v)
    return round(r * 255), round(g * 255), round(b * 255)


def _style(rng) -> dict:
    """Border, shading, shadow and softness; half of the things are plainly filled."""
    style: dict = {"border": None, "width": 0.0, "shade": 0.0, "light": 0.0, "shadow": 0.0, "soft": 0.0}
    if rng.random() < 0.5:
        return style
    if rng.random() < 0.5:
        level = int(rng.random() < 0.25) * 255 if rng.random() < 0.8 else int(rng.integers(256))
        style |= {"border": (level,) * 3, "width": float(rng.uniform(0.05, 0.2))}
    if rng.random() < 0.4:
        style |= {"shade": float(rng.uniform(0.1, 0.45)), "light": float(rng.random() * 2 * math.pi)}
    if rng.random() < 0.3:
        style["shadow"] = float(rng.uniform(0.2, 0.6))
    if rng.random() < 0.3:
        style["soft"] = float(rng.uniform(0.03, 0.15))
    return style


def _around(small: np.ndarray, thing: WideThing) -> np.ndarray:
    """(places, 3) the colours of a blurred ground where a thing begins, is halfway and ends."""
    rows, points = len(small), (thing.path[0], thing.path[len(MOMENTS) // 2], thing.path[-1])
    return np.array([small[min(rows - 1, int(y * rows)), min(rows - 1, int(x * rows))] for x, y in points])


def _stands_out(small: np.ndarray, thing: WideThing, color: RGB) -> bool:
    return bool((((_around(small, thing) - np.array(color)) ** 2).sum(1)).min() >= CONTRAST**2)


def _border(small: np.ndarray, thing: WideThing, fill: RGB) -> RGB:
    """Black or white, whichever stands out more from both the ground and the fill."""
    grounds = np.vstack([_around(small, thing), np.array(fill)[None]])
    dark, light = (np.linalg.norm(grounds - level, axis=1).min() for level in (15.0, 250.0))
    return (15, 15, 15) if dark >= light else (250, 250, 250)


def _spoiling(rng) -> Spoiling:
    """A third of the films are as drawn; the others are blurred, noisy, dim, tinted or compressed."""
    scale = 1 if rng.random() < 0.55 else 2
    if rng.random() < 0.3:
        return Spoiling(scale)
    picks = rng.random(6)
    return Spoiling(
        scale,
        blur=float(rng.uniform(0.3, 1.0)) if picks[0] < 0.2 else 0.0,
        small=float(rng.uniform(0.55, 0.95)) if picks[1] < 0.12 else 1.0,
        gain=float(rng.uniform(0.75, 1.15)) if picks[2] < 0.25 else 1.0,
        bias=float(rng.uniform(-20, 25)) if picks[2] < 0.2 else 0.0,
        cast=tuple(int(v) for v in rng.integers(-12, 13, size=3)) if picks[3] < 0.15 else (0, 0, 0),
        noise=float(rng.uniform(1, 10)) if picks[4] < 0.35 else 0.0,
        quality=int(rng.integers(18, 80)) if picks[5] < 0.3 else 0,
    )
