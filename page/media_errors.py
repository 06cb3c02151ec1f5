"""Media errors: what `aim_core` says is wrong with a file, in the language of the page's reader."""

from __future__ import annotations

import re
import tomllib
from functools import cache

from page.i18n import LOCALES, language


def media_error(sentence: str) -> str:
    """A sentence of `aim_core.media` in the language of the request that is being answered; one that has no translation
    stays as it is."""
    if language() == "en":
        return sentence
    words, templates = _chinese()
    for pattern, translation in templates:
        if found := pattern.fullmatch(sentence):
            return translation.format(**{name: _in_words(value, words) for name, value in found.groupdict().items()})
    return sentence


@cache
def _chinese() -> tuple[dict[str, str], list[tuple[re.Pattern, str]]]:
    """Words, and each sentence as a pattern with its translation."""
    read = tomllib.loads((LOCALES / "media_errors_zh.toml").read_text(encoding="utf-8"))
    named = [
        (re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+?)", re.escape(english)), own)
        for english, own in read["sentences"].items()
    ]
    return read["words"], [(re.compile(pattern), own) for pattern, own in named]


def _in_words(value: str, words: dict[str, str]) -> str:
    return " ".join(words.get(word, word) for word in value.split())
