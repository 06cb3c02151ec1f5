"""Clips: what a stranger's clip shows, when and where, and its frames, also by way of a real video file."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from tempfile import TemporaryDirectory

import av
import numpy as np

from aim_core.media.decode import load_frames
from training.strangers.grounds import GROUNDS
from training.strangers.shapes import Figure, picture

# What the names usually mean in slide programs and in CSS.
PAINTS = {
    "red": ((255, 0, 0), (192, 0, 0), (220, 20, 60), (228, 50, 45)),
    "green": ((0, 176, 80), (0, 128, 0), (34, 177, 76), (60, 180, 60)),
    "blue": ((0, 0, 255), (0, 80, 200), (31, 90, 190), (65, 105, 225)),
    "yellow": ((255, 255, 0), (255, 235, 59), (240, 220, 0)),
    "purple": ((112, 48, 160), (128, 0, 128), (148, 60, 200)),
    "orange": ((255, 140, 0), (255, 127, 39), (237, 125, 49)),
    "cyan": ((0, 255, 255), (0, 210, 230), (60, 220, 230)),
    "white": ((255, 255, 255), (240, 240, 240)),
}
SIZES = {"small": (0.05, 0.08), "normal": (0.10, 0.14), "large": (0.20, 0.25)}  # radii, of the shorter side
SECONDS, FRAME_RATE = 4, 20  # of a file


@dataclass(frozen=True)
class Look:
    """How all clips of one row of the table look.

    ground: a name of GROUNDS; size: of SIZES; turn: in radians, None for any; shape: (width, height) in pixels;
    style:  a name of shapes.STYLES; crf: how strongly H.264 compresses a file, None for frames that were never in one.
    """

    ground: str = "dim"
    size: str = "normal"
    turn: float | None = 0.0
    shape: tuple[int, int] = (320, 320)
    style: str = "flat"
    crf: int | None = None


@dataclass(frozen=True)
class Thing:
    """One thing in a clip. Places are shares of width and height, `radius` of the shorter side, times of the clip."""

    color: str
    shape: str
    paint: tuple[int, int, int]
    radius: float
    turn: float
    begin: tuple[float, float]
    finish: tuple[float, float]
    motion: str = "still"
    phase: str = "start"
    appears: float = 0.0
    vanishes: float = 1.0

    @property
    def name(self) -> str:
        return f"{self.color} {self.shape}"

    @property
    def stays(self) -> bool:
        return self.vanishes >= 1.0

    def center(self, time: float) -> tuple[float, float]:
        return tuple(a + (b - a) * time for a, b in zip(self.begin, self.finish, strict=True))


@dataclass(frozen=True)
class Clip:
    """The things of a clip, how it looks, and the seed of its ground."""

    things: tuple[Thing, ...]
    look: Look
    seed: tuple[int, ...]

    @cached_property
    def ground(self) -> np.ndarray:
        """(height, width, 3) uint8."""
        return GROUNDS[self.look.ground](np.random.default_rng(self.seed), *self.look.shape)

    def frames(self, num_frames: int) -> np.ndarray:
        """(num_frames, height, width, 3) uint8 at the middles of as many equal parts of the clip."""
        if self.look.crf is None:
            return self._drawn(num_frames)
        with TemporaryDirectory() as folder:
            path = f"{folder}/clip.mp4"
            write(path, self._drawn(SECONDS * FRAME_RATE), self.look.crf)
            return load_frames(path, num_frames).frames

    def _drawn(self, num_frames: int) -> np.ndarray:
        return np.stack([self._at((i + 0.5) / num_frames) for i in range(num_frames)])

    def _at(self, time: float) -> np.ndarray:
        width, height = self.look.shape
        figures = [
            Figure(
                t.shape,
                t.paint,
                t.center(time)[0] * width,
                t.center(time)[1] * height,
                t.radius * min(width, height),
                t.turn,
                self.look.style,
            )
            for t in self.things
            if t.appears <= time < t.vanishes
        ]
        return picture(self.ground, figures)


def write(path: str, frames: np.ndarray, crf: int) -> None:
    """H.264 in MP4, by the encoder's defaults but for how strongly it compresses."""
    with av.open(path, "w") as file:
        stream = file.add_stream("libx264", rate=FRAME_RATE, options={"crf": str(crf), "threads": "1"})
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            file.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        file.mux(stream.encode())
