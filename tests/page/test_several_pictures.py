"""Several pictures with one question, as the page's events ask: answered, counted, followed, taken away and refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import numpy as np
import pytest

from page.checks import MAX_PICTURES
from page.components.estimate.component import counted_for
from page.exports.saved_run.archive import SavedRunError
from page.exports.saved_run.file import load_run
from page.exports.saved_run.rules import check_trace
from page.permalink import read_permalink
from page.state.samples import SAMPLES
from page.state.startup import Loaded
from tests.helpers.brief import BriefEngine
from tests.helpers.laid_out import exports_of

QUESTION = "how many circles are there?"
SLIDERS = (0.25, 6, 9, 8)
REQUEST = SimpleNamespace(session_hash="a page")
FIRST, SECOND = str(SAMPLES / "counting.png"), str(SAMPLES / "shapes.png")


@pytest.fixture(scope="module")
def exports(engine):
    return exports_of(Loaded(BriefEngine(engine.adapter), "random", is_embedded=False))


def ask(handlers, *files: str, question=QUESTION):
    first, *more = files
    return [*handlers.answer(None, first, "image", question, *SLIDERS, False, None, REQUEST, lambda *_: None, more)][-1]


@pytest.fixture(scope="module")
def asked(exports):
    """What the page gets of two pictures."""
    return ask(exports.handlers, FIRST, SECOND)


@pytest.fixture(scope="module")
def stored(exports, asked):
    return exports.handlers.stored(asked[exports.results.key])


def test_both_are_in_the_run_and_each_is_merged_alone(exports, asked, stored):
    trace = stored.aim.trace
    assert stored.files == (FIRST, SECOND) and stored.known is None  # the sample's answer is about one of them
    assert [view.medium for view in trace.views] == [0, 1] and trace.num_merged == 2 * 64
    explorer = exports.results.explorer.postprocess(asked[exports.results.explorer])
    assert [view["name"] for view in explorer.record["views"]] == [{"kind": "picture", "picture": at} for at in (1, 2)]
    strip = asked[exports.results.asked]
    assert strip["files"] == ["counting.png", "shapes.png"] and strip["inputs"]["more"] == [SECOND]


def test_the_estimate_counts_them_all(exports, stored):
    panel = exports.controls.estimate
    sizes = {"video": None, "image": [384, 384], "more": [[384, 384]]}
    counted = counted_for(exports.adapter, panel.value | {"open": "image", "sizes": sizes})
    (entry,) = counted["prompts"]
    dense = stored.dense.cost
    assert sum(size * count for size, count in entry["views"]) + entry["suffix"] == dense.visual_per_layer[0]
    assert entry["vision"] == dense.vision_flops and counted["pictures"] == 2
    assert counted_for(exports.adapter, counted | {"sizes": sizes | {"more": []}})["pictures"] == 1


def test_a_slider_asks_about_the_same_pictures_and_not_about_others(exports, asked):
    handlers, key = exports.handlers, asked[exports.results.key]
    follow = (None, FIRST, "image", QUESTION, 0.5, 6, 9, 8, key, REQUEST)
    again = handlers.stored(handlers.follow(*follow, (SECOND,))[exports.results.key])
    assert again.files == (FIRST, SECOND) and again.aim.trace.num_merged == 2 * 128
    assert "__type__" in handlers.follow(*follow, ()) and "__type__" in handlers.follow(*follow, (SECOND, FIRST))
    ask(handlers, FIRST, SECOND)  # as it was, for the other tests


def test_code_link_and_files_hold_all_of_them(exports, stored, tmp_path):
    assert "media = ['assets/samples/counting.png', 'assets/samples/shapes.png']" in exports._code(stored)
    link = exports.link(None, FIRST, "image", QUESTION, *SLIDERS, (SECOND,))
    assert "sample=counting.png+shapes.png" in link
    restored = exports.restore(link)
    assert Path(restored[exports.media.image]).name == "counting.png"
    assert [Path(path).name for path in restored[exports.media.more]] == ["shapes.png"]
    assert read_permalink({"sample": "counting.png crossing.mp4"}, 12, stored.settings).bad == ("sample",)

    record = json.loads(exports._json(stored, tmp_path)[0].read_text())
    assert (record["file"], record["more"]) == ("counting.png", ["shapes.png"])
    assert record["trace"]["size"] == [[384, 384]] * 2
    (saved,) = exports._saved(stored, tmp_path)
    loaded = load_run(saved)
    assert loaded.files == ("counting.png", "shapes.png")
    assert np.array_equal(loaded.aim.trace.frame(1), stored.aim.trace.frame(1))


def test_a_saved_run_whose_pictures_do_not_fit_their_frames_is_refused(stored):
    trace = stored.aim.trace
    for sizes in ([[384, 385], [384, 384]], [[0, 384], [384, 384]], [[384, 384]]):
        changed = type(trace)(**{**vars(trace), "sizes": np.array(sizes)})
        with pytest.raises(SavedRunError):
            check_trace(changed)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_bad_one_is_named_and_the_others_stay(exports, tmp_path, monkeypatch, language, clip):
    monkeypatch.setattr("page.i18n.language", lambda: language)
    broken = tmp_path / "broken.png"
    broken.write_bytes(Path(SECOND).read_bytes()[:300])
    number = {"en": "Picture 2 (broken.png): ", "zh": "图片 2（broken.png）："}[language]
    with pytest.raises(gr.Error) as error:
        ask(exports.handlers, FIRST, str(broken))
    assert error.value.message.startswith(number)
    with pytest.raises(gr.Error, match=r"shapes\.mp4"):
        ask(exports.handlers, FIRST, str(clip))


def test_more_than_the_page_takes_are_refused_and_a_video_stands_alone(exports, tmp_path, clip):
    many = [str(shutil.copy(FIRST, tmp_path / f"{number}.png")) for number in range(MAX_PICTURES + 1)]
    with pytest.raises(gr.Error, match=f"At most {MAX_PICTURES} pictures go with one question, and there are 9"):
        ask(exports.handlers, *many)
    update = [
        *exports.handlers.answer(
            str(clip), FIRST, "video", QUESTION, *SLIDERS, False, None, REQUEST, lambda *_: None, (SECOND,)
        )
    ][-1]
    assert exports.handlers.stored(update[exports.results.key]).files == (str(clip),)


def test_a_model_of_single_pictures_says_what_to_do(family_folder):
    folder = family_folder("llava_next_video")
    one = exports_of(Loaded(BriefEngine.from_pretrained(folder, "cpu"), "next", is_embedded=False))
    with pytest.raises(gr.Error, match="about one picture at a time, and there are 2: take the others away"):
        ask(one.handlers, FIRST, SECOND)
    sizes = {"image": [384, 384], "more": [[384, 384]]}
    value = one.controls.estimate.value | {"open": "image", "sizes": sizes}
    assert counted_for(one.adapter, value)["pictures"] == 1
