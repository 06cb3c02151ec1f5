"""The page of every family: built, asked, moved, opened, exported and loaded back, on a picture and on a video."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qsl

import av
import cv2
import gradio as gr
import numpy as np
import pytest
from PIL import Image

from aim_core.config import AimConfig
from aim_core.engine import Engine
from aim_core.media.frames import Frames
from aim_core.result import Result
from page import layout_shared
from page.build import build_page
from page.components.estimate.component import prompts
from page.components.tour.steps import measured
from page.explain import Explain
from page.exports.panel import KINDS
from page.exports.saved_run.file import load_run
from page.i18n import ENGLISH, I18N
from page.layout_inputs import fitted as fitted_to
from page.permalink import read_permalink
from page.state.startup import Loaded
from page.state.store import StoredRun
from tests.families.family import pictures
from tests.families.table import FAMILIES
from tests.helpers.brief import BriefEngine
from tests.helpers.laid_out import exports_of
from visual.view_pictures import view_pictures

NUM_FRAMES = 5
# What takes seconds to draw is drawn once a family: of its video where it reads both, and of fewer frames of it; an odd
# number, so that a family that takes two at a time has one to spare.
DRAWN, DRAWN_FRAMES = ("figures", "gif", "mp4"), 3
QUESTION = "what moves?"
pytestmark = pytest.mark.slow
REQUEST = SimpleNamespace(session_hash="a page")
ASKED = [(name, kind) for name, family in FAMILIES.items() for kind in ("image", "video") if kind in family.media]
EXPORTS = [
    (name, kind, export)
    for name, kind in ASKED
    for export in KINDS
    if export not in DRAWN or kind == "video" or "video" not in FAMILIES[name].media
]


@pytest.fixture(scope="module")
def loaded(family_folder):
    """name → the family's small checkpoint, as the page holds it."""
    stored = {}

    def load(name: str) -> Loaded:
        if name not in stored:
            stored[name] = Loaded(
                BriefEngine.from_pretrained(family_folder(name), "cpu"), str(family_folder(name)), False
            )
        return stored[name]

    return load


@pytest.fixture(scope="module")
def page(loaded):
    """name → handlers, exports and sliders of its page, without a browser."""
    made = {}

    def build(name: str) -> SimpleNamespace:
        if name not in made:
            one = loaded(name)
            exports, default = exports_of(one), one.engine.adapter.default_config()
            made[name] = SimpleNamespace(
                handlers=exports.handlers,
                adapter=one.engine.adapter,
                results=exports.results,
                exports=exports,
                sliders=(default.keep_ratio, default.l1, default.l2, NUM_FRAMES),
            )
        return made[name]

    return build


@pytest.fixture(scope="module")
def asked(page, blocks):
    """(name, kind, number of frames) → the page after one question, and its run's key."""
    runs = {}

    def ask(name: str, kind: str, frames: int = NUM_FRAMES) -> tuple[SimpleNamespace, str]:
        one, which = page(name), (name, kind, frames)
        if which not in runs:
            runs[which] = answered(one, blocks[kind], kind, (*one.sliders[:3], frames))
        return one, runs[which]

    return ask


def answered(one: SimpleNamespace, file: Path, kind: str, sliders: tuple | None = None) -> str:
    """The key of a run."""
    video, image = (str(file), None) if kind == "video" else (None, str(file))
    settings = sliders or one.sliders
    *_, last = one.handlers.answer(video, image, kind, QUESTION, *settings, True, None, REQUEST, lambda *_: None)
    return last[one.results.key]


def stored_run_of(one: SimpleNamespace, key: str) -> StoredRun:
    return one.handlers.store.get(key)


@pytest.mark.parametrize("name", FAMILIES)
def test_the_page_is_built(loaded, name):
    one = loaded(name)
    demo = build_page(one)
    tabs = {block.id: block.visible for block in demo.blocks.values() if isinstance(block, gr.Tab)}
    assert tabs["image"] and tabs["video"] == ("video" in FAMILIES[name].media)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_page_of_another_family_is_fitted_to_it(page, loaded, name):
    media, controls = (exports := page("llava_onevision").exports).media, exports.controls
    fitted, built = fitted_to(loaded(name), media, controls), page(name).exports.controls
    assert fitted[media.video_tab]["visible"] == ("video" in FAMILIES[name].media) != (media.shown in fitted)
    for mine, theirs in zip(controls.sliders, built.sliders, strict=True):
        assert fitted[mine]["value"] == theirs.value
        assert all(fitted[mine][end] == getattr(theirs, end) for end in ("minimum", "maximum") if end in fitted[mine])
    assert fitted[controls.estimate] | {"open": None} == built.estimate.value | {"open": None}


@pytest.mark.parametrize(("name", "kind"), ASKED)
def test_the_estimate_is_what_the_run_counts(asked, name, kind):
    one, key = asked(name, kind)
    stored = stored_run_of(one, key)
    num_frames, *size = stored.dense.trace.frames.shape[:3]
    told = prompts(one.adapter, *size)[num_frames - 1]
    dense = stored.dense.cost
    assert sum(count * patches for patches, count in told["views"]) + told["suffix"] == dense.visual_per_layer[0]
    assert told["vision"] == dense.vision_flops
    letters = len(ENGLISH["EXAMPLE_QUESTION"]) - len(QUESTION)  # the tokenizers of these checkpoints read bytes
    assert abs(told["text"] - letters - dense.num_text) <= 16


