"""Sample media for the app, with questions and their answers: `python -m training.samples` fills assets/samples."""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from PIL import Image

from training.questions import TYPES, ask
from training.world import MOTIONS, Scene, Thing, frame_times, render

SIZE = 384
SECONDS, FRAME_RATE = 4, 20
MIDDLE, END = 0.38, 0.69  # when something appears


@dataclass(frozen=True)
class Sample:
    """A file, what it shows and what may be asked about it; a clip if the name ends in .mp4, else a picture."""

    file: str
    title: str
    scene: Scene
    questions: tuple[str, ...]


def rest(name: str, x: float, y: float, radius: float = 0.11, appears: float = 0.0, vanishes: float = 1.0) -> Thing:
    """Something that stays where it is, perhaps not all the time."""
    phase = {0.0: "start", MIDDLE: "middle", END: "end"}[appears]
    return Thing(*name.split(), radius, (x, y), (x, y), "still", phase, appears, vanishes)


def move(name: str, motion: str, start: float, stop: float, line: float, radius: float = 0.11) -> Thing:
    """Something that crosses the frame from `start` to `stop` along the row or column at `line`."""
    across = motion in ("left", "right")
    begin, finish = ((start, line), (stop, line)) if across else ((line, start), (line, stop))
    if motion not in MOTIONS[1:] or (stop > start) != (motion in ("right", "down")):
        raise ValueError(f"something that moves {motion} cannot go from {start} to {stop}")
    return Thing(*name.split(), radius, begin, finish, motion, "start", 0.0, 1.0)


def scene(background: str, tint: tuple, accent: tuple, grain: float, *things: Thing) -> Scene:
    return Scene(things, background, tint, accent, grain, seed=0)


def samples() -> tuple[Sample, ...]:
    """All samples, made by hand within the rules of `make_scene`, with pairs that training showed."""
    return (
        Sample(
            "busy.mp4",
            "Five shapes at once",
            scene(
                "blotches", (38, 40, 62), (50, 58, 80), 2.0,
                rest("red circle", 0.18, 0.24),
                move("blue square", "right", 0.16, 0.84, 0.50 + 0.13),
                rest("yellow star", 0.82, 0.22, appears=MIDDLE),
                rest("green triangle", 0.50 + 0.13, 0.35, vanishes=0.55),
                rest("purple ring", 0.30, 0.85, 0.095),
            ),
            ("how many objects are there?", "what color is the ring?", "which way does the blue square move?",
             "does the green triangle vanish?"),
        ),
    )  # fmt: skip
