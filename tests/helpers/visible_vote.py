"""PageRank without the votes of masked rows, so that dropping and masking can be compared exactly."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from aim_core.methods.aim import PageRank
from aim_core.methods.counts import where_needed


@dataclass(frozen=True)
class VisibleVote:
    """PageRank in which rows that are masked have no vote: their start mass is removed."""

    def __call__(self, query, key, scale):
        seen = torch.ones(key.shape[2], dtype=torch.bool)
        if key.shape[-1] > 64:  # the feature that hides masked rows
            seen = key[0, 0, :, -1] == 0
        scores = torch.zeros(1, key.shape[2])
        scores[:, seen] = PageRank()(query[:, :, seen, :64], key[:, :, seen, :64], scale)
        return scores

    def layers(self, plan):
        return where_needed(plan)