def check_sums_by_view(run: Result) -> None:
    """Attention by patch, each token of a view once, sums to that by view."""
    attention = run.token_attention
    held = [layer for layer in range(attention.num_layers) if (attention.last >= layer).any()]
    mean = np.mean([attention.by_patch(0, layer) for layer in held], axis=0)
    firsts = [np.unique(own, return_index=True)[1] for own in attention.row]
    once = [shares[first].sum() for shares, first in zip(mean, firsts, strict=True)]
    np.testing.assert_allclose(once, run.frame_attention[0], atol=0.01)


@pytest.mark.parametrize(("name", "kind"), ASKED)
def test_every_panel_is_filled(asked, name, kind):
    one, key = asked(name, kind)
    values = one.handlers.panels.of(stored_run_of(one, key))
    to = one.results
    trace = stored_run_of(one, key).shown.trace
    explorer = to.explorer.postprocess(values[to.explorer])
    assert len(explorer.pictures) == len(explorer.record["views"]) == len(FAMILIES[name].views[kind]) or kind == "image"
    for view, file in zip(explorer.record["views"], explorer.pictures, strict=True):
        with Image.open(file.path) as picture:
            assert picture.size == tuple(view["size"])[::-1]
    told = to.word_frames.postprocess(values[to.word_frames])
    assert told.record["measured"] and len(told.record["views"]) == trace.num_views
    assert all(
        shares and len(shares) == trace.num_views for side in told.record["sides"] for _, shares, _ in side["words"]
    )
    assert told.record["byPatch"]
    for run in stored_run_of(one, key).runs.values():
        check_sums_by_view(run)
    assert to.answers.postprocess(values[to.answers])["aim"]["tokens"]
    json.dumps([values[to.answers], values[to.summary], explorer.record, told.record], allow_nan=False)
    assert measured(stored_run_of(one, key))["largest"] >= 1
    figures = one.handlers.figures(key, True, trace.scored_layers[0], "rank")
    assert list(figures) == to.figures.drawn and all(figure is not None for figure in figures.values())
    assert list(one.handlers.open_figures()) == to.figures.opened
    assert all(figures[view].dtype == np.uint8 for view in (to.figures.groups, to.figures.alive, to.figures.scores))


@pytest.mark.parametrize(("name", "kind"), ASKED)
def test_what_the_model_sees_is_each_view_in_its_own_size(asked, name, kind):
    one, key = asked(name, kind)
    aim = stored_run_of(one, key).aim
    for seen, picture in zip(aim.pictures, view_pictures(aim.trace), strict=True):
        resized = cv2.resize(picture, seen.shape[1::-1], interpolation=cv2.INTER_AREA)
        assert np.abs(seen.astype(float) - resized).mean() < 8
        assert np.corrcoef(seen.ravel(), resized.ravel())[0, 1] > 0.95


@pytest.mark.parametrize("name", [name for name, kind in ASKED if kind == "video" and name != "smolvlm"])
def test_frames_of_the_models_own_size_are_seen_as_they_are(asked, name):
    """SmolVLM makes every frame large and then small again, so it is not among them."""
    one, key = asked(name, "video")
    engine, aim = one.handlers.runner.engine, stored_run_of(one, key).aim
    size = aim.pictures[0].shape
    noise = np.random.default_rng(0).integers(0, 256, (4, *size), dtype=np.uint8)
    seen = engine.pictures(Frames(noise, np.arange(4, dtype=np.float32), 4.0, "video"))
    every = 4 // len(seen)  # of two frames that share a plane the first is shown
    assert np.array_equal(np.stack(seen), noise[::every])


@pytest.mark.parametrize(("name", "kind"), ASKED)
def test_a_moved_slider_and_marks_run_again(page, blocks, name, kind):
    one = page(name)
    key = answered(one, blocks[kind], kind)
    keep_ratio, l1, l2, frames = one.sliders
    moved = (0.5, l1, l2 + 1, frames)
    media = (str(blocks[kind]), None) if kind == "video" else (None, str(blocks[kind]))
    one.handlers.follow(*media, kind, QUESTION, *moved, key, REQUEST)
    stored = stored_run_of(one, key)
    assert (stored.aim.config.keep_ratio, stored.aim.config.l2) == (0.5, l2 + 1) != (keep_ratio, l2)
    last = stored.aim.trace.num_views - 1
    event = gr.EventData(None, {"protect": [[0, 0]], "remove": [[last, 3]]})
    one.handlers.by_hand(*moved, key, event, REQUEST)
    hand = stored_run_of(one, key).hand
    assert hand.overrides.remove == ((last, 3),)
    assert hand.trace.rows()[last, 3] not in hand.trace.layers[0].kept


