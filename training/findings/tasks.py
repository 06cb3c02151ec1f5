"""Tasks: what one process does with a few videos, and how all questions to a model are split into such shards."""

from __future__ import annotations

from functools import cache
from itertools import chain, groupby
from operator import attrgetter
from pathlib import Path

import torch

from aim_core.adapters.base import Adapter
from aim_core.loading import load_adapter
from aim_core.weights import weights_hash
from training.batched_inference import Video
from training.build import IMAGE_SIZE
from training.drawing import render
from training.eval_sets import Item
from training.findings.attention import object_shares
from training.findings.settings import Setting
from training.findings.shards import Shard
from training.world import Scene, frame_times

VIDEOS = 4  # of a shard
WEIGHT = 10  # looking at the attention takes about as long as so many answers
NUM_FRAMES = 8  # shown where attention is measured


def answer_shards(model: str, name: str, items: list[Item], settings: list[Setting]) -> list[Shard]:
    """The questions of one set under all settings that use it."""
    own, weights = [setting for setting in settings if setting.items == name], weights_hash(Path(model))
    return [
        Shard(_name(name, part), len(part) * len(own), answer, (model, part, own), (weights, part, own))
        for part in _parts(items, VIDEOS)
    ]


def attention_shards(model: str, items: list[Item]) -> list[Shard]:
    """The questions whose attention is measured."""
    weights = weights_hash(Path(model))
    return [
        Shard(_name("attention", part), WEIGHT * len(part), attention_shares, (model, part), (weights, part))
        for part in _parts(items, 4 * VIDEOS)
    ]


def answer(model: str, items: list[Item], settings: list[Setting]) -> dict[str, list[bool]]:
    """For each setting by name, whether each item was answered right."""
    adapter, right = _adapter(model), {setting.name: [] for setting in settings}
    words = adapter.processor.tokenizer.get_vocab()
    for number, group in groupby(items, key=attrgetter("video")):
        group = list(group)
        scene, asked = group[0].scene, [item.question for item in group]
        for num_frames, same in groupby(sorted(settings, key=attrgetter("num_frames")), key=attrgetter("num_frames")):
            video = _video(adapter, scene, num_frames)
            for setting in same:
                said = video.first_tokens(setting.method_for(number), [question.text for question in asked])
                right[setting.name] += [words[q.answer] == word for q, word in zip(asked, said, strict=True)]
    return right


def attention_shares(model: str, items: list[Item]) -> list[dict]:
    """`object_shares` of each item."""
    adapter = _adapter(model)
    return [object_shares(_video(adapter, item.scene, NUM_FRAMES), item, NUM_FRAMES) for item in items]


def _video(adapter: Adapter, scene: Scene, num_frames: int) -> Video:
    with torch.inference_mode():
        return Video(adapter, render(scene, frame_times(num_frames), IMAGE_SIZE))


@cache
def _adapter(model: str) -> Adapter:
    """The model of this process, loaded once."""
    return load_adapter(model)


def _parts(items: list[Item], num_videos: int) -> list[list[Item]]:
    """The items of `num_videos` videos at a time."""
    videos = [list(group) for _, group in groupby(items, key=attrgetter("video"))]
    return [list(chain(*videos[i : i + num_videos])) for i in range(0, len(videos), num_videos)]


def _name(what: str, items: list[Item]) -> str:
    return f"{what}-{items[0].video}-{items[-1].video}"
