"""Chat: the text that a chat template puts between an answer and the next one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from transformers import ProcessorMixin

_ANSWER = "ANSWER"


def first_turn(parts: Sequence[str], question: str) -> dict[str, Any]:
    """The message that a conversation begins with; parts: what stands before the question, such as "video"."""
    return {"role": "user", "content": [*({"type": part} for part in parts), {"type": "text", "text": question}]}


def further_turn(
    processor: ProcessorMixin, parts: Sequence[str], turns: Sequence[tuple[str, str]], question: str
) -> str:
    """What the template writes behind the last answer: the answer's end, the question, and the next answer's beginning.

    parts: as in `first_turn`. turns: questions and answers so far, at least one.
    Raises ValueError for a template that leaves earlier answers out.
    """
    mark = _ANSWER
    while any(mark in text for turn in [*turns, (question, "")] for text in turn):
        mark += "."
    answers = [*(answer for _, answer in turns[:-1]), mark]
    messages = [first_turn(parts, turns[0][0])]
    for answer, (asked, _) in zip(answers, [*turns[1:], (question, "")], strict=True):
        messages.append({"role": "assistant", "content": [{"type": "text", "text": answer}]})
        messages.append({"role": "user", "content": [{"type": "text", "text": asked}]})
    whole = processor.apply_chat_template(messages, add_generation_prompt=True)
    _, found, tail = str(whole).partition(mark)
    if not found:
        raise ValueError("this model's chat template leaves earlier answers out: ask each question anew")
    return tail
