"""Recorder: what `aim` saw happen, prefill by prefill."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from torch import Tensor

from aim_core.trace import LayerTrace, Trace, View


@dataclass(frozen=True, eq=False)
class Record:
    """What one prefill did to the visual tokens of one sample.

    views:    the grids of patches behind the visual tokens.
    groups:   for each view (patches,) int64, the visual row each patch ended in; separators have rows too.
    rounds:   for each view, its rounds of merging, see `Merged`.
    plan:     visual tokens that the method lets into each layer.
    kept:     for each layer (k,) int64, ascending visual rows that entered it.
    scores:   for each layer (k,) the scores of those rows, or None where none were needed.
    num_text: for each layer, the rows of text that entered it.
    """

    views: tuple[View, ...]
    groups: tuple[Tensor, ...]
    rounds: tuple[tuple[Tensor, ...], ...]
    plan: tuple[int, ...]
    kept: list[Tensor] = field(default_factory=list)
    scores: list[Tensor | None] = field(default_factory=list)
    num_text: list[int] = field(default_factory=list)

    def trace(self, frames: np.ndarray, times: np.ndarray) -> Trace:
        """As NumPy records, with the frames (F, H, W, 3) uint8 and their times (F,) in seconds."""
        layers = tuple(
            LayerTrace(index, kept.cpu().numpy(), _numpy(scores))
            for index, (kept, scores) in enumerate(zip(self.kept, self.scores, strict=True))
        )
        rows = [group.cpu().numpy() for group in self.groups]
        rounds = [[new.cpu().numpy() for new in own] for own in self.rounds]
        return Trace.of_views(frames, times, self.views, rows, layers, np.array(self.plan, dtype=np.int64), rounds)


@dataclass(eq=False)
class Recorder:
    """What happened inside one `aim` block.

    records:  one Record for each sample of the latest prefill that had visual tokens.
    merge_ms: time that prefill took to merge, by the clock.
    """

    records: list[Record] = field(default_factory=list)
    merge_ms: float = 0.0

    @property
    def record(self) -> Record:
        """The only sample's record. Raises ValueError if there was none, or more than one."""
        if len(self.records) != 1:
            raise ValueError(f"expected one sample with visual tokens, got {len(self.records)}")
        return self.records[0]


def _numpy(scores: Tensor | None) -> np.ndarray:
    return np.zeros(0, dtype=np.float32) if scores is None else scores.float().cpu().numpy()
