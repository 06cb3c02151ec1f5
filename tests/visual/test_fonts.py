"""Figures in Chinese: their texts, a font that has all of their letters, and no figure without one."""

import io
import re

import numpy as np
import pytest
from matplotlib.font_manager import findSystemFonts
from matplotlib.text import Text

from page.i18n import ENGLISH as PAGE_ENGLISH
from page.i18n import STRINGS
from tests.helpers.chinese_font import make_font
from tests.helpers.drawn_trace import make_dropped_trace, make_folded_trace, make_trace
from tests.helpers.warned import no_warnings
from visual.captions import alive_caption, groups_caption, scores_caption
from visual.figure_texts import ENGLISH, FigureTexts
from visual.film import film
from visual.fonts import chinese_font
from visual.frame_compose import frame_captions
from visual.heatmaps import groups_overlay, scores_heatmap
from visual.legends import alive_legend, groups_legend, scores_legend
from visual.paper_figures import paper_figures
from visual.text_raster import line_width

CHINESE = STRINGS["zh"]["DRAWN"]
HAN = re.compile("[\u4e00-\u9fff]")


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    """Chinese ones, with a font that has their letters."""
    return FigureTexts(**CHINESE, font=make_font(tmp_path_factory.mktemp("font"), "".join(CHINESE.values())))


def drawn_figures(texts):
    figures = paper_figures(make_trace(2), (3e9, 9e9), (3e9, 2e9), 2, texts=texts)
    return {name: draw() for name, draw in figures.items()}


def words_of(figure):
    """What is written on a figure, numbers aside."""
    return [
        text.get_text() for text in figure.findobj(Text) if re.search(r"[^\W\d_]{3}|[\u4e00-\u9fff]", text.get_text())
    ]


def test_the_english_of_the_page_is_that_of_figures_drawn_without_it():
    assert FigureTexts(**PAGE_ENGLISH["DRAWN"]) == ENGLISH


def test_every_figure_speaks_the_language_of_its_texts(texts):
    english, chinese = drawn_figures(ENGLISH), drawn_figures(texts)
    assert set(chinese) == {"groups", "alive", "tokens_per_layer", "cost", "pagerank", "pagerank_ranked"}
    for name, figure in chinese.items():
        own = [word for word in words_of(figure) if not word.endswith("FLOP")]
        assert len(own) >= 3 and all(HAN.search(word) for word in own if word != "AIM"), name
        assert len(words_of(figure)) == len(words_of(english[name]))
        assert not any(HAN.search(word) for word in words_of(english[name]))


@no_warnings
def test_no_letter_is_missing_in_any_figure(texts):
    for figure in drawn_figures(texts).values():
        for kind in ("png", "svg"):
            figure.savefig(io.BytesIO(), format=kind)


@no_warnings
@pytest.mark.skipif(chinese_font(CHINESE.values()) is None, reason="no Chinese font is on this machine")
def test_no_letter_is_missing_in_a_font_of_this_machine():
    for figure in drawn_figures(FigureTexts(**CHINESE, font=chinese_font(CHINESE.values()))).values():
        figure.savefig(io.BytesIO(), format="png")


def test_without_the_font_letters_would_be_missing():
    with pytest.warns(UserWarning, match="missing from font"):
        drawn_figures(FigureTexts(**CHINESE))["cost"].savefig(io.BytesIO(), format="png")


def test_only_a_font_with_every_letter_is_taken(tmp_path):
    whole = make_font(tmp_path, "".join(CHINESE.values()), "wqy-microhei.ttf")
    part = make_font(tmp_path, "".join(CHINESE.values())[:40], "NotoSansSC-Regular.ttf")  # better, but too small
    other = make_font(tmp_path, "".join(CHINESE.values()), "Unknown.ttf")
    broken = tmp_path / "simhei.ttf"
    broken.write_bytes(b"no font")
    assert chinese_font(CHINESE.values(), [str(broken), part, other, whole]) == whole
    assert chinese_font(CHINESE.values(), [str(broken), part, other]) is None
    latin = [file for file in findSystemFonts() if "DejaVu" in file]
    assert chinese_font(CHINESE.values(), latin) is None


def test_pictures_are_written_in_the_font(texts):
    """Every letter of the test's font is as wide as tall, one pixel at either end."""
    for legend in (groups_legend, alive_legend, lambda own: scores_legend("log", own)):
        assert not np.array_equal(legend(texts), legend(ENGLISH))
    assert line_width(texts.small_areas, 20, texts.font) == 20 * len(texts.small_areas) + 2
    trace = make_trace()
    assert not np.array_equal(groups_overlay(trace, texts), groups_overlay(trace))
    sheet, plain = scores_heatmap(trace, 2, texts=texts)[0], scores_heatmap(trace, 2)[0]
    assert sheet.shape[1] == plain.shape[1] and not np.array_equal(sheet[:30], plain[:30])


def test_captions_and_film_speak_it_too(texts):
    trace, dropped = make_trace(), make_dropped_trace()
    said = [groups_caption(trace, texts), groups_caption(dropped, texts), alive_caption(trace, 2, texts)]
    said += [alive_caption(make_folded_trace(), 2, texts)]
    said += [scores_caption(trace, layer, texts) for layer in (0, 1, 4)]
    said += [scores_caption(make_trace(scored=False), 1, texts), *frame_captions(trace, texts)]
    shots = list(film(trace, texts=texts))
    for sentence in [*said, *(shot.caption for shot in shots)]:
        assert HAN.search(sentence) and not re.search("[{}]", sentence), sentence
        assert not re.search("frame|layer|patch|merge", sentence)
    assert "最大的代表" in said[0] and "6 个" in said[2]
    assert not np.array_equal(shots[0].picture[:60], next(film(trace)).picture[:60])
