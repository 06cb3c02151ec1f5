"""Items: questions of the shape world as documents of the lab, some to choose by and others to report on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from aim_core.digest import digest
from aim_lab.documents import OR, Document
from training.drawing import render
from training.eval_sets import IMAGE_SIZE, NUM_FRAMES, WIDE_SEED, Item, wide_held_out_set
from training.wide_scene import WideScene
from training.world import Scene, frame_times

CALIBRATION_SEED = 2412_03256  # to choose by; what is reported is of WIDE_SEED
SEEDS = {"calibration": CALIBRATION_SEED, "held_out": WIDE_SEED}
PER_TYPE = 160  # all of it is made even if fewer are asked, so that more later are more of it

PER_VIDEO = 3  # questions, since another video tells more than another question about the same


@dataclass(frozen=True, eq=False)
class SceneClip:
    """A scene of one of the worlds, drawn at any number of frames.

    name: its seed and number; enough: frames that every question about it can be answered from.
    """

    name: str
    scene: Scene | WideScene
    enough: int = NUM_FRAMES

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SceneClip) and self.name == other.name

    def __hash__(self) -> int:
        return hash(self.name)

    def content(self) -> str:
        return _content(self)

    def frames(self, num_frames: int) -> np.ndarray:
        return render(self.scene, frame_times(num_frames), IMAGE_SIZE)


@cache
def _content(clip: SceneClip) -> str:
    """Of as many frames as are enough; another number of them shows the same scene."""
    return digest(clip.frames(clip.enough))[:32]


def documents(name: str, num_videos: int) -> list[Document]:
    """PER_VIDEO questions about each of so many videos of one of SEEDS, those first that most could be asked about."""
    found = _clips(name)[:num_videos]
    return [Document(clip, item.question.text, wanted(item)) for clip, items in found for item in items[:PER_VIDEO]]


def questions_of(name: str, num_videos: int) -> list[list[Item]]:
    """All questions about each of the same videos."""
    return [items for _, items in _clips(name)[:num_videos]]


@cache
def _clips(name: str) -> list[tuple[SceneClip, list[Item]]]:
    of_video: dict[int, list[Item]] = {}
    for item in wide_held_out_set(PER_TYPE, seed=SEEDS[name]):
        of_video.setdefault(item.video, []).append(item)
    order = np.random.default_rng(SEEDS[name]).permutation(len(of_video))
    videos = sorted((list(of_video.items())[index] for index in order), key=lambda own: -len(own[1]))
    return [(SceneClip(f"{name} {video}", items[0].scene), items) for video, items in videos]


def wanted(item: Item) -> str:
    """All of the answer, or the telling word alone."""
    return OR.join(dict.fromkeys((item.question.answer, item.question.word)))
