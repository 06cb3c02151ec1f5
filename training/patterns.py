"""Patterns: moving pictures by procedure that show no thing: noise, colours, text, stripes, screens, empty grounds."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from PIL import Image, ImageDraw

from training.build import IMAGE_SIZE
from training.grounds import ground_image, make_ground, photographs
from training.world import frame_times

PAPER = 320  # sides of what is drawn larger than it is shown


def noise(rng: np.random.Generator, num_frames: int) -> np.ndarray:
    return rng.integers(0, 256, (num_frames, IMAGE_SIZE, IMAGE_SIZE, 3), dtype=np.uint8)


def plasma(rng: np.random.Generator, num_frames: int) -> np.ndarray:
    """Soft colours that turn into others."""
    cells = int(rng.integers(2, 20))
    first, last = rng.random((2, cells, cells, 3), dtype=np.float32) * 255
    size = (IMAGE_SIZE, IMAGE_SIZE)
    between = (first + (last - first) * np.float32(time) for time in frame_times(num_frames))
    return _pixels(np.stack([cv2.resize(frame, size, interpolation=cv2.INTER_CUBIC) for frame in between]))


def cloud(rng: np.random.Generator, num_frames: int) -> np.ndarray:
    """Coloured noise that falls with the frequency, drifting sideways."""
    frequency = np.hypot(np.fft.fftfreq(IMAGE_SIZE)[:, None], np.fft.fftfreq(IMAGE_SIZE)[None])
    frequency[0, 0] = 1
    spectrum = np.fft.fft2(rng.standard_normal((3, IMAGE_SIZE, IMAGE_SIZE))) / frequency ** rng.uniform(0.6, 1.6)
    values = np.real(np.fft.ifft2(spectrum)).transpose(1, 2, 0)
    image, step = _pixels(128 + 50 * (values - values.mean()) / values.std()), int(rng.integers(0, 4))
    return np.stack([np.roll(image, step * index, axis=1) for index in range(num_frames)])


def stripes(rng: np.random.Generator, num_frames: int) -> np.ndarray:
    """Moving bars of two colours at any angle."""
    y, x = np.mgrid[0:IMAGE_SIZE, 0:IMAGE_SIZE]
    angle, rate = rng.uniform(0, np.pi), rng.uniform(0.1, 1.2)
    across = (np.cos(angle) * x + np.sin(angle) * y) * rate
    first, second = rng.integers(0, 256, (2, 3), dtype=np.uint8)
    bars = [((across + 6 * time) % 2 < 1)[..., None] for time in frame_times(num_frames)]
    return np.stack([np.where(bar, first, second) for bar in bars])


def text(rng: np.random.Generator, num_frames: int) -> np.ndarray:
    """A page of words, dark on light or light on dark, that may scroll."""
    back, front = ((255,) * 3, (0,) * 3) if rng.random() < 0.5 else ((20,) * 3, (230,) * 3)
    page = Image.new("RGB", (PAPER, PAPER + 80), back)
    draw = ImageDraw.Draw(page)
    for y in range(10, page.height - 10, 14):
        x = 10
        while x < PAPER - 20 and rng.random() > 0.08:
            width = int(rng.integers(8, 50))
            draw.rectangle((x, y, x + width, y + 6), fill=front)
            x += width + 8
    scroll, size = float(rng.uniform(0, 80)), (IMAGE_SIZE, IMAGE_SIZE)
    tops = [scroll * time for time in frame_times(num_frames)]
    return np.stack([np.asarray(page.resize(size, box=(0, top, PAPER, top + PAPER))) for top in tops])


def screen(rng: np.random.Generator, num_frames: int) -> np.ndarray:
    """Bars and boxes of any colour on a light ground, as windows of a computer have them; nothing moves."""
    page = Image.new("RGB", (PAPER, PAPER), tuple(rng.integers(225, 256, 3).tolist()))
    draw = ImageDraw.Draw(page)
    for _ in range(int(rng.integers(3, 14))):
        left, top = rng.integers(0, PAPER - 20, 2).tolist()
        width, height = int(rng.integers(20, 220)), int(rng.integers(6, 60))
        draw.rectangle((left, top, left + width, top + height), fill=tuple(rng.integers(0, 256, 3).tolist()))
    return _still(np.asarray(page.resize((IMAGE_SIZE, IMAGE_SIZE))), num_frames)


def empty(rng: np.random.Generator, num_frames: int) -> np.ndarray:
    """A ground of the wide world without any thing."""
    return _still(ground_image(make_ground(rng), IMAGE_SIZE), num_frames)


def photo(rng: np.random.Generator, num_frames: int) -> np.ndarray:
    """A part of one of the wide world's photographs by procedure, without any thing; the camera moves."""
    image = photographs()[int(rng.integers(len(photographs())))]
    side = int(rng.integers(48, len(image) + 1))
    ends = rng.integers(0, len(image) - side + 1, (2, 2))
    places = [ends[0] + (ends[1] - ends[0]) * time for time in frame_times(num_frames)]
    parts = [image[int(y) : int(y) + side, int(x) : int(x) + side] for y, x in places]
    return np.stack([cv2.resize(part, (IMAGE_SIZE, IMAGE_SIZE)) for part in parts])


Pattern = Callable[[np.random.Generator, int], np.ndarray]  # to (num_frames, IMAGE_SIZE, IMAGE_SIZE, 3) uint8
PATTERNS: dict[str, Pattern] = {
    "noise": noise,
    "plasma": plasma,
    "cloud": cloud,
    "stripes": stripes,
    "text": text,
    "screen": screen,
    "empty": empty,
    "photo": photo,
}


def _still(image: np.ndarray, num_frames: int) -> np.ndarray:
    return np.repeat(image[None], num_frames, axis=0)


def _pixels(values: np.ndarray) -> np.ndarray:
    return np.clip(values, 0, 255).astype(np.uint8)
