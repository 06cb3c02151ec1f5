"""The shape world: small videos of coloured shapes that rest, move, appear and vanish, made from a seed."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

COLORS = {
    "red": (222, 45, 38),
    "green": (46, 170, 70),
    "blue": (40, 95, 225),
    "yellow": (245, 218, 50),
    "purple": (150, 60, 190),
    "orange": (250, 135, 25),
    "cyan": (60, 205, 220),
    "white": (240, 240, 240),
}
SHAPES = ("circle", "square", "triangle", "star", "cross", "ring")
PLACES = ("top-left", "top-right", "bottom-left", "bottom-right")
MOTIONS = ("still", "left", "right", "up", "down")
PHASES = ("start", "middle", "end")

# Kept out of the first stages of training and shown in the last two (see the model card for why).
LATE_PAIRS = frozenset(
    {
        ("red", "star"),
        ("green", "ring"),
        ("blue", "triangle"),
        ("yellow", "cross"),
        ("purple", "circle"),
        ("cyan", "square"),
    }
)
# When an object appears (its first moment, in shares of the clip), by phase.
APPEARS = {"start": (0.0, 0.0), "middle": (0.30, 0.45), "end": (0.64, 0.74)}
VANISHES = (0.30, 0.70)
KINDS = ("rest", "move", "move", "appear", "vanish")
MAX_OBJECTS = 5


@dataclass(frozen=True)
class Thing:
    """One object. Places and sizes are shares of the frame's side, times shares of the clip."""

    color: str
    shape: str
    radius: float
    begin: tuple[float, float]
    finish: tuple[float, float]
    motion: str
    phase: str
    appears: float
    vanishes: float

    @property
    def name(self) -> str:
        return f"{self.color} {self.shape}"

    @property
    def stays(self) -> bool:
        """Whether it is still there when the clip ends."""
        return self.vanishes >= 1.0

    def visible(self, time: float) -> bool:
        return self.appears <= time < self.vanishes

    def center(self, time: float) -> tuple[float, float]:
        (x0, y0), (x1, y1) = self.begin, self.finish
        return x0 + (x1 - x0) * time, y0 + (y1 - y0) * time


@dataclass(frozen=True)
class Scene:
    """What one video shows: things, a background and how grainy the picture is."""

    things: tuple[Thing, ...]
    background: str
    tint: tuple[int, int, int]
    accent: tuple[int, int, int]
    grain: float
    seed: int


def place_of(point: tuple[float, float]) -> str:
    """The quadrant a point lies in."""
    x, y = point
    return f"{'top' if y < 0.5 else 'bottom'}-{'left' if x < 0.5 else 'right'}"


def frame_times(num_frames: int) -> np.ndarray:
    """(num_frames,) float64, the middle of each of num_frames equal parts of the clip."""
    return (np.arange(num_frames) + 0.5) / num_frames


def make_scene(seed: int, late: bool = False, static: bool = False) -> Scene:
    """A scene drawn from `seed`.

    late:   also use the pairs kept out of early training, and make sure that one is shown.
    static:   everything rests and is there all the time (for single images).
    """
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, MAX_OBJECTS + 1))
    pairs = _pick_pairs(rng, count, late)
    things: list[Thing] = []
    while len(things) < count:
        thing = _place_thing(rng, *pairs[len(things)], things, static)
        if thing is None:  # no room left: start over
            things = []
            continue
        things.append(thing)
    tint = rng.integers(22, 85, size=3)
    accent = np.clip(tint + rng.integers(-22, 23, size=3), 5, 105)
    background = str(rng.choice(["plain", "plain", "gradient", "checks", "stripes", "blotches"]))
    return Scene(
        tuple(things),
        background,
        _rgb(tint),
        _rgb(accent),
        float(rng.choice([0.0, 2.0, 5.0])),
        int(rng.integers(2**31)),
    )


