"""Summary: from the lines of a sweep to one record for each setting: how good it is, and what it costs."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from aim_lab.intervals import bootstrap, mean_over_questions
from aim_lab.line import Line
from aim_lab.settings import Setting

FEWEST_VIDEOS = 30  # with fewer, intervals drawn from the videos themselves are too narrow
COSTS = {"flops": "FLOPs of the prefill", "ms": "prefill, ms", "kv": "KV cache, MiB"}
VALUES = {"accuracy": "right answers", "agreement": "answers as the dense model's"}


@dataclass(frozen=True)
class Interval:
    """A number and the ends of its 95 % interval, whole videos drawn."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        """In per cent."""
        return f"{100 * self.value:.1f} ({100 * self.low:.1f}–{100 * self.high:.1f})"


@dataclass(frozen=True)
class Row:
    """One setting over all questions that it answered.

    n, num_videos: questions and videos; refused: questions that it was not run on.
    accuracy:      share of right answers; None unless the right answer is known of all.
    agreement:     share of answers that the dense model gives too; first_token: of first tokens.
    kl:            mean over questions, in nats; infinite ones count as the largest finite one.
    flops, kv:     means: operations of the prefill, and MiB of the KV cache; mean_tokens: visual ones, over layers too.
    ms:            median of the questions' median prefills.
    """

    setting: Setting
    n: int
    num_videos: int
    refused: int
    accuracy: Interval | None
    agreement: Interval
    first_token: float
    kl: float
    flops: float
    ms: float
    kv: float
    mean_tokens: float

    @property
    def has_interval(self) -> bool:
        """Whether there are so many videos that drawing them again tells how sure a number is."""
        return self.num_videos >= FEWEST_VIDEOS

    def value(self, name: str) -> Interval:
        """One of VALUES. Raises ValueError where right answers are not known."""
        found: Interval | None = getattr(self, name)
        if found is None:
            raise ValueError("not all questions have a right answer: go by agreement with the dense model")
        return found

    def as_dict(self) -> dict[str, Any]:
        """As plain data."""
        told = asdict(self)
        own = {"name": str(self.setting), "method": self.setting.method, "settings": self.setting.settings}
        return own | {"num_frames": self.setting.num_frames} | {k: v for k, v in told.items() if k != "setting"}


def summarise(lines: Iterable[Line]) -> list[Row]:
    """A row for each setting that answered anything, in the order in which the lines name them."""
    of_setting: dict[Setting, list[Line]] = {}
    for line in lines:
        of_setting.setdefault(line.setting, []).append(line)
    rows = (_row(setting, own) for setting, own in of_setting.items())
    return [row for row in rows if row is not None]


def _row(setting: Setting, lines: Sequence[Line]) -> Row | None:
    own = [line for line in lines if not line.refused]
    if not own:
        return None
    known = all(line.wanted for line in own)
    finite = [line.kl for line in own if line.kl is not None]
    return Row(
        setting,
        len(own),
        len({line.video for line in own}),
        len(lines) - len(own),
        share([bool(line.right) for line in own], own) if known else None,
        share([line.same_answer for line in own], own),
        statistics.fmean(line.first_token_agrees for line in own),
        statistics.fmean(max(finite, default=0.0) if line.kl is None else line.kl for line in own),
        statistics.fmean(line.flops for line in own),
        statistics.median(statistics.median(line.prefill_ms) for line in own),
        statistics.fmean(line.kv_bytes for line in own) / 2**20,
        statistics.fmean(line.mean for line in own),
    )


def share(true: Sequence[bool], lines: Sequence[Line]) -> Interval:
    """Share of what is true, with its interval."""
    return Interval(*mean_over_questions(np.array(true), lines))


def mean(values: Sequence[float], lines: Sequence[Line]) -> Interval:
    """Mean of numbers, with its interval."""
    return Interval(*bootstrap(np.array(values), lines, [0] * len(lines)))


def front(rows: Sequence[Row], cost: str = "flops", value: str = "accuracy") -> list[Row]:
    """The Pareto front, cheapest first: the rows that no other beats in cost and value at once.

    cost: of COSTS; value: of VALUES. Of rows with the same cost and value, the first. Raises what `Row.value` does.
    """
    found: list[Row] = []
    for row in sorted(rows, key=lambda row: (getattr(row, cost), -row.value(value).value)):
        if not found or row.value(value).value > found[-1].value(value).value:
            found.append(row)
    return found
