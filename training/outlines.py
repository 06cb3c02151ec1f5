"""Outlines: the six shapes as polygons around their middle, in shares of the radius, from slim to stout."""

from __future__ import annotations

import math

import numpy as np

ROUND = 40  # corners of a circle


def star(reach: float = 1.08, inner: float = 0.45) -> np.ndarray:
    """(10, 2): five tips, the first one up."""
    angles = -math.pi / 2 + np.arange(10) * math.pi / 5
    reaches = np.where(np.arange(10) % 2 == 0, reach, inner)
    return np.stack([np.cos(angles) * reaches, np.sin(angles) * reaches], axis=1)


def cross(arm: float = 1 / 3) -> np.ndarray:
    """(12, 2): two bars, each `arm` wide to either side of its middle line."""
    a = arm
    return np.array(
        [[-a, -1], [a, -1], [a, -a], [1, -a], [1, a], [a, a], [a, 1], [-a, 1], [-a, a], [-1, a], [-1, -a], [-a, -a]]
    )


def circle(radius: float) -> np.ndarray:
    angles = np.arange(ROUND) * (2 * math.pi / ROUND)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1) * radius


OUTLINES = {
    "square": np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * 0.82,
    "triangle": np.array([[0, -1.0], [0.98, 0.8], [-0.98, 0.8]]),
    "star": star(),
    "cross": cross(),
}


def outline(shape: str, form: float) -> list[np.ndarray]:
    """The closed lines around a shape, (n, 2) each; a ring has two. form: in [0, 1], from slim to stout."""
    if shape == "circle":
        return [circle(0.92)]
    if shape == "ring":
        return [circle(0.97), circle(0.64 - 0.24 * form)]
    if shape == "star":
        return [star(1.08, 0.38 + 0.16 * form)]
    if shape == "cross":
        return [cross(0.24 + 0.16 * form)]
    if shape == "triangle":
        return [np.array([[0, -1.0], [0.98, 0.7 + 0.2 * form], [-0.98, 0.7 + 0.2 * form]])]
    return [OUTLINES["square"]]
