"""The page of a model that hears: the film's sound, its settings, and what is kept of it; without a browser."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qsl

import gradio as gr
import numpy as np
import pytest

from page.components.explorer.record import explorer_record
from page.exports.saved_run.file import load_run
from page.layout_inputs import fitted
from page.permalink import read_permalink
from page.state.startup import Loaded
from tests.families.family import pictures
from tests.families.qwen2_5_omni import FAMILY
from tests.helpers.brief import BriefEngine
from tests.helpers.heard import write_film
from tests.helpers.laid_out import exports_of

pytestmark = pytest.mark.slow
QUESTION, SLIDERS = "what moves?", (0.4, 2, 5, 4)
REQUEST = SimpleNamespace(session_hash="a page")


def page_of(folder: Path) -> SimpleNamespace:
    exports = exports_of(Loaded(BriefEngine.from_pretrained(folder, "cpu"), str(folder), False))
    return SimpleNamespace(exports=exports, handlers=exports.handlers, results=exports.results)


@pytest.fixture(scope="module")
def page(family_folder):
    return page_of(family_folder(FAMILY.model_type))


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    """A film of three seconds with a sound, and without, by whether it has one."""
    folder, frames = tmp_path_factory.mktemp("films"), pictures(30, (128, 192))
    codecs = {True: "aac", False: None}
    return {has: write_film(folder / f"{has}.mp4", codec, pictures=frames) for has, codec in codecs.items()}


@pytest.fixture
def told(monkeypatch):
    """What the page tells while it answers."""
    sentences = []
    monkeypatch.setattr(gr, "Info", lambda sentence, **_: sentences.append(sentence))
    return sentences


def ask(page, film, *sound):
    more = (True, None, REQUEST, lambda *_: None)
    *_, last = page.handlers.answer(str(film), None, "video", QUESTION, *SLIDERS, *more, *sound)
    return last, page.handlers.store.get(last[page.results.key])


@pytest.fixture(scope="module")
def asked(page, films):
    return ask(page, films[True], True, 0.5, 0.2)


def test_the_sound_of_a_film_is_heard_with_settings_of_its_own(page, asked):
    shown, stored = asked
    assert stored.dense.cost.audio_per_layer == (75,) * 6
    assert stored.aim.cost.audio_per_layer == (38, 38, 38, 25, 12, 8)
    strip = shown[page.results.asked]
    assert strip["audio"] == [0.5, 0.2] and strip["inputs"]["sliders"] == [*SLIDERS, True, 0.5, 0.2]
    assert "| Audio tokens into layer 0 | 75 | 38 | 2.0× |" in shown[page.results.comparison]
    assert shown[page.results.summary]["aim"]["audio_tokens_per_layer"] == [38, 38, 38, 25, 12, 8]
    audio = shown[page.results.explorer].result.trace.audio
    record = explorer_record(shown[page.results.explorer].result.trace)["audio"]
    assert record["retained"] == audio.retained.tolist() and record["scored"] == [2, 3, 4]
    json.dumps(record, allow_nan=False)


def test_a_film_without_sound_is_shown_alone_and_says_so(page, films, told):
    shown, stored = ask(page, films[False], True, 0.5, 0.2)
    assert stored.aim.trace.audio is None and told[0].startswith("This video has no sound")
    assert explorer_record(stored.aim.trace)["audio"] is None and shown[page.results.asked]["audio"] is None


def test_a_moved_slider_or_the_switch_asks_again(page, films, told):
    _, stored = ask(page, films[True])
    key = next(key for key in page.handlers.store._kept if page.handlers.store.get(key) is stored)
    whole = (str(films[True]), None, "video", QUESTION, *SLIDERS, key, REQUEST)
    page.handlers.follow(*whole, True, 0.25, 1.0)
    moved = page.handlers.store.get(key)
    assert moved.dense is stored.dense and moved.aim.cost.audio_per_layer == (20,) * 6
    page.handlers.follow(*whole, False, 0.25, 1.0)
    off = page.handlers.store.get(key)
    assert off.dense.trace.audio is None and off.aim.trace.audio is None and not off.hears and not told
    code = page.exports.ready(key)[page.results.exports.code]
    assert code.count("sound=False") == 2 and "audio_keep_ratio=0.25" in code
    event = gr.EventData(None, {"protect": [[0, 0]], "remove": []})
    page.handlers.by_hand(*SLIDERS, key, event, REQUEST, True, 0.5, 0.2)
    hand = page.handlers.store.get(key)
    assert hand.hears and hand.hand.cost.audio_per_layer == (38, 38, 38, 25, 12, 8)


def test_files_keep_the_sound(page, asked, tmp_path):
    shown, stored = asked
    key = shown[page.results.key]
    made = {
        kind: Path(page.exports.maker(kind)(key, 3, "rank", [], progress=lambda *_: None)[0])
        for kind in ("saved", "json", "csv", "page")
    }
    again, audio = load_run(made["saved"]), stored.aim.trace.audio
    assert again.aim.cost == stored.aim.cost and again.hears
    for name in ("row", "chunk", "start", "loudness"):
        np.testing.assert_array_equal(getattr(again.aim.trace.audio, name), getattr(audio, name))
    assert all(map(np.array_equal, again.aim.trace.audio.scores, audio.scores))
    update = page.exports.load(str(made["saved"]), None)
    controls = page.exports.controls
    assert [update[one] for one in controls.sound] == [True, 0.5, 0.2]
    record = json.loads(made["json"].read_text())
    assert record["sound"] is True and record["trace"]["audio"]["row"] == audio.row.tolist()
    assert [len(rows) for rows in record["trace"]["audio"]["kept"]] == list(stored.aim.cost.audio_per_layer)
    with open(made["csv"]) as table:
        counted = [(int(row["actual_audio"]), int(row["dense_audio"])) for row in csv.DictReader(table)]
    assert counted == [(own, 75) for own in stored.aim.cost.audio_per_layer]
    assert '"audio": {"seconds": 0.04' in made["page"].read_text()


def test_a_link_has_the_settings_of_sound_where_they_are_unusual(page):
    query = page.exports.link(None, None, "video", QUESTION, *SLIDERS, False, 0.5, 0.2)
    adapter = page.exports.adapter
    found = read_permalink(dict(parse_qsl(query)), adapter.num_layers, adapter.default_config())
    assert found.sound == (False, 0.5, 0.2) and not found.bad
    update = page.exports.restore(query)
    assert [update[one] for one in page.exports.controls.sound] == [False, 0.5, 0.2]
    assert "audio" not in page.exports.link(None, None, "video", QUESTION, *SLIDERS, True, 1.0, 1.0)
    bad = read_permalink({"sound": "loud", "audio_floor": "2", "audio_keep_ratio": "x"}, 6, adapter.default_config())
    assert set(bad.bad) == {"sound", "audio_floor", "audio_keep_ratio"}


def test_a_family_that_does_not_hear_shows_nothing_of_it(page, family_folder, films, told):
    deaf = page_of(family_folder("qwen2_5_vl"))
    shown, stored = ask(deaf, films[True], True, 0.5, 0.2)
    assert stored.aim.trace.audio is None and stored.settings.audio_keep_ratio == 1 and not told
    assert shown[deaf.results.asked]["inputs"]["sliders"] == [*SLIDERS]
    assert not deaf.exports.controls.sound_box.visible and page.exports.controls.sound_box.visible
    for own, is_shown in ((deaf, False), (page, True)):
        loaded = Loaded(own.handlers.runner.engine, "small", False)
        update = fitted(loaded, page.exports.media, page.exports.controls)
        assert update[page.exports.controls.sound_box]["visible"] is is_shown
