"""Drawing: the frames of a scene, antialiased, on a plain or textured ground."""

from __future__ import annotations

import cv2
import numpy as np

from training.outlines import OUTLINES
from training.wide_drawing import render_wide
from training.wide_scene import WideScene
from training.world import COLORS, Scene, Thing


def render(scene: Scene | WideScene, times: np.ndarray, size: int) -> np.ndarray:
    """(len(times), size, size, 3) uint8 RGB frames."""
    if isinstance(scene, WideScene):
        return render_wide(scene, times, size)
    rng = np.random.default_rng(scene.seed)
    base = _background(scene, size, rng)
    frames = np.empty((len(times), size, size, 3), dtype=np.uint8)
    for frame, time in zip(frames, times, strict=True):
        frame[:] = base
        for thing in scene.things:
            if thing.visible(float(time)):
                _draw(frame, thing, thing.center(float(time)), size)
    if scene.grain:
        noise = (rng.standard_normal(frames.shape[1:], dtype=np.float32) * scene.grain).astype(np.int16)
        for frame in frames:
            frame[:] = np.clip(frame + np.roll(noise, int(rng.integers(size)), axis=1), 0, 255)
    return frames


def _background(scene: Scene, size: int, rng: np.random.Generator) -> np.ndarray:
    """(size, size, 3) uint8: a dim plain or textured ground, so that every colour stands out."""
    tint, accent = np.array(scene.tint, dtype=np.float32), np.array(scene.accent, dtype=np.float32)
    y, x = np.mgrid[0:size, 0:size].astype(np.float32) / size
    if scene.background == "gradient":
        share = y
    elif scene.background == "checks":
        share = ((np.floor(x * 8) + np.floor(y * 8)) % 2).astype(np.float32)
    elif scene.background == "stripes":
        share = (np.floor((x + y) * 9) % 2).astype(np.float32)
    elif scene.background == "blotches":
        share = cv2.resize(rng.random((6, 6), dtype=np.float32), (size, size), interpolation=cv2.INTER_CUBIC)
    else:
        share = np.zeros_like(x)
    return np.clip(tint + (accent - tint) * share[..., None], 0, 255).astype(np.uint8)


def _draw(frame: np.ndarray, thing: Thing, center: tuple[float, float], size: int) -> None:
    """Paint one thing, antialiased, at a place given in shares of the frame."""
    color, fraction = COLORS[thing.color], 4
    x, y, radius = (v * size * 2**fraction for v in (*center, thing.radius))
    if thing.shape in ("circle", "ring"):
        middle = (round(x), round(y))
        if thing.shape == "circle":
            cv2.circle(frame, middle, round(radius * 0.92), color, -1, cv2.LINE_AA, fraction)
        else:
            width = max(1, round(thing.radius * size * 0.38))
            cv2.circle(frame, middle, round(radius * 0.78), color, width, cv2.LINE_AA, fraction)
        return
    points = np.array([x, y]) + OUTLINES[thing.shape] * radius
    cv2.fillPoly(frame, [np.round(points).astype(np.int32)], color, cv2.LINE_AA, fraction)
