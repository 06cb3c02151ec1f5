"""Drawing the wide world: things at any angle and in any finish on any ground, then the flaws of cameras and codecs."""

from __future__ import annotations

import math
from functools import cache

import cv2
import numpy as np

from training.grounds import ground_image
from training.outlines import outline
from training.wide_scene import Look, Spoiling, WideScene, WideThing

FRACTION = 4  # bits after the point of the coordinates that cv2 is given
NOISE = 1 << 18  # values drawn once and used again and again


def render_wide(scene: WideScene, times: np.ndarray, size: int, ground: np.ndarray | None = None) -> np.ndarray:
    """(len(times), size, size, 3) uint8 RGB frames. ground: (h, w, 3) uint8, a picture in place of the scene's own."""
    rng = np.random.default_rng(scene.seed)
    large = size * scene.spoiling.scale
    base = ground_image(scene.ground, large)
    if ground is not None:
        base = cv2.resize(ground, (large, large), interpolation=cv2.INTER_AREA)
    frames = np.empty((len(times), size, size, 3), dtype=np.uint8)
    for index, time in enumerate(float(t) for t in times):
        frame = _moved(base, scene, time)
        for thing in scene.things:
            if thing.visible(time):
                _draw(frame, thing, time, scene)
        _bars(frame, scene)
        frames[index] = frame if large == size else cv2.resize(frame, (size, size), interpolation=cv2.INTER_AREA)
    return spoil(frames, scene.spoiling, rng)


def _moved(base: np.ndarray, scene: WideScene, time: float) -> np.ndarray:
    """The ground as the camera sees it at a time."""
    camera, size = scene.camera, len(base)
    if not camera.zoom and camera.shift == (0.0, 0.0):
        return base.copy()
    zoom = 1 + camera.zoom * time
    x, y = (0.5 * size * (1 - zoom) + shift * time * size for shift in camera.shift)
    return cv2.warpAffine(base, np.array([[zoom, 0, x], [0, zoom, y]]), (size, size), borderMode=cv2.BORDER_REFLECT)


def _contours(thing: WideThing, time: float, scene: WideScene, size: int) -> list[np.ndarray]:
    """The closed outlines of a thing at a time, each (n, 2) float, in pixels."""
    look, center = thing.look, np.array(thing.center(time))
    angle = look.turn + look.spin * time
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    radius = thing.radius * (1 + scene.camera.zoom * time) * np.array(scene.stretch)
    return [(center + line @ turn * radius) * size for line in outline(thing.shape, look.form)]


def _fixed(lines: list[np.ndarray]) -> list[np.ndarray]:
    return [np.round(line * 2**FRACTION).astype(np.int32) for line in lines]


def _draw(frame: np.ndarray, thing: WideThing, time: float, scene: WideScene) -> None:
    size, look = len(frame), thing.look
    lines = _contours(thing, time, scene, size)
    radius = thing.radius * size * min(scene.stretch)
    if look.shadow:
        _blend(frame, [line + radius * 0.22 for line in lines], np.zeros(3), look.shadow, radius * 0.15)
    if look.shade or look.soft:
        _blend(frame, lines, _shaded(look, thing, time, size), 1.0, look.soft * radius)
    else:
        cv2.fillPoly(frame, _fixed(lines), look.fill, cv2.LINE_AA, FRACTION)
    if look.border is not None:
        width = max(1, round(look.width * radius))
        cv2.polylines(frame, _fixed(lines), True, look.border, width, cv2.LINE_AA, FRACTION)


def _shaded(look: Look, thing: WideThing, time: float, size: int):
    """A function from left, top, right and bottom of a box in pixels to the colour of each, darker on one side."""

    def colors(left: int, top: int, right: int, bottom: int) -> np.ndarray:
        x, y = (at * size for at in thing.center(time))
        along = math.cos(look.light) * (np.arange(left, right)[None] - x)
        along = (along + math.sin(look.light) * (np.arange(top, bottom)[:, None] - y)) / (thing.radius * size)
        light = 1 - look.shade * (0.5 + 0.5 * np.clip(along, -1, 1))
        return light[..., None] * np.array(look.fill, dtype=np.float32)

    return colors


