"""Spoken: the page's fixed texts in the language of the one who reads them, English or Chinese."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import gradio as gr
from gradio.context import LocalContext
from gradio.i18n import I18nData

from page import words as en
from page.words import zh

GRADIO_NAMES = {"en": "en", "zh": "zh-CN"}  # what Gradio calls the two
I18N = gr.I18n(**{name: {} for name in GRADIO_NAMES.values()})  # filled by `shown`, given to `launch`


def translated(english: Any, chinese: Any) -> Any:
    """A text, or a dict or list of texts, in Chinese; in English where there is no translation."""
    if isinstance(english, dict):
        return {key: translated(text, (chinese or {}).get(key)) for key, text in english.items()}
    if isinstance(english, (list, tuple)):
        return [translated(*pair) for pair in zip(english, chinese or [None] * len(english), strict=True)]
    return english if chinese is None else chinese


def _texts(module: object) -> dict:
    return {name: value for name, value in vars(module).items() if name.isupper()}


TEXTS: dict[str, dict] = {"en": _texts(en), "zh": translated(_texts(en), _texts(zh))}


def both(name: str) -> dict[str, object]:
    """The texts called `name`, by language: what a component's script chooses from."""
    return {language: texts[name] for language, texts in TEXTS.items()}


def text(name: str) -> I18nData:
    """The text called `name` ("RUN", "PICTURES.groups") for a component of Gradio."""
    return shown(name, {language: _at(texts, name) for language, texts in TEXTS.items()})


def shown(key: str, texts: dict[str, str]) -> I18nData:
    """Texts by language for a component of Gradio, under a key of their own."""
    for language, words in texts.items():
        I18N.translations[GRADIO_NAMES[language]][key] = words
    return I18N(key)


def said() -> SimpleNamespace:
    """All texts in the language of the request that is being answered; English outside of one."""
    return SimpleNamespace(**TEXTS[language()])


def language() -> str:
    """Of the request that is being answered; English outside of one."""
    return language_of(LocalContext.request.get(None))


def language_of(request: gr.Request | None) -> str:
    """`lang` in the query of the page that asks, else the browser's first language: "zh" or "en"."""
    headers = getattr(request, "headers", None) or {}
    asked = parse_qs(urlsplit(headers.get("referer", "")).query).get("lang", [""])[0]
    known = asked if asked[:2].lower() in TEXTS else headers.get("accept-language", "")
    return "zh" if known.strip().lower().startswith("zh") else "en"


def _at(texts: dict, name: str) -> str:
    """The text at a path such as "PICTURES.groups"."""
    found: Any = texts
    for part in name.split("."):
        found = found[part]
    return found
