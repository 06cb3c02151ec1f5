"""Method texts: what `aim_core` says of methods, in the language of the page's reader."""

from __future__ import annotations

import tomllib
from functools import cache

from aim_core.methods.registry import METHODS
from aim_core.reasons import Reason
from page.i18n import LOCALES, STRINGS, language


def method_title(name: str, reader: str | None = None) -> str:
    """Of a method of the registry; reader: a language, that of the request that is being answered if left out."""
    return _said("titles", METHODS[name].title, reader or language())


def method_variant(name: str) -> str:
    """What differs from the method as released; "" for nothing."""
    return _said("variants", METHODS[name].variant, language())


def reason_text(reason: Reason | None) -> str:
    """In a sentence; "" for none. An error that has no code is English, and is told in that language alone."""
    if reason is None or language() == "en":
        return str(reason or "")
    read = _chinese()
    words = STRINGS["zh"]["MEASURES"] | read["steps"] | read["titles"]
    return reason.told(read["sentences"] | read["clauses"], words, read["clauses"]["unknown"])


def _said(part: str, english: str, reader: str) -> str:
    return english if reader == "en" else _chinese()[part].get(english, english)


@cache
def _chinese() -> dict[str, dict[str, str]]:
    return tomllib.loads((LOCALES / "methods_zh.toml").read_text(encoding="utf-8"))
