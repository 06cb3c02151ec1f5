"""Painting wide scenes: shades of each named colour, grounds that they stand out from, finish, and flaws of frames."""

from __future__ import annotations

import colorsys
import math
from dataclasses import replace

import cv2
import numpy as np

from training.grounds import Ground, ground_image, make_ground
from training.wide_scene import MOMENTS, RGB, Look, Spoiling, WideThing
from training.world import COLORS

CONTRAST = 80.0  # least distance of a thing's colour, or its outline's, from the ground and other things, in RGB
BORDERED = 0.08  # least radius of a thing with a border: of a smaller one no colour would be left
BLACK = Ground("plain", ((6, 6, 6), (6, 6, 6)), 0)  # every colour stands out from it
# Ranges of hue (in turns), saturation and value that people call by a colour's name.
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


def paint(rng, things: list[WideThing], stretch) -> tuple[list[WideThing], Ground]:
    """Things with their looks and a ground they stand out from; if none is found, a border or a black ground helps."""
    fills = [_fill(rng, thing.color) for thing in things]
    plain = rng.random() < 0.35  # all in one style, as in a slide program
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
    """Border, shading, shadow and softness, as fields of `Look`; half of the things are plainly filled."""
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
    """(3, 3), the colours of a blurred ground where a thing begins, is halfway and ends."""
    rows, points = len(small), (thing.path[0], thing.path[len(MOMENTS) // 2], thing.path[-1])
    return np.array([small[min(rows - 1, int(y * rows)), min(rows - 1, int(x * rows))] for x, y in points])


def _stands_out(small: np.ndarray, thing: WideThing, color: RGB) -> bool:
    return bool((((_around(small, thing) - np.array(color)) ** 2).sum(1)).min() >= CONTRAST**2)


def _border(small: np.ndarray, thing: WideThing, fill: RGB) -> RGB:
    """Black or white, whichever stands out more from both the ground and the fill."""
    grounds = np.vstack([_around(small, thing), np.array(fill)[None]])
    dark, light = (np.linalg.norm(grounds - level, axis=1).min() for level in (15.0, 250.0))
    return (15, 15, 15) if dark >= light else (250, 250, 250)


def spoiling(rng) -> Spoiling:
    """How frames are degraded: not at all in three videos of ten, else by blur, noise, light, tint and compression."""
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
