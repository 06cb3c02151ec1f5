"""Spelling of a saved run: its tokens as text, in the place of the tokenizer that a replay does without."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from aim_core.result import Result
from page.panels.chances import TOP

UNKNOWN = "?"


@dataclass(frozen=True)
class Spelling:
    """tokens: id → text. answers: the first ids of an answer, one more each time → the text of them so far."""

    tokens: dict[int, str] = field(default_factory=dict)
    answers: dict[tuple[int, ...], str] = field(default_factory=dict)
    eos_token_id: int | None = None

    @classmethod
    def of(cls, runs: dict[str, Result], tokenizer: Any) -> Spelling:
        """What the page asks a tokenizer about these runs."""
        likely = {int(token) for run in runs.values() for token in np.argsort(-run.first, kind="stable")[:TOP]}
        tokens = {token: tokenizer.decode([token]) for token in sorted(likely)}
        starts = [run.answer_ids[: end + 1] for run in runs.values() for end in range(len(run.answer_ids))]
        answers = {start: tokenizer.decode(start, skip_special_tokens=True) for start in starts}
        return cls(tokens, answers, tokenizer.eos_token_id)

    def decode(self, ids: Sequence[int], skip_special_tokens: bool = False) -> str:
        """As a tokenizer's own: one token, or the start of an answer without its special tokens."""
        if skip_special_tokens:
            return self.answers.get(tuple(ids), "")
        return self.tokens.get(ids[0], UNKNOWN)