def _blend(frame: np.ndarray, lines: list[np.ndarray], colors, share: float, blur: float) -> None:
    """Blend a colour, or those that a function as of `_shaded` gives, into the area inside closed lines.

    share: opacity; blur: standard deviation of the soft edge, in pixels.
    """
    size, pad = len(frame), 2 + int(3 * blur)
    points = np.concatenate(lines)
    left, top = (max(0, int(v) - pad) for v in points.min(0))
    right, bottom = (min(size, int(v) + pad + 1) for v in points.max(0))
    if left >= right or top >= bottom:
        return
    mask = np.zeros((bottom - top, right - left), dtype=np.uint8)
    cv2.fillPoly(mask, _fixed([line - (left, top) for line in lines]), 255, cv2.LINE_AA, FRACTION)
    if blur > 0.25:
        mask = cv2.GaussianBlur(mask, (0, 0), blur)
    part = frame[top:bottom, left:right]
    paint = colors(left, top, right, bottom) if callable(colors) else colors
    part[:] = part + (paint - part) * (mask[..., None] * np.float32(share / 255))


def _bars(frame: np.ndarray, scene: WideScene) -> None:
    x, y, color = scene.bars
    columns, rows = round(x * len(frame)), round(y * len(frame))
    if columns:
        frame[:, :columns] = frame[:, -columns:] = color
    if rows:
        frame[:rows] = frame[-rows:] = color


def spoil(frames: np.ndarray, how: Spoiling, rng: np.random.Generator) -> np.ndarray:
    """(F, size, size, 3) uint8, the frames as a camera and a codec would leave them; they may be changed in place."""
    size = frames.shape[1]
    for index, frame in enumerate(frames):
        if how.blur:
            frame = cv2.GaussianBlur(frame, (0, 0), how.blur)
        if how.small < 1:
            side = round(size * how.small)
            frame = cv2.resize(cv2.resize(frame, (side, side), interpolation=cv2.INTER_AREA), (size, size))
        if how.gain != 1 or how.bias or any(how.cast):
            frame = cv2.LUT(frame, _curve(how))
        if how.noise:
            frame = _noisy(frame, how.noise, rng)
        frames[index] = frame
    return _compressed(frames, how.quality) if how.quality else frames


def _curve(how: Spoiling) -> np.ndarray:
    """(256, 1, 3) uint8, a table of what each value of each colour channel becomes."""
    values = np.arange(256)[:, None] * how.gain + how.bias + np.array(how.cast)
    return np.clip(values, 0, 255).astype(np.uint8)[:, None]


@cache
def _noise() -> np.ndarray:
    return np.random.default_rng(0).standard_normal(NOISE, dtype=np.float32)


def _noisy(frame: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    begin = int(rng.integers(NOISE - frame.size)) if frame.size < NOISE else 0
    noise = np.resize(_noise()[begin : begin + frame.size], frame.shape)
    return np.clip(frame + noise * np.float32(strength), 0, 255).astype(np.uint8)


def _compressed(frames: np.ndarray, quality: int) -> np.ndarray:
    """Compress as a small video codec: every eighth frame in JPEG, of the others the difference to the one before.

    That leaves blocks that lag, as at low bit rates; H.264 itself would take longer than all other drawing.
    """
    out, options = np.empty_like(frames), [cv2.IMWRITE_JPEG_QUALITY, quality]
    finer = [cv2.IMWRITE_JPEG_QUALITY, max(quality, 50)]  # so that a thing that has gone leaves nothing behind
    for index, frame in enumerate(frames):
        if index % 8 == 0:
            out[index] = _jpeg(frame, options)
            continue
        before = out[index - 1].astype(np.int16)
        rest = _jpeg(np.clip((frame - before) // 2 + 128, 0, 255).astype(np.uint8), finer)
        out[index] = np.clip(before + (rest.astype(np.int16) - 128) * 2, 0, 255)
    return out


def _jpeg(frame: np.ndarray, options: list[int]) -> np.ndarray:
    return cv2.imdecode(cv2.imencode(".jpg", frame, options)[1], cv2.IMREAD_COLOR)
