"""Wide scenes: what a video of the wide world shows, what of it is hidden, and which thing covers which cell."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from training.grounds import Ground
from training.world import Thing

MOMENTS = np.linspace(0, 1, 9)  # times at which a path is given; it is straight in between
HIDDEN = 0.5  # a thing of which a larger share is hidden cannot be seen
CLEAR = 0.05  # least distance from the frame's middle lines at which a thing is clearly in a corner
RGB = tuple[int, int, int]


@dataclass(frozen=True)
class Look:
    """How a thing is painted. Widths and distances are shares of its radius."""

    fill: RGB
    form: float = 0.5  # of its outline, see `outlines.outline`
    turn: float = 0.0  # radians, at the start
    spin: float = 0.0  # radians, during the clip
    border: RGB | None = None
    width: float = 0.0  # of the border
    shade: float = 0.0  # how much darker one side is than the other
    light: float = 0.0  # radians, where that light comes from
    shadow: float = 0.0  # how dark; 0 for none
    soft: float = 0.0  # blur of the edge


@dataclass(frozen=True)
class WideThing(Thing):
    """A thing whose `path` is where it is seen at each of MOMENTS, the camera's moves included."""

    path: tuple[tuple[float, float], ...] = ()
    look: Look = Look((0, 0, 0))

    def center(self, time: float) -> tuple[float, float]:
        place = min(max(time, 0.0), 1.0) * (len(MOMENTS) - 1)
        index = min(int(place), len(MOMENTS) - 2)
        (x0, y0), (x1, y1), share = self.path[index], self.path[index + 1], place - index
        return x0 + (x1 - x0) * share, y0 + (y1 - y0) * share

    def resting(self, time: float) -> WideThing:
        look = replace(self.look, turn=self.look.turn + self.look.spin * time, spin=0.0)
        return replace(super().resting(time), path=(self.center(time),) * len(MOMENTS), look=look)


@dataclass(frozen=True)
class Camera:
    """Motion of the camera during the clip: how far it moves, in shares of the frame, and how much it zooms in."""

    shift: tuple[float, float] = (0.0, 0.0)
    zoom: float = 0.0

    def seen(self, points: np.ndarray, time: np.ndarray) -> np.ndarray:
        """(n, 2), where points are seen at (n,) times."""
        return 0.5 + (points - 0.5) * (1 + self.zoom * time[:, None]) + np.array(self.shift) * time[:, None]


@dataclass(frozen=True)
class Spoiling:
    """How frames are degraded after drawing; each default leaves them as they are."""

    scale: int = 1  # drawn this many times larger, then made smaller
    blur: float = 0.0  # standard deviation in pixels
    small: float = 1.0  # made smaller by this factor, then larger again
    gain: float = 1.0
    bias: float = 0.0  # added to every value
    cast: RGB = (0, 0, 0)
    noise: float = 0.0  # standard deviation
    quality: int = 0  # of JPEG, and of the differences between frames; 0 for none


@dataclass(frozen=True)
class WideScene:
    """What one video shows. Later things lie over earlier ones."""

    things: tuple[WideThing, ...]
    ground: Ground
    stretch: tuple[float, float]  # of every shape: a wide film squeezed into a square has narrow ones
    bars: tuple[float, float, RGB]  # left and right, top and bottom, as shares of the frame; their colour
    camera: Camera
    spoiling: Spoiling
    seed: int


def hidden(things, times: np.ndarray, stretch: tuple[float, float] = (1.0, 1.0)) -> np.ndarray:
    """(T, n) float, the share of each thing that things above it hide at each time, all taken for discs."""
    centers = np.array([[t.center(float(time)) for t in things] for time in times]) / np.array(stretch)  # (T, n, 2)
    radii = np.array([t.radius for t in things])
    there = np.array([[t.visible(float(time)) for t in things] for time in times])
    points = centers[:, :, None] + radii[:, None, None] * _DISC  # (T, n, P, 2)
    far = np.linalg.norm(points[:, :, :, None] - centers[:, None, None], axis=-1)  # (T, n, P, n)
    over = np.arange(len(things))[None] > np.arange(len(things))[:, None]
    covers = (far < radii) & over[None, :, None] & there[:, None, None]
    return covers.any(-1).mean(-1)


_DISC = np.array(
    [(0, 0)]
    + [(r * math.cos(a), r * math.sin(a)) for r, n in ((0.45, 6), (0.8, 12)) for a in np.arange(n) * 2 * math.pi / n]
)


def is_clear(thing: Thing, time: float) -> bool:
    """Whether a thing is clearly in one corner of the frame at `time`."""
    return all(abs(at - 0.5) >= CLEAR for at in thing.center(time))


def wide_owner_map(scene: WideScene, times: np.ndarray, rows: int) -> np.ndarray:
    """(len(times), rows, rows) int64: which thing covers the middle of each cell, -1 for none; as `world.owner_map`.

    Things are taken for discs, stretched as the scene is, and later ones hide earlier ones. The cell in which a thing
    has its middle is its own in any case, so that a small thing has one.
    """
    middle = (np.arange(rows) + 0.5) / rows
    owners = np.full((len(times), rows, rows), -1, dtype=np.int64)
    for index, thing in enumerate(scene.things):
        there = np.array([thing.visible(float(time)) for time in times])
        x, y = np.array([thing.center(float(time)) for time in times]).T
        wide, high = thing.radius * scene.stretch[0], thing.radius * scene.stretch[1]
        across, down = ((middle - x[:, None]) / wide) ** 2, ((middle - y[:, None]) / high) ** 2
        near = (down[:, :, None] + across[:, None, :] < 1) & there[:, None, None]
        frame = np.flatnonzero(there)
        near[frame, *(np.clip((v[frame] * rows).astype(int), 0, rows - 1) for v in (y, x))] = True
        owners[near] = index
    return owners
