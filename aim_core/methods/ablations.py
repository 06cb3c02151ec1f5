"""Merge only and prune only: AIM (arXiv 2412.03248) with one of its two halves left out."""

from __future__ import annotations

from aim_core.config import AimConfig, LinearSchedule
from aim_core.methods.aim import MergeSimilar, aim_method
from aim_core.methods.base import Method
from aim_core.methods.before_decoder import before_decoder


def merge_only(keep_ratio: float = 0.25) -> Method:
    """AIM's merging; every merged token enters all layers.

    Tokens entering each layer: ceil(keep_ratio x patches) a view.
    """
    return before_decoder("merge only", MergeSimilar(keep_ratio))


def prune_only(l1: int = 14, l2: int = 22) -> Method:
    """AIM's pruning by PageRank without merging; the layers are the paper's for 28.

    Tokens entering each layer: all n up to l1, then (l2 - layer) / (l2 - l1) x n, none from l2 on.
    """
    LinearSchedule(l1, l2)  # raises for layers that do not fit
    method = aim_method(AimConfig(1.0, l1, l2))
    return Method("prune only", method.merger, method.schedule, method.scorer)
