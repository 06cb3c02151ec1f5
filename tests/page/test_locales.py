"""Texts: English and Chinese hold the same names and places, and each visitor gets one of the two."""

from __future__ import annotations

import re
import tomllib
from types import SimpleNamespace

import pytest

from page.assets import PAGE
from page.i18n import ENGLISH, GRADIO_NAMES, I18N, LOCALES, STRINGS, by_language, language_of, text, translatable

PARTS = sorted(tomllib.loads((LOCALES / "en.toml").read_text(encoding="utf-8")))
SAME = {  # names, and the words of English questions
    ".TITLE",
    ".COMPARE.columns.flops",
    ".LAB.columns.kl",
    ".LAB.columns.share",
    ".EXAMPLE_QUESTION",
    ".TALK_EXAMPLE",
    ".FIRST_TOKEN.token",
    ".EXPLORER.overlays.scores",
    ".EXPLORER.scorers.pagerank",
}


def leaves(value: object, path: str = "") -> dict[str, str]:
    """Every text of a table, by its path."""
    if isinstance(value, str):
        return {path: value}
    parts = value.items() if isinstance(value, dict) else enumerate(value)
    return {name: leaf for key, part in parts for name, leaf in leaves(part, f"{path}.{key}").items()}


def texts_of(language: str, part: str) -> dict[str, str]:
    return leaves(tomllib.loads((LOCALES / f"{language}.toml").read_text(encoding="utf-8"))[part])


def places(sentence: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", sentence))


@pytest.mark.parametrize("part", PARTS)
def test_every_text_exists_in_both_languages(part):
    english, chinese = texts_of("en", part), texts_of("zh", part)
    assert set(chinese) == set(english)
    for name, sentence in chinese.items():
        assert places(sentence) == places(english[name]) and sentence.strip(), name


@pytest.mark.parametrize("part", PARTS)
def test_chinese_is_chinese_and_english_is_english(part):
    for name, sentence in texts_of("zh", part).items():
        said = re.sub(r"\{\w+\}", "", sentence)
        assert re.search("[\u4e00-\u9fff]", said) or name in SAME or not re.search("[a-z]{3}", said), name
    for name, sentence in texts_of("en", part).items():
        assert not re.search("[\u4e00-\u9fff]", sentence), name


@pytest.mark.parametrize(
    "panel",
    [
        "estimate",
        "answers",
        "first_token",
        "explorer",
        "word_frames",
        "tour",
        "nav",
        "compare",
        "models",
        "talk",
        "lab",
        "questions",
        "pictures",
    ],
)
def test_a_panel_has_the_texts_that_it_names_and_uses_all(panel):
    folder = PAGE / "components" / panel
    source = "\n".join(path.read_text(encoding="utf-8") for kind in ("js", "html") for path in folder.glob(f"*.{kind}"))
    named = {*re.findall(r"\btexts\.(\w+)", source), *re.findall(r'data-(?:word|name)="(\w+)"', source)}
    texts = {*ENGLISH[{"answers": "ANSWER_PANEL", "pictures": "PICTURES_PANEL"}.get(panel, panel.upper())]}
    assert named <= texts
    spoken = texts - {"names", "captions", "dense", "aim", "hand"}  # by the kind of a view and by the run
    assert not [name for name in spoken if not re.search(rf"\b{name}\b", source)]


def test_no_name_is_in_two_parts():
    names = [name for part in PARTS for name in tomllib.loads((LOCALES / "en.toml").read_text())[part]]
    assert len(names) == len(set(names)) > 90


def test_gradio_gets_both_under_the_names_it_knows():
    assert text("PICTURES.groups").key == "PICTURES.groups"
    for language, name in GRADIO_NAMES.items():
        assert I18N.translations[name]["PICTURES.groups"] == STRINGS[language]["PICTURES"]["groups"]
    translatable("own", {"en": "one", "zh": "一"})
    assert I18N.translations["zh-CN"]["own"] == "一" and by_language("RUN") == {"en": "Run", "zh": "运行"}


@pytest.mark.parametrize(
    ("headers", "language"),
    [
        ({}, "en"),
        ({"accept-language": "zh-CN,zh;q=0.9,en;q=0.8"}, "zh"),
        ({"accept-language": "de,zh;q=0.5"}, "en"),
        ({"accept-language": "en-US", "referer": "http://localhost/?lang=zh"}, "zh"),
        ({"accept-language": "zh-TW", "referer": "http://localhost/?l1=3&lang=en"}, "en"),
        ({"accept-language": "zh-TW", "referer": "http://localhost/?lang=xx"}, "zh"),
    ],
)
def test_the_query_wins_over_the_browser(headers, language):
    assert language_of(SimpleNamespace(headers=headers)) == language


def test_outside_of_a_request_it_is_english():
    assert language_of(None) == "en"
