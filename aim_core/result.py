"""Result: what one run gives back, as plain records."""

from __future__ import annotations

from dataclasses import dataclass

from aim_core.config import AimConfig
from aim_core.cost import Cost
from aim_core.methods.base import Method
from aim_core.trace import Trace


@dataclass(frozen=True)
class Timing:
    """Milliseconds by the clock, on the device the model runs on.

    vision_ms:  preprocessing and the vision tower; next to 0 where those of an earlier run were used again.
    merge_ms:   merging inside frames.
    prefill_ms: the language model's prefill, PageRank included (the median, if timed more than once).
    decode_ms:  all generated tokens after the first.
    """

    vision_ms: float
    merge_ms: float
    prefill_ms: float
    decode_ms: float


@dataclass(frozen=True, eq=False)
class Result:
    """The answer to one question and how it came about.

    answer_ids: generated token ids, the end mark included if one was reached.
    """

    answer: str
    answer_ids: tuple[int, ...]
    config: AimConfig | Method
    trace: Trace
    cost: Cost
    timing: Timing
