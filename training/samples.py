"""Sample media for the app, with questions and their answers: `python -m training.samples` fills assets/samples."""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import Colorspace
from PIL import Image

from training.drawing import render
from training.questions import TYPES, ask
from training.world import MOTIONS, Scene, Thing, frame_times

SIZE = 384
SECONDS, FRAME_RATE = 4, 20
DRAWS = 400  # of each type of question; enough to meet all that a scene allows
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
    """All samples: made by hand, within the rules of `make_scene`, of combinations that training showed."""
    return tuple(Sample(file, title, scene(*ground, *things), asked) for file, title, ground, things, asked in SHOWN)


# File, title, ground (see `scene`), things, questions.
SHOWN = (
    ("busy.mp4", "Four shapes, four fates", ("blotches", (38, 40, 62), (56, 52, 82), 2.0),
     (rest("red circle", 0.20, 0.20), move("blue square", "right", 0.17, 0.83, 0.65),
      rest("yellow star", 0.82, 0.18, appears=MIDDLE), rest("purple ring", 0.36, 0.36, 0.10, vanishes=0.55)),
     ("which way does the blue square move?", "does the purple ring vanish?", "how many objects are there?")),
    ("crossing.mp4", "Four paths that cross", ("gradient", (30, 44, 56), (52, 34, 50), 0.0),
     (move("orange square", "right", 0.16, 0.84, 0.25), move("cyan star", "down", 0.16, 0.84, 0.75),
      move("white triangle", "left", 0.84, 0.16, 0.75), move("red cross", "up", 0.84, 0.16, 0.25)),
     ("how does the cyan star move?", "where does the orange square end?",
      "how many red objects are there?")),
    ("coming_and_going.mp4", "Coming and going", ("plain", (44, 48, 46), (44, 48, 46), 0.0),
     (rest("white circle", 0.26, 0.24, 0.12, vanishes=0.45), rest("red square", 0.76, 0.30, appears=MIDDLE),
      rest("orange star", 0.24, 0.76, 0.12, appears=END), rest("blue ring", 0.74, 0.78)),
     ("which appears first, the orange star or the red square?", "when does the orange star appear?",
      "is the white circle gone at the end?")),
    ("near_twins.mp4", "Near twins on checks", ("checks", (40, 36, 58), (58, 54, 76), 0.0),
     (rest("cyan circle", 0.18, 0.20), rest("cyan ring", 0.30, 0.76), move("cyan star", "down", 0.18, 0.82, 0.70),
      rest("blue ring", 0.36, 0.36, 0.10)),
     ("how many cyan objects are there?", "where is the cyan ring?", "is there a blue circle?")),
    ("shapes.png", "Four shapes at rest", ("stripes", (60, 48, 40), (74, 60, 50), 0.0),
     (rest("red triangle", 0.22, 0.24, 0.12), rest("blue star", 0.76, 0.20, 0.12), rest("yellow ring", 0.20, 0.74),
      rest("purple cross", 0.80, 0.70)),
     ("what shape is the blue object?", "in which corner is the yellow ring?", "how many objects are there?")),
    ("counting.png", "Circles and squares", ("plain", (34, 46, 60), (34, 46, 60), 0.0),
     (rest("red circle", 0.22, 0.20), rest("blue circle", 0.70, 0.24, 0.12), rest("yellow circle", 0.20, 0.68, 0.10),
      rest("red square", 0.74, 0.74, 0.12)),
     ("how many circles are there?", "are there more red objects than blue objects?", "is there a blue square?")),
)  # fmt: skip


def answers(shown: Scene) -> dict[str, str]:
    """Every question that can be asked about a scene, with its answer: what `ask` gives in many draws."""
    rng = np.random.default_rng(0)
    drawn = [ask(shown, kind, rng) for kind in TYPES for _ in range(DRAWS)]
    return {question.text: question.answer for question in drawn if question}


def write_clip(path: Path, shown: Scene) -> None:
    """H.264 in MP4, the same bytes each time."""
    options = {"movflags": "+faststart", "fflags": "+bitexact"}
    with av.open(str(path), "w", format="mp4", options=options) as file:
        stream = file.add_stream("libx264", rate=FRAME_RATE, options={"crf": "24", "preset": "slow", "threads": "1"})
        stream.width = stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        stream.codec_context.colorspace = Colorspace.ITU601  # what PyAV converts to; players guess if it is not said
        for frame in render(shown, frame_times(SECONDS * FRAME_RATE), SIZE):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        file.mux(stream.encode())


def rows() -> list[dict[str, str]]:
    """What samples.json lists: one row a question."""
    known = {sample.file: answers(sample.scene) for sample in samples()}
    return [
        {"file": sample.file, "title": sample.title, "question": question, "answer": known[sample.file][question]}
        for sample in samples()
        for question in sample.questions
    ]


def write_all(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for sample in samples():
        path = folder / sample.file
        if path.suffix == ".mp4":
            write_clip(path, sample.scene)
        else:
            Image.fromarray(render(sample.scene, frame_times(1), SIZE)[0]).save(path, optimize=True)
    (folder / "samples.json").write_text(json.dumps(rows(), indent=1) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("assets/samples"), help="folder to write to")
    write_all(parser.parse_args().out)


if __name__ == "__main__":
    main()
