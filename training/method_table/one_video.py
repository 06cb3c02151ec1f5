"""One video: every method asked all questions about it, with what does not depend on the question done once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from aim_core.adapters.base import Adapter
from aim_core.budget import Budget, Unreachable, solve
from aim_core.config import AimConfig
from aim_core.methods.aim import as_method
from aim_core.methods.base import Method, tower_share
from aim_core.methods.registry import METHODS, make_method
from aim_core.result import Planned
from aim_core.workload import Shares, Workload
from training.batched_inference import Video, prompt


@dataclass(frozen=True)
class Answered:
    """What a method said to one question, with the settings that it met the budget by and what it cost."""

    answer: str
    settings: dict
    shares: Shares


@dataclass(frozen=True)
class Refused:
    """Why a method cannot be asked, in a sentence, and the nearest budget that it could meet, if it is that."""

    why: str
    limit: float | None = None


@dataclass(eq=False)
class OneVideo:
    """A video and the questions about it, all that it is ever asked.

    The tower runs once, and again for each method that merges in its layers. A budget is solved once for all questions,
    as that of a prompt of their mean length; what each really costs is told with its answer.
    seed: what methods draw by chance.
    """

    adapter: Adapter
    frames: np.ndarray
    questions: Sequence[str]
    seed: int
    max_new_tokens: int
    _counts: dict[str, list[int]] = field(default_factory=dict)

    def __post_init__(self):
        with torch.inference_mode():
            self._video = Video(self.adapter, self.frames, tower=True)
        self._last_inside: tuple[Method, Video] | None = None
        self._dense = as_method(AimConfig.dense())
        self._workloads: dict[int, Workload] = {}
        self._num_text = {text: self._length(text) for text in self.questions}
        self._usual = self._workload(round(sum(self._num_text.values()) / len(self._num_text)))

    def dense(self, questions: Sequence[str]) -> list[Answered]:
        """Some of the questions, answered by the model itself."""
        return self._answered(self._dense, {}, questions)

    def asked(self, name: str, budget: float, questions: Sequence[str]) -> list[Answered] | Refused:
        """Some of the questions, answered by a method of the registry at a share of the dense FLOPs."""
        entry = METHODS[name]
        try:
            found = solve(name, Budget(budget), self._usual, self._count)
            if isinstance(found, Unreachable):
                return Refused(found.reason, found.limit)
            settings = found.settings | ({"seed": self.seed} if "seed" in entry.settings else {})
            return self._answered(make_method(name, **settings), settings, questions)
        except Exception as error:  # one method that breaks must not end the measurement of all others
            return Refused(f"{entry.title} cannot run here: {error}.")

    def _answered(self, method: Method, settings: dict, questions: Sequence[str]) -> list[Answered]:
        said = self._video_for(method).said(method, list(questions), self.max_new_tokens)
        found = []
        for question, own in zip(questions, said, strict=True):
            workload = self._workload(self._num_text[question])
            shares = workload.shares(own.visual_per_layer, workload.others_per_layer(method))
            found.append(Answered(own.answer, settings, shares))
        return found

    def _count(self, method: Method) -> list[int]:
        key = repr(method)
        if key not in self._counts:
            self._counts[key] = self._video_for(method).counts(method)
        return self._counts[key]

    def _video_for(self, method: Method) -> Video:
        """The video as its tower leaves it under a method; of those that merge in the tower the last is remembered."""
        if tower_share(method.merger) == 1:
            return self._video
        if self._last_inside is None or self._last_inside[0] != method:
            self._last_inside = method, Video(self.adapter, self.frames, inside=method)
        return self._last_inside[1]

    def _workload(self, num_text: int) -> Workload:
        if num_text not in self._workloads:
            dense = Planned(self._video.views, tuple(self._count(self._dense)), num_text)
            self._workloads[num_text] = Workload.of(self.adapter, dense)
        return self._workloads[num_text]

    def _length(self, question: str) -> int:
        """Text tokens of a prompt."""
        return sum(map(len, prompt(self.adapter, question, 0)))