@pytest.mark.parametrize(("name", "kind", "export"), EXPORTS)
def test_every_export_is_made(asked, name, kind, export):
    one, key = asked(name, kind, DRAWN_FRAMES if export in DRAWN else NUM_FRAMES)
    stored = stored_run_of(one, key)
    files = [Path(file) for file in one.exports.maker(export)(key, 3, "rank", [], progress=lambda *_: None)]
    assert files and all(file.stat().st_size > 200 for file in files)
    assert all(re.fullmatch(r"aim_[a-z_]+\.[a-z0-9]+", file.name) for file in files)  # nothing that a visitor named
    if export == "figures":
        assert len(files) == 1 + 2 * 6
    if export == "mp4":
        with av.open(str(files[0])) as film:
            assert sum(1 for _ in film.decode(video=0)) > stored.shown.trace.num_layers
    if export == "json":
        record = json.loads(files[0].read_text())
        assert len(record["trace"]["views"]) == stored.shown.trace.num_views
    if export == "csv":
        with open(files[0]) as table:
            counted = [int(row["actual_visual"]) for row in csv.DictReader(table)]
        assert counted == list(stored.shown.cost.visual_per_layer)
    if export == "saved":
        update = one.exports.load(str(files[0]), None)
        again = stored_run_of(one, update[one.results.key])
        assert again.aim.answer == stored.aim.answer and again.shown.trace.views == stored.shown.trace.views
        assert all(update[panel] is not None for panel in one.results.panels)
        for layer in range(again.shown.trace.num_layers):
            assert np.array_equal(again.shown.trace.alive(layer), stored.shown.trace.alive(layer))
        assert load_run(files[0]).question == QUESTION
        one.exports.maker("page")(update[one.results.key], 3, "rank", [], progress=lambda *_: None)


@pytest.mark.parametrize(("name", "kind"), ASKED)
def test_the_code_and_the_link_are_there(asked, blocks, name, kind):
    one, key = asked(name, kind)
    code = one.exports.ready(key)[one.results.exports.code]
    compile(code, "copied", "exec")
    assert repr(one.exports.facts.name) in code
    query = one.exports.link(None, None, kind, QUESTION, *one.sliders)
    adapter = one.adapter
    found = read_permalink(dict(parse_qsl(query)), adapter.num_layers, adapter.default_config(), adapter.least_l1)
    assert found.settings == (QUESTION, *one.sliders) and not found.bad


@pytest.mark.parametrize("name", ["llava_onevision", "llava", "qwen3_vl"])  # usual, for pictures, with deepstack
def test_the_tour_asks_for_runs_that_the_model_can_do(page, blocks, name):
    handlers = page(name).handlers
    explain = Explain(Loaded(handlers.runner.engine, "small", False), handlers)
    assert explain.kind in FAMILIES[name].media
    for index, step in enumerate(explain.steps):
        settings = measured(explain.stored(index))["settings"]
        assert settings == {name: getattr(step, name) for name in settings}


def test_a_family_for_pictures_refuses_a_video_in_a_sentence(page, blocks):
    with pytest.raises(gr.Error, match="reads pictures only"):
        answered(page("llava"), blocks["video"], "video")
    assert answered(page("llava"), blocks["video"], "video", (0.5, 2, 5, 1))  # one frame of it is a picture


def test_a_link_to_a_sample_that_the_model_cannot_read_names_it(page, monkeypatch):
    one, warned = page("llava"), []
    monkeypatch.setattr(gr, "Warning", lambda sentence, **_: warned.append(sentence))
    update = one.exports.restore("question=what%3F&sample=crossing.mp4")
    assert update == {one.exports.controls.question: "what?"}
    assert len(warned) == 1 and "sample" in warned[0]
    assert one.exports.restore("sample=shapes.png")[one.exports.media.shown] == "image" and len(warned) == 1


def test_deepstack_layers_refuse_pruning_in_a_sentence(page, blocks):
    with pytest.raises(gr.Error, match="l1 must be at least 2, got 0"):
        answered(page("qwen3_vl"), blocks["video"], "video", (0.5, 0, 1, 4))
    default = page("qwen3_vl").adapter.default_config()
    assert read_permalink({"l1": "0", "l2": "1"}, 8, default, 2).settings[2:4] == (2, 3)


@pytest.mark.parametrize("name", FAMILIES)
def test_the_page_says_how_many_tokens_a_frame_gives(loaded, name):
    """The number in the sentence, against frames that were really encoded."""
    engine = loaded(name).engine
    said = I18N.translations["en"]["about"] if layout_shared.about(loaded(name)) else ""
    count = int(re.search(r"([\d,]+) (?:visual tokens a frame|are in 8 frames of 768×432)", said)[1].replace(",", ""))
    if "are in" in said:
        assert count == num_tokens(engine, 8, (432, 768))
    elif "video" in FAMILIES[name].media:
        assert count == num_tokens(engine, 3) - num_tokens(engine, 2)
    else:
        assert count == num_tokens(engine, 1)


def num_tokens(engine: Engine, num_frames: int, size: tuple[int, int] = (64, 96)) -> int:
    frames = pictures(num_frames, size)
    return engine.run(frames, QUESTION, config=AimConfig.dense(), max_new_tokens=1).cost.visual_per_layer[0]
