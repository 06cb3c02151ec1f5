"""RowQuota: how many audio or text rows of each sample enter each layer, by a count of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from aim_core.forward.batch import Batch
from aim_core.methods.base import AudioMethod, Schedule
from aim_core.methods.counts import check_schedule


@dataclass(frozen=True, eq=False)
class RowQuota:
    """Rows that leave by a count of their own: none in the place of a visual token.

    rows:    (b, n) bool, rows of merged prompts, no padding among them.
    counts:  for each sample, how many of them enter each layer.
    merged:  whether some may have been merged before.
    """

    rows: Tensor
    counts: Sequence[list[int]]
    merged: bool = False

    @classmethod
    def of_audio(cls, batch: Batch, method: AudioMethod | None, num_layers: int, first_droppable: int) -> RowQuota:
        """What a method says of a batch; without a method, or audio, no row has a quota."""
        rows = batch.audio & batch.valid
        if method is None or not any(prompt.heard for prompt in batch.prompts):
            return cls.none(rows, num_layers)
        return cls.by(method.schedule, rows, num_layers, first_droppable, method.merger.reduces())

    @classmethod
    def by(
        cls, schedule: Schedule, rows: Tensor, num_layers: int, first_droppable: int, merged: bool = False
    ) -> RowQuota:
        """As a schedule says of so many rows. Raises what `check_schedule` does."""
        counts = []
        for count in rows.sum(dim=1).tolist():
            counts.append(list(schedule.tokens_entering(count, num_layers)))
            check_schedule(counts[-1], num_layers, count, first_droppable)
        return cls(rows, counts, merged)

    @classmethod
    def none(cls, rows: Tensor, num_layers: int) -> RowQuota:
        """For prompts like `rows` (b, n) none of whose rows has a quota."""
        return cls(torch.zeros_like(rows), [[0] * num_layers for _ in rows])

    @property
    def reduces(self) -> bool:
        """Whether anything is done to these rows."""
        return self.merged or any(own[-1] < own[0] for own in self.counts)

    def leaving(self, layer: int, sample: int) -> int:
        """How many go before `layer`."""
        return self.counts[sample][layer - 1] - self.counts[sample][layer] if layer else 0
