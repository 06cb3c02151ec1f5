"""Token text: tokens as readable text, and the tokens of an answer joined into words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from aim_core.result import Result
from page.i18n import strings

NUM_LIKELY = 5  # of each run's likeliest first tokens are shown
_UNKNOWN = "?"  # a token that a saved run says nothing of
_FIRST_IDEOGRAPH = "\u2e80"  # from here on, scripts that put no space between words


def token_text(tokenizer: Any, token: int) -> str:
    """One token as text without spaces around it; special tokens and a lone space have a name."""
    if token == tokenizer.eos_token_id:
        return strings().END_TOKEN
    text = tokenizer.decode([token]).strip()
    if token in tokenizer.all_special_ids:
        name = re.sub(r"\W+", " ", text).strip()
        return strings().SPECIAL_TOKENS.get(name) or strings().SPECIAL_TOKEN.format(name=name)
    return text or strings().SPACE_TOKEN


def answer_words(tokenizer: Any, tokens: tuple[int, ...]) -> list[tuple[str, list[int]]]:
    """The words of an answer, each with the places of its tokens in `tokens`. Special tokens are no words."""
    found: list[tuple[str, list[int]]] = []
    written, waiting = "", []
    for place in range(len(tokens)):
        text = tokenizer.decode(tokens[: place + 1], skip_special_tokens=True)
        added = text[len(written) :]
        if not added:
            continue
        waiting.append(place)
        if added.endswith("\ufffd") or not added.strip():
            continue  # half a letter, or a space before a word
        if not found or _begins(added, written):
            found.append((added.strip(), waiting))
        else:
            found[-1] = (found[-1][0] + added.rstrip(), found[-1][1] + waiting)
        written, waiting = text, []
    return found


def _begins(added: str, written: str) -> bool:
    return added[0].isspace() or written[-1:].isspace() or added[0] >= _FIRST_IDEOGRAPH


@dataclass(frozen=True)
class SavedTokens:
    """The tokens of a saved run as text, in the place of the tokenizer that a replay does without.

    tokens: id → text. answers: the first ids of an answer, one more each time → the text of them so far.
    all_special_ids: those of `tokens` that are special.
    """

    tokens: dict[int, str] = field(default_factory=dict)
    answers: dict[tuple[int, ...], str] = field(default_factory=dict)
    eos_token_id: int | None = None
    all_special_ids: tuple[int, ...] = ()

    @classmethod
    def of(cls, runs: dict[str, Result], tokenizer: Any) -> SavedTokens:
        """What the page asks a tokenizer about these runs."""
        likely = {
            int(token)
            for run in runs.values()
            for token in np.argsort(-run.first_token_logprobs, kind="stable")[:NUM_LIKELY]
        }
        tokens = {token: tokenizer.decode([token]) for token in sorted(likely)}
        special = tuple(token for token in tokens if token in tokenizer.all_special_ids)
        starts = [run.answer_ids[: end + 1] for run in runs.values() for end in range(len(run.answer_ids))]
        answers = {start: tokenizer.decode(start, skip_special_tokens=True) for start in starts}
        return cls(tokens, answers, tokenizer.eos_token_id, special)

    def decode(self, ids: Sequence[int], skip_special_tokens: bool = False) -> str:
        """As a tokenizer's own: one token, or the start of an answer without its special tokens."""
        if skip_special_tokens:
            return self.answers.get(tuple(ids), "")
        return self.tokens.get(ids[0], _UNKNOWN)
