"""Segments: a video cut where neighbouring frames differ most."""

from __future__ import annotations

from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor


def cut_where_different(frames: Tensor, threshold: float, at_least: int) -> list[range]:
    """Cut where the cosine of neighbouring frames is below `threshold`, and at the at_least - 1 lowest.

    frames: (T, d), a feature of each frame. Ties go to the earlier cut. (FastVID, arXiv 2503.11187)
    """
    unit = F.normalize(frames, dim=-1)
    alike = (unit[1:] * unit[:-1]).sum(dim=-1)  # (T - 1,)
    lowest = alike.argsort(stable=True)[: at_least - 1].tolist()
    cuts = sorted({*lowest, *(alike < threshold).nonzero()[:, 0].tolist()})
    edges = [0, *(cut + 1 for cut in cuts), len(frames)]
    return [range(start, end) for start, end in pairwise(edges)]
