"""The shape world: small videos of coloured shapes that rest, move, appear and vanish, made from a seed."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace

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

# What a thing can do, besides resting and visiting.
ACTIONS = ("left", "right", "up", "down", "appears", "vanishes")
# When an object appears (its first moment, in shares of the clip), by phase.
APPEARS = {"start": (0.0, 0.0), "middle": (0.30, 0.45), "end": (0.64, 0.74)}
VANISHES = (0.30, 0.70)
STAYS = (0.20, 0.30)  # how long a visitor is there
LAST_SEEN = 0.91  # a visitor is gone by then, before the last of 6 sampled frames
WEIGHTS = {"rests": 2, "left": 1, "right": 1, "up": 1, "down": 1, "appears": 2, "vanishes": 2, "visits": 1}
MAX_OBJECTS = 4


def held_out(color: str, shape: str, action: str) -> bool:
    """Whether training never shows a thing of this colour and shape doing this.

    One in eight of the combinations with an action in ACTIONS; every two of the three still go together in training.
    "visits" (appears late, vanishes early) is never held out: any colour and shape may do so.
    """
    if action not in ACTIONS:
        return False
    return (list(COLORS).index(color) + SHAPES.index(shape) + ACTIONS.index(action)) % len(COLORS) == 0


HELD_OUT = tuple((c, s, d) for c in COLORS for s in SHAPES for d in ACTIONS if held_out(c, s, d))


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

    @property
    def action(self) -> str:
        """What it does: one of WEIGHTS."""
        if self.motion != "still":
            return self.motion
        if self.phase == "start":
            return "rests" if self.stays else "vanishes"
        return "appears" if self.stays else "visits"

    def visible(self, time: float) -> bool:
        return self.appears <= time < self.vanishes

    def center(self, time: float) -> tuple[float, float]:
        (x0, y0), (x1, y1) = self.begin, self.finish
        return x0 + (x1 - x0) * time, y0 + (y1 - y0) * time

    def resting(self, time: float) -> Thing:
        """The same thing at rest where it is at `time`, there from the first moment to the last."""
        here = self.center(time)
        return replace(self, begin=here, finish=here, motion="still", phase="start", appears=0.0, vanishes=1.0)


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


def make_scene(seed: int, unseen: bool = False, static: bool = False, visits: bool = True) -> Scene:
    """A scene drawn from `seed`.

    unseen: one thing is a combination that training never shows; otherwise none is.
    static: everything rests and is there all the time (for single images).
    visits: some things may come late and go early; too short for fewer than 6 frames.
    """
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, MAX_OBJECTS + 1))
    things: list[Thing] = []
    while len(things) < count:
        if not things:
            plans = _plan_things(rng, count, unseen, static, visits)
        thing = _place_thing(rng, *plans[len(things)], things)
        things = [*things, thing] if thing else []  # no room left: start over
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


def most_of_a_kind(scene: Scene) -> int:
    """How many things share the colour or the shape that most of them have."""
    return max(Counter((part, getattr(t, part)) for t in scene.things for part in ("color", "shape")).values())


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


def _plan_things(rng, count: int, unseen: bool, static: bool, visits: bool) -> list[tuple[str, str, str]]:
    """Colour, shape and action of every thing, no two alike in colour and shape.

    Half of the scenes have one or two colours, or one or two shapes, so that counting is needed.
    """
    few = rng.choice(["", "", "colors", "shapes"])
    colors = rng.permutation(list(COLORS))[: rng.integers(1, 3) if few == "colors" else len(COLORS)]
    shapes = rng.permutation(list(SHAPES))[: rng.integers(1, 3) if few == "shapes" else len(SHAPES)]
    pairs = [(str(c), str(s)) for c in colors for s in shapes]
    chosen = [pairs[i] for i in rng.permutation(len(pairs))[:count]]
    if unseen:
        new = HELD_OUT[int(rng.integers(len(HELD_OUT)))]
        chosen = [new[:2], *(pair for pair in chosen if pair != new[:2])][:count]
    plans = [(c, s, _action(rng, c, s, static, visits)) for c, s in chosen]
    return [new, *plans[1:]] if unseen else plans


def _action(rng, color: str, shape: str, static: bool, visits: bool) -> str:
    if static:
        return "rests"
    able = {d: w for d, w in WEIGHTS.items() if not held_out(color, shape, d) and (visits or d != "visits")}
    return str(rng.choice(list(able), p=np.array(list(able.values())) / sum(able.values())))


def _place_thing(rng, color: str, shape: str, action: str, others: list[Thing]) -> Thing | None:
    """A thing that touches none of `others` at any time; None if no room was found."""
    for _ in range(40):
        thing = _draft_thing(rng, color, shape, action)
        if all(_apart(thing, other) for other in others):
            return thing
    return None


def _draft_thing(rng, color: str, shape: str, action: str) -> Thing:
    x, y = (_side(rng) * _offset(rng) for _ in range(2))
    if action in MOTIONS:
        x, y = (x, -_HEADING[action][1] * abs(y)) if _HEADING[action][1] else (-_HEADING[action][0] * abs(x), y)
    begin, phase, appears, vanishes = (0.5 + x, 0.5 + y), "start", 0.0, 1.0
    if action in ("appears", "visits"):
        phase = PHASES[int(rng.integers(1, len(PHASES)))]
        appears = float(rng.uniform(*APPEARS[phase]))
    if action == "visits":
        vanishes = min(LAST_SEEN, appears + float(rng.uniform(*STAYS)))
    elif action == "vanishes":
        vanishes = float(rng.uniform(*VANISHES))
    finish, motion = begin, "still"
    if action in MOTIONS:
        finish, motion = _across(rng, begin, _HEADING[action]), action
    return Thing(color, shape, float(rng.uniform(0.10, 0.14)), begin, finish, motion, phase, appears, vanishes)


_HEADING = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}  # y points down


def _side(rng) -> float:
    return 1.0 if rng.random() < 0.5 else -1.0


def _offset(rng) -> float:
    """A random distance from the middle of the frame, as a share of its side."""
    return float(rng.uniform(0.14, 0.35))


def _across(rng, begin: tuple[float, float], heading: tuple[int, int]) -> tuple[float, float]:
    """Where a moving thing ends: straight across the middle of the frame."""
    return tuple(0.5 + way * _offset(rng) if way else at for way, at in zip(heading, begin, strict=True))


def _apart(one: Thing, other: Thing) -> bool:
    """Whether the discs around two things never touch: the smallest distance of points that move straight."""
    (x0, y0), (x1, y1) = (
        (a - b for a, b in zip(p, q, strict=True)) for p, q in ((one.begin, other.begin), (one.finish, other.finish))
    )
    dx, dy = x1 - x0, y1 - y0
    length = dx * dx + dy * dy
    time = min(1.0, max(0.0, -(x0 * dx + y0 * dy) / length)) if length else 0.0
    return math.hypot(x0 + dx * time, y0 + dy * time) > (one.radius + other.radius) * 1.05


def _rgb(values) -> tuple[int, int, int]:
    return int(values[0]), int(values[1]), int(values[2])
