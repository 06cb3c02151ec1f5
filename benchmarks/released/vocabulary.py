"""Tokenizers with the special tokens of released ones at their places; the text between is learned from what is given.

The released vocabularies are not at hand. What the engine needs of a tokenizer is that special tokens are where a
checkpoint's configuration says, and that a question is about as many tokens as it would be.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache

from tokenizers import AddedToken, Tokenizer, decoders, pre_tokenizers, processors, trainers
from tokenizers.models import BPE
from transformers import PreTrainedTokenizerFast

_LEARNED = 2000  # tokens of text, before fillers up to the first special one


def tokenizer(
    special: dict[int, str], text: Iterable[str] = (), *, eos: str, pad: str, bos: str = "", **named: str
) -> PreTrainedTokenizerFast:
    """Byte-level BPE learned from `text`; every other id up to the last special one is a filler.

    special: id → token. bos: put before every text, as Llama's tokenizer does.
    named:   special tokens that a processor asks its tokenizer for, such as InternVL's `start_image_token`.
    """
    made = Tokenizer(BPE(*_learned(tuple(text), tuple(special.items()))))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in special.values()])
    if bos:
        start = (bos, made.token_to_id(bos))
        made.post_processor = processors.TemplateProcessing(single=f"{bos} $A", special_tokens=[start])
    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        eos_token=eos,
        pad_token=pad,
        bos_token=bos or None,
        padding_side="left",
        extra_special_tokens=named,
        clean_up_tokenization_spaces=False,
    )


@cache
def _learned(text: tuple[str, ...], special: tuple[tuple[int, str], ...]) -> tuple[dict[str, int], list]:
    """Vocabulary and merges."""
    trained = Tokenizer(BPE())
    trained.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=_LEARNED, initial_alphabet=alphabet, show_progress=False)
    trained.train_from_iterator(text, trainer)
    words = sorted(trained.get_vocab(), key=trained.token_to_id)
    at, vocabulary = dict(special), {}
    left = iter(words)
    for place in range(max(at) + 1):
        vocabulary[at.get(place) or next(left, f"<filler {place}>")] = place
    return vocabulary, _merges(trained)


def _merges(trained: Tokenizer) -> list[tuple[str, str]]:
    """The pairs that were learned, in their order."""
    return [tuple(pair) for pair in json.loads(trained.to_str())["model"]["merges"]]
