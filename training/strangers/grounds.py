"""Grounds: what strangers put behind their shapes, from black to photographs."""

from __future__ import annotations

import colorsys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image

# Pictures that scikit-image carries, all of them CC0 or in the public domain by its documentation.
PHOTOGRAPHS = ("chelsea.png", "coffee.png", "rocket.jpg", "brick.png", "grass.png")


def dim(rng, width: int, height: int) -> np.ndarray:
    """Plain and as dark as the grounds of the model's first world."""
    return _plain(rng.integers(22, 85, size=3), width, height)


def black(rng, width: int, height: int) -> np.ndarray:
    return _plain([int(rng.integers(0, 11))] * 3, width, height)


def grey(rng, width: int, height: int) -> np.ndarray:
    return _plain([int(rng.integers(100, 171))] * 3, width, height)


def white(rng, width: int, height: int) -> np.ndarray:
    return _plain([int(rng.integers(244, 256))] * 3, width, height)


def coloured(rng, width: int, height: int) -> np.ndarray:
    return _plain(_hue(rng), width, height)


def gradient(rng, width: int, height: int) -> np.ndarray:
    """From one colour to another, straight across at any angle."""
    y, x = np.mgrid[0:height, 0:width]
    angle = rng.uniform(0, 2 * np.pi)
    along = np.cos(angle) * x / width + np.sin(angle) * y / height
    share = (along - along.min()) / (along.max() - along.min())
    return _pixels(_hue(rng) + share[..., None] * (_hue(rng) - _hue(rng)))


def scenery(rng, width: int, height: int) -> np.ndarray:
    """Like a photograph by procedure: two regions of noise with a natural spectrum, light from above."""
    light = _cloud(rng, width, height)
    tints = _cloud(rng, width, height)[..., None] * rng.normal(0, 0.35, size=3)
    horizon = np.linspace(-1, 1, height)[:, None] + 0.5 * _cloud(rng, width, height) > rng.uniform(-0.4, 0.4)
    bases = [_hue(rng) * 0.5 + rng.uniform(30, 110) for _ in range(2)]
    base = np.where(horizon[..., None], *bases)
    fall = 30 * np.linspace(1, -1, height)[:, None, None]
    return _pixels(base + fall + rng.uniform(18, 40) * (light[..., None] + tints))


def photograph(rng, width: int, height: int) -> np.ndarray:
    """A part of one of PHOTOGRAPHS. Raises ModuleNotFoundError where scikit-image is not installed."""
    with Image.open(photographs()[int(rng.integers(len(PHOTOGRAPHS)))]) as file:
        return crop(file.convert("RGB"), rng, width, height)


def photographs() -> list[Path]:
    return [shipped("skimage") / "data" / name for name in PHOTOGRAPHS]


def shipped(package: str) -> Path:
    """The folder of an installed package, which is not imported. Raises ModuleNotFoundError if there is none."""
    spec = find_spec(package)
    if spec is None:
        raise ModuleNotFoundError(f"{package} is not installed: pip install -r requirements-dev.lock")
    return Path(spec.submodule_search_locations[0])


def crop(image: Image.Image, rng, width: int, height: int) -> np.ndarray:
    """(height, width, 3) uint8: a part of at least 60 % of the picture's smaller side, resized."""
    scale = min(image.width / width, image.height / height) * rng.uniform(0.6, 1.0)
    w, h = scale * width, scale * height
    left, top = rng.uniform(0, image.width - w), rng.uniform(0, image.height - h)
    return np.asarray(image.resize((width, height), Image.Resampling.LANCZOS, (left, top, left + w, top + h)))


GROUNDS = {
    "dim": dim,
    "black": black,
    "grey": grey,
    "white": white,
    "coloured": coloured,
    "gradient": gradient,
    "scenery": scenery,
    "photograph": photograph,
}


def _hue(rng) -> np.ndarray:
    """Any colour from pale to strong and from dark to light."""
    return 255 * np.array(colorsys.hsv_to_rgb(rng.random(), rng.uniform(0.2, 0.9), rng.uniform(0.3, 1.0)))


def _cloud(rng, width: int, height: int) -> np.ndarray:
    """(height, width) noise whose power falls with the square of the frequency; mean 0, deviation 1."""
    spectrum = np.fft.rfft2(rng.standard_normal((height, width), dtype=np.float32))
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
    frequency[0, 0] = np.inf
    noise = np.fft.irfft2(spectrum / frequency**1.3, s=(height, width))
    return noise / noise.std()


def _plain(color, width: int, height: int) -> np.ndarray:
    return np.broadcast_to(_pixels(np.asarray(color)), (height, width, 3)).copy()


def _pixels(values: np.ndarray) -> np.ndarray:
    return np.clip(np.round(values), 0, 255).astype(np.uint8)
