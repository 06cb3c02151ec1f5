"""Attention: how much of it falls on the patches of the one thing a question asks about, layer by layer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from aim_core.config import AimConfig
from aim_core.methods.aim import MergeSimilar, PageRank
from aim_core.methods.base import Method
from aim_core.methods.scorers import LastTokenAttention
from aim_core.ops.pagerank import causal_correction
from training.batched_inference import Video
from training.eval_sets import Item
from training.world import frame_times, owner_map

SCORERS = ("last token's attention", "PageRank", "PageRank, causal")


class ScoreRecorder:
    """A scorer that records what each of SCORERS gives in every layer, (n,) scores; its schedule prunes nothing."""

    def __init__(self):
        self.scores: dict[str, list[Tensor]] = {name: [] for name in SCORERS}

    def __call__(self, query: Tensor, key: Tensor, scale: float) -> Tensor:
        rank = PageRank()(query, key, scale)
        found = (LastTokenAttention()(query, key, scale), rank, causal_correction(rank))
        for name, scores in zip(SCORERS, found, strict=True):
            self.scores[name].append(scores[0])
        return rank

    def layers(self, plan: Sequence[int]) -> frozenset[int]:
        return frozenset(range(len(plan)))


def is_about_one(item: Item) -> bool:
    """Whether there is one thing to look at."""
    return item.combination is not None


def one_each(items: list[Item], most: int) -> list[Item]:
    """Up to `most` questions about one thing, one of each video, so that they are independent."""
    return list({item.video: item for item in items if is_about_one(item)}.values())[:most]


def object_shares(video: Video, item: Item, num_frames: int) -> dict:
    """Of the mass on patches, the share on those of the thing asked about; whole model, nothing merged or pruned.

    chance: the thing's share of the patches; for each of SCORERS one share a layer.
    """
    rows, recorder = video.adapter.grid[0], ScoreRecorder()
    own = owner_map(item.scene, frame_times(num_frames), rows).reshape(-1) == item.question.about[0]
    start = video.record_scores(
        Method("recorded", MergeSimilar(1.0), AimConfig.dense().schedule, recorder), item.question.text
    )
    shares = {name: [_share(scores, own, start) for scores in layers] for name, layers in recorder.scores.items()}
    return {"chance": float(own.mean())} | shares


def _share(scores: Tensor, own: np.ndarray, start: int) -> float:
    """scores (rows of the prompt,), the first patch's at `start`; own (n,) bool."""
    patches = scores[start : start + len(own)].numpy()
    return float(patches[own].sum() / patches.sum())
