"""Grounds of the wide world: plain, shaded, patterned, and photographs made by procedure; from black to white."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

KINDS = ("plain", "gradient", "pattern", "blotches", "photo")
PHOTOS, PHOTO_SIZE = 160, 144


@dataclass(frozen=True)
class Ground:
    """What is behind the things: its kind, two colours, and the seed of all that is drawn by chance."""

    kind: str
    colors: tuple[tuple[int, int, int], tuple[int, int, int]]
    seed: int


def make_ground(rng: np.random.Generator) -> Ground:
    """Half of them plain, a fifth photographs; one plain ground in three is white or nearly so."""
    kind = KINDS[int(np.searchsorted((0.42, 0.54, 0.68, 0.78), rng.random()))]
    first = _tone(rng)
    near = np.clip(np.array(first) + rng.integers(-50, 51, size=3), 0, 255)
    second = _tone(rng) if rng.random() < 0.2 else (int(near[0]), int(near[1]), int(near[2]))
    return Ground(kind, (first, second), int(rng.integers(2**31)))


def ground_image(ground: Ground, size: int) -> np.ndarray:
    """(size, size, 3) uint8."""
    rng = np.random.default_rng(ground.seed)
    if ground.kind == "photo":
        return _from_photo(rng, size)
    first, second = (np.array(color, dtype=np.float32) for color in ground.colors)
    if ground.kind == "plain":
        image = np.empty((size, size, 3), dtype=np.uint8)
        image[:] = first.astype(np.uint8)
        return image
    share = {"gradient": _gradient, "pattern": _pattern, "blotches": _blotches}[ground.kind](rng, size)
    return np.clip(first + (second - first) * share[..., None], 0, 255).astype(np.uint8)


def _tone(rng: np.random.Generator) -> tuple[int, int, int]:
    """A colour: white, black, grey, pale, dark or any."""
    pick, tone = rng.random(), rng.random(3)
    if pick < 0.22:
        values = 255 - 12 * tone
    elif pick < 0.32:
        values = 25 * tone
    elif pick < 0.50:
        values = 30 + 215 * tone[0] + 8 * tone
    elif pick < 0.65:
        values = 190 + 65 * tone
    elif pick < 0.78:
        values = 15 + 75 * tone
    else:
        values = 255 * tone
    values = np.clip(values, 0, 255)
    return int(values[0]), int(values[1]), int(values[2])


@cache
def _places(size: int) -> tuple[np.ndarray, np.ndarray]:
    y, x = np.mgrid[0:size, 0:size].astype(np.float32) / size
    return x, y


def _gradient(rng: np.random.Generator, size: int) -> np.ndarray:
    x, y = _places(size)
    if rng.random() < 0.3:
        cx, cy = rng.random(2)
        return np.sqrt((x - cx) ** 2 + (y - cy) ** 2)
    angle = rng.random() * 2 * np.pi
    return np.cos(angle) * (x - 0.5) + np.sin(angle) * (y - 0.5) + 0.5


def _pattern(rng: np.random.Generator, size: int) -> np.ndarray:
    """Checks, stripes, the lines of graph paper, or dots, turned by any angle."""
    x, y = _places(size)
    angle, cells = rng.random() * np.pi * (rng.random() < 0.6), rng.uniform(3, 16)
    u = (np.cos(angle) * x + np.sin(angle) * y) * cells
    v = (np.cos(angle) * y - np.sin(angle) * x) * cells
    kind = int(rng.integers(4))
    if kind == 0:
        return ((np.floor(u) + np.floor(v)) % 2).astype(np.float32)
    if kind == 1:
        return (np.floor(u) % 2).astype(np.float32)
    du, dv = u - np.floor(u), v - np.floor(v)
    if kind == 2:
        width = rng.uniform(0.06, 0.2)
        return ((du < width) | (dv < width)).astype(np.float32)
    return ((du - 0.5) ** 2 + (dv - 0.5) ** 2 < rng.uniform(0.02, 0.1)).astype(np.float32)


def _blotches(rng: np.random.Generator, size: int) -> np.ndarray:
    cells = int(rng.integers(3, 24))
    return cv2.resize(rng.random((cells, cells), dtype=np.float32), (size, size), interpolation=cv2.INTER_CUBIC)


def _from_photo(rng: np.random.Generator, size: int) -> np.ndarray:
    """A part of a photograph, mirrored or turned, with its own light and colours."""
    photo = photographs()[int(rng.integers(PHOTOS))]
    side = int(rng.integers(48, PHOTO_SIZE + 1))
    row, column = (int(rng.integers(PHOTO_SIZE - side + 1)) for _ in range(2))
    part = photo[row : row + side, column : column + side]
    part = np.rot90(part, int(rng.integers(4)) * int(rng.random() < 0.3))
    part = np.ascontiguousarray(part[:, ::-1] if rng.random() < 0.5 else part)
    color, contrast, light = rng.uniform(0.0, 1.0), rng.uniform(0.35, 1.0), rng.uniform(-80, 80)
    mix = (np.eye(3) * color + (1 - color) / 3) * contrast
    part = cv2.transform(part, np.column_stack([mix, np.full(3, 128 * (1 - contrast) + light)]))
    return cv2.resize(part, (size, size))


@cache
def photographs() -> np.ndarray:
    """(PHOTOS, PHOTO_SIZE, PHOTO_SIZE, 3) uint8: like photographs in their statistics, with nothing in them to name."""
    return np.stack([_photograph(np.random.default_rng([7, index])) for index in range(PHOTOS)])


def _photograph(rng: np.random.Generator) -> np.ndarray:
    """Clouds of 1/f noise in a few colours, perhaps bent; perhaps a horizon; clutter out of focus; light."""
    size = PHOTO_SIZE
    cloud = _fractal(rng, size, rng.uniform(0.35, 0.75))
    if rng.random() < 0.5:
        x, y = _places(size)
        bend = [_fractal(rng, size, 0.4) * rng.uniform(0.1, 0.6) for _ in range(2)]
        cloud = cv2.remap(
            cloud,
            (x + bend[0] - 0.2) * size,
            (y + bend[1] - 0.2) * size,
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT,
        )
    image = _colored(rng, cloud)
    if rng.random() < 0.4:
        _horizon(rng, image)
    for _ in range(int(rng.integers(0, 14))):
        image = _clutter(rng, image)
    x, y = _places(size)
    light = 1 + rng.uniform(-0.5, 0.5) * (x - 0.5) + rng.uniform(-0.5, 0.5) * (y - 0.5)
    image = image * light[..., None] + rng.standard_normal(image.shape, dtype=np.float32) * rng.uniform(0, 9)
    return np.clip(image, 0, 255).astype(np.uint8)


def _fractal(rng: np.random.Generator, size: int, fall: float) -> np.ndarray:
    """(size, size) float32 in [0, 1]: octaves of noise, each `fall` times as strong as the one before."""
    total, strength, cells = np.zeros((size, size), dtype=np.float32), 1.0, 2
    while cells <= size:
        noise = rng.random((cells + 1, cells + 1), dtype=np.float32)
        total += strength * cv2.resize(noise, (size, size), interpolation=cv2.INTER_CUBIC)
        strength, cells = strength * fall, cells * 2
    low, high = float(total.min()), float(total.max())
    return (total - low) / (high - low)


def _colored(rng: np.random.Generator, cloud: np.ndarray) -> np.ndarray:
    """Four colours along the values of a cloud, some of them alike."""
    base = rng.random(3) * 200 + 25
    palette = np.clip(base + rng.normal(0, rng.uniform(20, 90), (4, 3)) + rng.normal(0, 50, (4, 1)), 0, 255)
    steps = np.linspace(0, 1, 4)
    return np.stack([np.interp(cloud, steps, palette[:, c]) for c in range(3)], axis=2).astype(np.float32)


def _horizon(rng: np.random.Generator, image: np.ndarray) -> None:
    """Another, smoother half above a line that is not quite straight."""
    size = len(image)
    line = (rng.uniform(0.25, 0.75) + 0.15 * (_fractal(rng, size, 0.5)[0] - 0.5)) * size
    above = np.arange(size)[:, None] < line[None]
    sky = rng.random(3) * 150 + 90
    shade = np.linspace(0.8, 1.15, size)[:, None, None]
    image[above] = (sky * shade * np.ones_like(image))[above]


def _clutter(rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    """A patch of another colour: some polygon, plank or smear, mostly out of focus."""
    size = len(image)
    mask = np.zeros((size, size), dtype=np.float32)
    center, reach = rng.random(2) * size, rng.uniform(0.04, 0.35) * size
    if rng.random() < 0.5:
        angles = np.sort(rng.random(int(rng.integers(3, 8))) * 2 * np.pi)
        far = reach * rng.uniform(0.5, 1.2, len(angles))
        points = center + np.stack([np.cos(angles) * far, np.sin(angles) * far * rng.uniform(0.2, 1)], axis=1)
        cv2.fillPoly(mask, [points.astype(np.int32)], 1.0)
    else:
        end = center + rng.normal(0, 1, 2) * size * 0.5
        points = [tuple(int(v) for v in p) for p in (center, end)]
        cv2.line(mask, *points, 1.0, max(1, int(reach * rng.uniform(0.05, 0.5))))
    blur = rng.uniform(0.6, 7)
    mask = cv2.GaussianBlur(mask, (0, 0), blur)[..., None] * rng.uniform(0.2, 0.9)
    here = image[int(center[1]) % size, int(center[0]) % size]
    color = np.clip(here + rng.normal(0, 55) + rng.normal(0, 22, 3), 0, 255).astype(np.float32)
    return image + (color - image) * mask