def owner_map(scene: Scene, times: np.ndarray, rows: int) -> np.ndarray:
    """(len(times), rows, rows) int64: which thing covers the middle of each cell, -1 for none."""
    middle = (np.arange(rows) + 0.5) / rows
    owners = np.full((len(times), rows, rows), -1, dtype=np.int64)
    for frame, time in enumerate(times):
        for index, thing in enumerate(scene.things):
            if thing.visible(float(time)):
                x, y = thing.center(float(time))
                near = (middle[None, :] - x) ** 2 + (middle[:, None] - y) ** 2 < thing.radius**2
                owners[frame][near] = index
    return owners


def _pick_pairs(rng: np.random.Generator, count: int, late: bool) -> list[tuple[str, str]]:
    """Distinct (color, shape) pairs; half of the scenes repeat colours and shapes, so that counting is needed."""
    few = rng.random() < 0.5
    colors = rng.permutation(list(COLORS))[: 3 if few else len(COLORS)]
    shapes = rng.permutation(list(SHAPES))[: 3 if few else len(SHAPES)]
    allowed = [(str(c), str(s)) for c in colors for s in shapes if late or (c, s) not in LATE_PAIRS]
    chosen = [allowed[i] for i in rng.permutation(len(allowed))[:count]]
    if late and not LATE_PAIRS & set(chosen):
        chosen[0] = sorted(LATE_PAIRS)[int(rng.integers(len(LATE_PAIRS)))]
    return chosen


def _place_thing(rng, color: str, shape: str, others: list[Thing], static: bool) -> Thing | None:
    """A thing that touches none of `others` at any time; None if no room was found."""
    for _ in range(40):
        thing = _draft_thing(rng, color, shape, static)
        if all(_apart(thing, other) for other in others):
            return thing
    return None


def _draft_thing(rng, color: str, shape: str, static: bool) -> Thing:
    kind = "rest" if static else KINDS[int(rng.integers(len(KINDS)))]
    begin = (0.5 + _offset(rng), 0.5 + _offset(rng))
    finish, motion, phase = begin, "still", "start"
    appears, vanishes = 0.0, 1.0
    if kind == "move":
        finish, motion = _cross(rng, begin)
    elif kind == "appear":
        phase = PHASES[int(rng.integers(1, len(PHASES)))]
        appears = float(rng.uniform(*APPEARS[phase]))
    elif kind == "vanish":
        vanishes = float(rng.uniform(*VANISHES))
    return Thing(color, shape, float(rng.uniform(0.085, 0.125)), begin, finish, motion, phase, appears, vanishes)


def _offset(rng) -> float:
    """How far from the middle of the frame, to either side."""
    return (1.0 if rng.random() < 0.5 else -1.0) * float(rng.uniform(0.13, 0.36))


def _cross(rng, begin: tuple[float, float]) -> tuple[tuple[float, float], str]:
    """Where a mover ends, straight across the frame's middle, and the name of that motion."""
    across = abs(_offset(rng))
    x, y = begin
    if rng.random() < 0.5:
        return ((0.5 + across, y), "right") if x < 0.5 else ((0.5 - across, y), "left")
    return ((x, 0.5 + across), "down") if y < 0.5 else ((x, 0.5 - across), "up")


def _apart(one: Thing, other: Thing) -> bool:
    """Whether the discs around two things never touch: the smallest distance of points that move straight."""
    (x0, y0), (x1, y1) = (
        (a - b for a, b in zip(p, q, strict=True)) for p, q in zip(_path(one), _path(other), strict=True)
    )
    dx, dy = x1 - x0, y1 - y0
    length = dx * dx + dy * dy
    time = min(1.0, max(0.0, -(x0 * dx + y0 * dy) / length)) if length else 0.0
    return math.hypot(x0 + dx * time, y0 + dy * time) > (one.radius + other.radius) * 1.05


def _path(thing: Thing) -> tuple[tuple[float, float], tuple[float, float]]:
    return thing.begin, thing.finish


def _rgb(values) -> tuple[int, int, int]:
    return int(values[0]), int(values[1]), int(values[2])
