"""Patches record: the attention of each word to every patch, by layer and head, packed into JSON."""

from __future__ import annotations

from typing import Any

from aim_core.result import Result
from aim_core.token_attention import TokenAttention
from page.components.explorer.packing import packed
from page.token_text import answer_words


def patches_record(runs: dict[str, Result], tokenizer: Any) -> dict | None:
    """What patches.js draws, of runs that were made of the same frames; None where one of them did not record it.

    grids: rows and columns of each view. numLayers, numHeads: of the model; a single head is the mean over all, of
    every run as soon as of one. sides: for each run words, how many of its words were recorded, the first ones; and as
    in `TokenAttention`, for words in place of tokens: row int32, last int16, levels uint8, peaks float32.
    """
    if not is_recorded(runs):
        return None
    found = {side: result.token_attention for side, result in runs.items()}
    num_heads = min(own.num_heads for own in found.values())
    if num_heads == 1:
        found = {side: own.over_heads() for side, own in found.items()}
    views = next(iter(runs.values())).trace.all_views
    return {
        "grids": [list(view.grid) for view in views],
        "numLayers": next(iter(found.values())).num_layers,
        "numHeads": num_heads,
        "sides": [_side(own, answer_words(tokenizer, runs[side].answer_ids)) for side, own in found.items()],
    }


def is_recorded(runs: dict[str, Result]) -> bool:
    """Whether every run recorded attention by patch."""
    return all(result.token_attention.num_tokens for result in runs.values())


def _side(attention: TokenAttention, words: list[tuple[str, list[int]]]) -> dict:
    own = attention.words([places for _, places in words])
    return {
        "words": own.num_tokens,
        "row": packed(own.row, "<i4"),
        "last": packed(own.last, "<i2"),
        "levels": packed(own.levels, "u1"),
        "peaks": packed(own.peaks, "<f4"),
    }
