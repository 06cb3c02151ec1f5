"""Still: videos of the wide world in which nothing moves, and how much changes in any from frame to frame."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from aim_lab.documents import Clip, Document
from training.eval_sets import KEPT_SHARE, NUM_FRAMES, Item, balanced_set
from training.lab.items import PER_VIDEO, SceneClip, wanted
from training.questions import FEWEST_FRAMES, TYPES
from training.wide_questions import ask_wide
from training.wide_scene import WideScene
from training.wide_world import make_wide_scene
from training.wordings import WIDE_ANSWERS
from training.world import frame_times

STILL_SEED = 2412_03258
PER_TYPE = 60  # all of it is made even if fewer are asked, so that more later are more of it
KINDS = tuple(kind for kind in TYPES if FEWEST_FRAMES[kind] == 1)  # the others ask about what moves


def still_documents(num_videos: int) -> list[Document]:
    """PER_VIDEO questions about each of so many videos, those first that most could be asked about.

    Neither things nor camera move and nothing comes or goes; only the grain of the film is another in each frame.
    """
    of_video: dict[int, list[Item]] = {}
    for item in _items():
        of_video.setdefault(item.video, []).append(item)
    videos = sorted(of_video.values(), key=lambda own: -len(own))[:num_videos]
    clips = [(SceneClip(f"still {own[0].video}", own[0].scene), own[:PER_VIDEO]) for own in videos]
    return [Document(clip, item.question.text, wanted(item)) for clip, own in clips for item in own]


def change(clip: Clip) -> float:
    """Mean difference of a pixel from that of the frame before, of 255, in as many frames as questions need."""
    shown = np.asarray(clip.frames(NUM_FRAMES), dtype=np.float32)
    return float(np.abs(np.diff(shown, axis=0)).mean())


def still_scene(seed: int) -> WideScene:
    """A scene of the wide world without its actions, moves of the camera and things that turn."""
    scene = make_wide_scene(seed, static=True)
    return replace(scene, things=tuple(thing.resting(0.0) for thing in scene.things))


@cache
def _items() -> list[Item]:
    times = frame_times(NUM_FRAMES)
    return balanced_set(
        still_scene,
        STILL_SEED,
        PER_TYPE,
        KINDS,
        asks=lambda scene, kind, rng: ask_wide(scene, kind, rng, times, KEPT_SHARE),
        answers=WIDE_ANSWERS,
    )
