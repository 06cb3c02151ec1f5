"""Internationalisation: the fixed texts of the page, read from locales/, in the language of its reader."""

from __future__ import annotations

import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import gradio as gr
from gradio.context import LocalContext
from gradio.i18n import I18nData

LOCALES = Path(__file__).parent / "locales"
GRADIO_NAMES = {"en": "en", "zh": "zh-CN"}  # what Gradio calls the two languages
I18N = gr.I18n(**{name: {} for name in GRADIO_NAMES.values()})  # filled by `translatable`, given to `launch`


def _read(language: str) -> dict[str, Any]:
    """Every text of a language by its name; the tables of the file are for its reader only."""
    parts = tomllib.loads((LOCALES / f"{language}.toml").read_text(encoding="utf-8"))
    found = {name: value for part in parts.values() for name, value in part.items()}
    for component in ("EXPLORER", "WORD_FRAMES"):
        found[component]["names"] = found["NAMES"]  # of views
    found["COMPARE"]["captions"] = found["EXPLORER"]["captions"]
    return found


STRINGS: dict[str, dict[str, Any]] = {language: _read(language) for language in GRADIO_NAMES}
ENGLISH = STRINGS["en"]


def strings() -> SimpleNamespace:
    """All texts in the language of the request that is being answered; English outside of one."""
    return SimpleNamespace(**STRINGS[language()])


def text(name: str) -> I18nData:
    """The text called `name` ("RUN", "PICTURES.groups") for a component of Gradio."""
    return translatable(name, {language: _at(texts, name) for language, texts in STRINGS.items()})


def translatable(key: str, texts: dict[str, str]) -> I18nData:
    """Texts by language for a component of Gradio, under a key of their own."""
    for language, own in texts.items():
        I18N.translations[GRADIO_NAMES[language]][key] = own
    return I18N(key)


def by_language(name: str) -> dict[str, object]:
    """The texts called `name`, by language: what a component's script chooses from."""
    return {language: texts[name] for language, texts in STRINGS.items()}


def language() -> str:
    """Of the request that is being answered; English outside of one."""
    return language_of(LocalContext.request.get(None))


def language_of(request: gr.Request | None) -> str:
    """`lang` in the query of the page that asks, else the browser's first language: "zh" or "en"."""
    headers = getattr(request, "headers", None) or {}
    asked = parse_qs(urlsplit(headers.get("referer", "")).query).get("lang", [""])[0]
    known = asked if asked[:2].lower() in STRINGS else headers.get("accept-language", "")
    return "zh" if known.strip().lower().startswith("zh") else "en"


def _at(texts: dict, name: str) -> str:
    """The text at a path such as "PICTURES.groups"."""
    found: Any = texts
    for part in name.split("."):
        found = found[part]
    return found
