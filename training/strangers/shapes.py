"""Shapes: coloured figures painted with Pillow, smooth at their edges, turned as one likes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

REACH = 1.22  # no figure reaches farther from its middle than so many radii, however it is turned
FINER = 4  # outlines are drawn on a grid so much finer than the pixels
OUTLINE = 0.10  # width of a drawn outline, in radii
STYLES = ("flat", "outlined", "shadowed")


@dataclass(frozen=True)
class Figure:
    """One figure to paint: what and where, in pixels.

    shape: a name of CORNERS, "circle" or "ring"; turn: radians, clockwise on the screen; style: one of STYLES.
    """

    shape: str
    color: tuple[int, int, int]
    x: float
    y: float
    radius: float
    turn: float = 0.0
    style: str = "flat"


def _spokes(*radii: float, number: int) -> list[tuple[float, float]]:
    """Corners at even angles from straight up, `number` in all, their distances taken in turn from `radii`."""
    angles = [2 * math.pi * i / number - math.pi / 2 for i in range(number)]
    return [(radii[i % len(radii)] * math.cos(a), radii[i % len(radii)] * math.sin(a)) for i, a in enumerate(angles)]


def _plus(arm: float, half: float) -> list[tuple[float, float]]:
    quarter = [(-half, -arm), (half, -arm), (half, -half)]
    corners = []
    for _ in range(4):
        corners += quarter
        quarter = [(-y, x) for x, y in quarter]
    return corners


# In radii, x to the right and y down.
CORNERS = {
    "square": [(-0.86, -0.86), (0.86, -0.86), (0.86, 0.86), (-0.86, 0.86)],
    "triangle": _spokes(1.12, number=3),
    "star": _spokes(1.15, 0.46, number=10),
    "cross": _plus(1.0, 0.32),
}
HOLE = 0.6  # inner radius of a ring


def paint(picture: Image.Image, figure: Figure) -> None:
    """Put one figure onto an RGB picture, with its outline or shadow."""
    if figure.style == "outlined":
        _stamp(picture, figure, tuple(value // 3 for value in figure.color), grow=OUTLINE)
    if figure.style == "shadowed":
        _stamp(picture, figure, (0, 0, 0), shift=0.12 * figure.radius, blur=0.12 * figure.radius, strength=0.45)
    _stamp(picture, figure, figure.color)


def _stamp(
    picture: Image.Image,
    figure: Figure,
    color: tuple[int, int, int],
    grow: float = 0.0,
    shift: float = 0.0,
    blur: float = 0.0,
    strength: float = 1.0,
) -> None:
    """Paint the figure's silhouette in one colour: larger by `grow` radii, moved, softened, see-through."""
    room = REACH * figure.radius + shift + 3 * blur + 3
    left, top = (math.floor(at - room) for at in (figure.x, figure.y))
    side = math.ceil(2 * room) + 2
    mask = _silhouette(figure, side, figure.x + shift - left, figure.y + shift - top, grow)
    if blur:
        mask = mask.filter(ImageFilter.GaussianBlur(blur))
    picture.paste(color, (left, top), mask.point(lambda value: round(value * strength)))


def _silhouette(figure: Figure, side: int, x: float, y: float, grow: float) -> Image.Image:
    """(side, side) coverage of each pixel, 0 to 255, of the figure with its middle at (x, y)."""
    fine = Image.new("L", (side * FINER, side * FINER))
    pen = ImageDraw.Draw(fine)
    if figure.shape in CORNERS:
        cos, sin = math.cos(figure.turn), math.sin(figure.turn)
        scale = figure.radius * (1 + grow)
        points = [(x + scale * (u * cos - v * sin), y + scale * (u * sin + v * cos)) for u, v in CORNERS[figure.shape]]
        pen.polygon([(FINER * u, FINER * v) for u, v in points], fill=255)
    else:
        _disc(pen, x, y, figure.radius * (1 + grow), 255)
        if figure.shape == "ring":
            _disc(pen, x, y, figure.radius * (HOLE - grow), 0)
    return fine.reduce(FINER)


def _disc(pen: ImageDraw.ImageDraw, x: float, y: float, radius: float, value: int) -> None:
    """Pillow's boxes are whole numbers and hold their last row and column."""
    begin, end = ([round(FINER * (at + way * radius)) for at in (x, y)] for way in (-1, 1))
    pen.ellipse([*begin, end[0] - 1, end[1] - 1], fill=value)


def picture(ground: np.ndarray, figures: list[Figure]) -> np.ndarray:
    """(H, W, 3) uint8: the figures on a ground of that size, the later ones in front."""
    image = Image.fromarray(ground)
    for figure in figures:
        paint(image, figure)
    return np.asarray(image)
