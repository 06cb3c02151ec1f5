"""Spelling: tokens as text that a reader knows, and an answer's tokens put together to words."""

from __future__ import annotations

from typing import Any

from page.spoken import said

_FIRST_IDEOGRAPH = "\u2e80"  # from here on, scripts that put no space between words


def token_text(tokenizer: Any, token: int) -> str:
    """One token as text without spaces around it; the end mark and a lone space have a name."""
    if token == tokenizer.eos_token_id:
        return said().END_TOKEN
    return tokenizer.decode([token]).strip() or said().SPACE_TOKEN


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
