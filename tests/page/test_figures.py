"""Figures of the page: Chinese for a Chinese page where a font here can write it, else English, which is said."""

from __future__ import annotations

import re
from dataclasses import fields
from types import SimpleNamespace

import gradio as gr
import numpy as np
import pytest
from gradio.context import LocalContext

from page.figures import drawn_texts, figures, legends
from page.i18n import ENGLISH, STRINGS
from page.layout import Figures
from tests.helpers.chinese_font import make_font
from tests.helpers.drawn_trace import make_result, make_trace
from visual import fonts

LAYOUT: Figures = SimpleNamespace(**{field.name: field.name for field in fields(Figures)})  # type: ignore
CAPTIONS = ("groups_caption", "alive_caption", "scores_caption")
HAN = re.compile("[\u4e00-\u9fff]")


@pytest.fixture
def machine(monkeypatch):
    """Choose the fonts that are on this machine, and the language of the page that asks."""

    def choose(browser, files):
        monkeypatch.setattr(fonts, "findSystemFonts", lambda: files)
        fonts._fitting.cache_clear()
        request = gr.Request()
        request.__dict__["headers"] = {"accept-language": browser}
        LocalContext.request.set(request)

    before = LocalContext.request.get(None)
    yield choose
    LocalContext.request.set(before)
    fonts._fitting.cache_clear()


@pytest.fixture(scope="module")
def font(tmp_path_factory):
    return make_font(tmp_path_factory.mktemp("font"), "".join(STRINGS["zh"]["DRAWN"].values()))


def drawn():
    result = make_result(make_trace())
    return figures(LAYOUT, result, result, 2, "rank") | legends(LAYOUT)


def same(one, other, names):
    return [np.array_equal(one[name], other[name]) for name in names]


def test_a_chinese_page_has_chinese_figures(machine, font):
    machine("zh-CN", [font])
    assert drawn_texts().font == font
    chinese = drawn()
    assert chinese["retained"].get_suptitle() == STRINGS["zh"]["DRAWN"]["retained_title"]
    assert all(HAN.search(chinese[name]) for name in CAPTIONS)
    assert not any(STRINGS["zh"]["NO_FONT"] in chinese[name] for name in CAPTIONS)
    machine("en-US", [font])
    english = drawn()
    assert english["retained"].get_suptitle() == ENGLISH["DRAWN"]["retained_title"]
    assert not any(HAN.search(english[name]) for name in CAPTIONS)
    assert not any(same(chinese, english, ("groups", "alive", "scores", "groups_legend", "scores_legend")))


def test_without_a_font_pictures_are_english_and_their_captions_say_so(machine):
    machine("en-US", [])
    english = drawn()
    assert not any(ENGLISH["NO_FONT"] in english[name] for name in CAPTIONS)
    machine("zh-CN", [])
    assert drawn_texts().font is None
    chinese = drawn()
    assert all(same(chinese, english, ("groups", "alive", "scores", "groups_legend", "alive_legend", "scores_legend")))
    assert chinese["retained"].get_suptitle() == ENGLISH["DRAWN"]["retained_title"]
    for name in CAPTIONS:
        assert chinese[name].count(STRINGS["zh"]["NO_FONT"]) == 1 and HAN.search(chinese[name].split("。")[0])
