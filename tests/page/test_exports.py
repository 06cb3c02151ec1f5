"""Exports: every file holds what the run holds, in the form it promises."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode
from zipfile import ZipFile

import av
import gradio as gr
import numpy as np
import pytest
from PIL import Image

from aim_core.config import AimConfig
from aim_core.ops.flops import prefill_flops
from page.exports.code import python_of
from page.exports.counts_csv import counts_csv
from page.exports.encode import FPS, write_gif, write_mp4
from page.exports.figures import write_figures
from page.exports.handlers import LONGEST_LINK
from page.exports.opening import QUESTION
from page.exports.panel import KINDS
from page.exports.record import run_record, trace_record
from page.exports.saved_run.file import load_run
from page.state.model_facts import ModelFacts
from page.state.samples import SAMPLES, sample_name, sample_path
from page.state.startup import Loaded
from page.state.store import StoredRun
from tests.helpers.drawn_trace import make_trace
from tests.helpers.laid_out import exports_of
from visual.chart_style import COLUMN, MM_PER_INCH, PAGE
from visual.charts import retained_figure
from visual.film import film
from visual.heatmaps import alive_overlay
from visual.paper_figures import paper_figures

EVIL = "</script><img src=x onerror=\"window.hit=1\"> ${window.hit=1} {{x}} 'quoted' \\ \n next"


@pytest.fixture(scope="module")
def stored(engine, clip):
    dense, aim = (
        engine.run(clip, EVIL, config=config, num_frames=4, max_new_tokens=3)
        for config in (AimConfig.dense(), AimConfig(0.25, 4, 9))
    )
    return StoredRun(str(clip), EVIL, 4, dense, aim, 1)


@pytest.fixture(scope="module")
def facts(engine, checkpoint):
    return ModelFacts.of(Loaded(engine, str(checkpoint), is_embedded=False))


@pytest.fixture(scope="module")
def prints():
    return paper_figures(make_trace(8), (3e9, 9e9), (3e9, 2e9), layer=2)


@pytest.fixture(scope="module")
def written(prints, tmp_path_factory):
    """All figures in a folder of their own."""
    return write_figures(prints, tmp_path_factory.mktemp("figures"))


@pytest.mark.slow
def test_figures_come_singly_and_as_one_archive(written):
    files = written
    assert {file.name for file in files} == {path.name for path in files[0].parent.iterdir()}
    assert len(files) == 1 + 2 * 6
    with ZipFile(files[0]) as archive:
        assert archive.testzip() is None and set(archive.namelist()) == {file.name for file in files[1:]}


@pytest.mark.slow
def test_figures_are_as_wide_as_a_paper_has_room_and_300_dots_an_inch(written):
    for file in written[1:]:
        wide = PAGE if any(name in file.name for name in ("groups", "alive", "pagerank.")) else COLUMN
        if file.suffix == ".png":
            with Image.open(file) as image:
                assert image.width == pytest.approx(wide.width_mm / MM_PER_INCH * 300, abs=1)
                assert image.info["dpi"] == pytest.approx((300, 300), abs=1)
        else:
            text = file.read_text()
            points = float(re.search(r'width="([\d.]+)pt"', text)[1])
            assert points == pytest.approx(wide.width_mm / MM_PER_INCH * 72, abs=0.1)
            assert "<text" not in text and "<dc:date>" not in text  # letters are paths; the same run, the same file
            assert not re.findall(r'(?:href|src)="(?!#|data:)', text)  # nothing is loaded from elsewhere


def test_the_same_figure_for_a_paper_shows_the_same_numbers():
    trace = make_trace(2)
    screen, paper = retained_figure(trace, 2), retained_figure(trace, 2, COLUMN)
    for one, other in zip(screen.axes[0].get_lines(), paper.axes[0].get_lines(), strict=True):
        assert np.array_equal(one.get_ydata(), other.get_ydata())


@pytest.mark.slow
def test_no_text_of_a_figure_is_cut_off(prints):
    for name, draw in prints.items():
        figure = draw()
        figure.draw_without_rendering()
        texts = [*figure.texts]
        for axes in figure.axes:
            legend = axes.get_legend()
            texts += [*axes.texts, axes.xaxis.label, axes.yaxis.label, *(legend.get_texts() if legend else [])]
        for text in filter(lambda text: text.get_text(), texts):
            box, room = text.get_window_extent(), figure.bbox
            inside = box.x0 >= -1 and box.x1 <= room.x1 + 1 and box.y0 >= -1 and box.y1 <= room.y1 + 1
            assert inside, (name, text.get_text())


def test_a_run_without_scores_has_the_other_figures():
    assert set(paper_figures(make_trace(2, scored=False), (1, 2), (1, 1), 2)) == {
        "groups",
        "alive",
        "tokens_per_layer",
        "cost",
    }


@pytest.mark.slow
def test_a_film_shows_frames_groups_and_every_layer():
    trace = make_trace(3)
    shots = list(film(trace, 640))
    assert len(shots) == 2 + trace.num_layers
    assert {shot.picture.shape for shot in shots} == {shots[0].picture.shape}
    height, width = shots[0].picture.shape[:2]
    assert width <= 640 and width % 2 == 0 and height % 2 == 0
    assert shots[1].caption == "Merged: 18 visual tokens stand for 36 patches"
    assert shots[4].caption == "Layer 2 (0 to 4): 10 of 19 visual tokens enter"
    assert len({shot.picture.tobytes() for shot in shots}) >= 5


def test_every_shot_of_a_film_shows_its_own_layer():
    """Also where a layer looks as the one before, and is not drawn anew."""
    trace = make_trace(2)
    empty = trace.layers[-1]
    trace = replace(trace, layers=(*trace.layers, replace(empty, layer=5), replace(empty, layer=6)))
    for layer, shot in enumerate([*film(trace, 10_000)][2:]):
        sheet = alive_overlay(trace, layer)
        shown = [shot.picture[cut - len(sheet) :] for cut in (0, 1)]  # an odd last row is cut off
        width = shot.picture.shape[1]
        assert any(np.array_equal(part, sheet[: len(part), :width]) for part in shown), layer


@pytest.mark.slow
def test_the_mp4_plays_everywhere_and_lasts_as_long_as_its_shots(tmp_path):
    shots = list(film(make_trace(2), 320))
    write_mp4(shots, tmp_path / "run.mp4")
    with av.open(str(tmp_path / "run.mp4")) as file:
        stream = file.streams.video[0]
        assert (stream.codec_context.name, stream.pix_fmt) == ("h264", "yuv420p")
        pictures = [frame.to_ndarray(format="rgb24") for frame in file.decode(stream)]
    assert len(pictures) == sum(round(FPS * shot.seconds) for shot in shots)
    error = np.abs(pictures[0].astype(int) - shots[0].picture).mean()
    assert error < 6  # out of 255; colours are stored at half the size
    data = (tmp_path / "run.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_the_gif_has_every_shot_for_its_time(tmp_path):
    shots = list(film(make_trace(2), 320))
    write_gif(shots, tmp_path / "run.gif")
    with Image.open(tmp_path / "run.gif") as image:
        assert image.info["loop"] == 0
        stays, total = [], 0
        for index in range(image.n_frames):
            image.seek(index)
            stays.append(image.info["duration"])
            total += image.info["duration"]
    assert total == sum(round(1000 * shot.seconds) for shot in shots) and len(stays) >= 5


def test_the_json_holds_the_run(stored, facts):
    record = json.loads(json.dumps(run_record(stored, facts), allow_nan=False))
    assert (record["format"], record["version"]) == ("aim-explorer run", 6)
    assert record["question"] == EVIL and record["file"] == "shapes.mp4" and record["num_frames"] == 4
    assert record["settings"]["keep_ratio"] == 0.25 and record["settings"]["l2"] == 9
    assert record["runs"]["aim"]["answer"] == stored.aim.answer
    assert record["runs"]["aim"]["visual_per_layer"] == list(stored.aim.cost.visual_per_layer)
    assert record["runs"]["dense"]["language_flops"] == stored.dense.cost.language_flops


def test_the_documentation_has_the_keys_of_the_json(stored, facts):
    """`trace` is added where the file is written."""
    page = (Path(__file__).parents[2] / "docs" / "exports.md").read_text(encoding="utf-8")
    first = re.findall(r"^\| (`.*?) \|", page, re.MULTILINE)
    named = [name for cell in first for name in re.findall(r"`(\w+)`", cell)]
    assert named == [*run_record(stored, facts), "trace"]


def test_the_json_holds_the_trace(stored):
    trace = stored.aim.trace
    record = json.loads(json.dumps(trace_record(trace), allow_nan=False))
    assert record["group"] == trace.group.tolist() and record["row"] == trace.rows().tolist()
    for layer, written in zip(trace.layers, record["layers"], strict=True):
        assert written["kept"] == layer.kept.tolist()
        assert np.array_equal(np.array(written["importance"], np.float32), layer.scores)
    assert record["planned"] == trace.planned.tolist() and record["views"][0]["grid"] == [8, 8]
    assert len(record["rounds"]) == len(trace.rounds)


def test_the_csv_adds_up_to_the_run(stored, facts):
    rows = list(csv.DictReader(io.StringIO(counts_csv(stored, facts))))
    cost = stored.aim.cost
    assert [int(row["actual_visual"]) for row in rows] == list(cost.visual_per_layer)
    assert [int(row["dense_visual"]) for row in rows] == list(stored.dense.cost.visual_per_layer)
    assert [int(row["planned_visual"]) for row in rows] == stored.aim.trace.planned.tolist()
    assert sum(int(row["aim_flops"]) for row in rows) == cost.language_flops
    assert sum(int(row["dense_flops"]) for row in rows) == stored.dense.cost.language_flops
    first = rows[0]
    assert int(first["aim_flops"]) == prefill_flops([cost.tokens_per_layer[0]], **facts.sizes)
    assert int(first["aim_kv_bytes"]) == 2 * cost.tokens_per_layer[0] * facts.sizes["kv"] * 8  # float64


@pytest.mark.slow
def test_the_code_gives_the_same_answer(stored, facts, clip, checkpoint):
    """The code as copied, in a Python of its own, in the folder of the clip."""
    code = python_of(stored, facts.name)
    compile(code, "copied", "exec")
    assert repr(EVIL) in code and "\n next" not in code
    root = Path(__file__).parents[2]
    code = code.replace(f"from_pretrained({facts.name!r})", f"from_pretrained({str(checkpoint)!r}, 'cpu', 'float64')")
    code = code.replace("num_frames=4", "num_frames=4, max_new_tokens=3")
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=clip.parent,
        env={"PYTHONPATH": str(root), "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        timeout=600,
    )
    (clip.parent / "run.npz").unlink(missing_ok=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == f"{stored.dense.answer}\n{stored.aim.answer}".strip()
    assert code.startswith("# ") and "pip install" in code.splitlines()[0]


def test_the_code_names_samples_by_their_place_and_other_files_by_their_name(stored, tmp_path):
    sample = sample_path("busy.mp4")
    copy, other = tmp_path / "a" / "busy.mp4", tmp_path / "busy.mp4"
    copy.parent.mkdir()
    copy.write_bytes(sample.read_bytes())
    other.write_bytes(b"another film of that name")
    assert sample_name(str(copy)) == "busy.mp4" and sample_name(str(other)) is None
    code = python_of(StoredRun(str(copy), "why?", 8, stored.dense, stored.aim), "assets/model")
    assert "media = 'assets/samples/busy.mp4'" in code
    natural = StoredRun(str(sample_path("burrow.mp4")), "why?", 8, stored.dense, stored.aim)
    assert "media = 'assets/natural/burrow.mp4'" in python_of(natural, "assets/model")
    assert "media = 'busy.mp4'" in python_of(StoredRun(str(other), "why?", 8, stored.dense, stored.aim), "assets/model")


@pytest.mark.parametrize("name", ["../model/config.json", "/etc/passwd", "", "busy", "samples.json", "busy.mp4/"])
def test_only_samples_are_samples(name):
    assert sample_path(name) is None and (sample_path("busy.mp4") or SAMPLES).is_file()


@pytest.fixture(scope="module")
def events(engine, checkpoint, stored):
    exports = exports_of(Loaded(engine, str(checkpoint), is_embedded=False))
    return exports, exports.handlers.store.put(stored)


def test_visitors_do_not_meet_in_a_folder(events):
    exports, key = events
    one, other = (exports.maker("csv")(key, 5, "rank", [], progress=lambda *_: None) for _ in range(2))
    assert Path(one[0]).parent != Path(other[0]).parent


def test_files_stay_listed_until_they_expire(events):
    exports, key = events
    listed = []
    for kind in ("csv", "json", "csv"):
        shown = exports.maker(kind)(key, 5, "rank", listed, progress=lambda *_: None)
        assert shown == listed
    assert [Path(file).name for file in listed] == ["aim_counts_2.csv", "aim_trace.json", "aim_counts.csv"]
    assert all(Path(file).stat().st_size for file in listed)
    Path(listed[1]).unlink()  # as Gradio does in time
    exports.maker("csv")(key, 5, "rank", listed, progress=lambda *_: None)
    assert [Path(file).name for file in listed] == ["aim_counts_3.csv", "aim_counts_2.csv", "aim_counts.csv"]


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_of_a_trace_alone_nothing_is_claimed(events, tmp_path, kind):
    exports, _ = events
    make_trace(2).save(tmp_path / "trace.npz")
    key = exports.handlers.store.put(load_run(tmp_path / "trace.npz"))
    if kind == "csv":
        with pytest.raises(gr.Error, match="trace alone"):
            exports.maker(kind)(key, 1, "rank", [], progress=lambda *_: None)
        return
    files = exports.maker(kind)(key, 1, "rank", [], progress=lambda *_: None)
    assert files and not any("cost" in file for file in files)
    if kind == "json":
        assert set(json.loads(Path(files[0]).read_text())) == {"format", "version", "trace"}
    if kind == "saved":
        assert load_run(files[0]).is_bare


@pytest.mark.parametrize(("key", "says"), [(None, "first"), ("gone", "again"), ("../../etc", "again")])
def test_without_a_run_a_button_says_what_to_do(events, key, says):
    with pytest.raises(gr.Error) as caught:
        events[0].maker("csv")(key, 5, "rank", [], progress=lambda *_: None)
    assert says in str(caught.value.message)


def test_a_saved_run_sets_the_page_and_a_trace_alone_leaves_question_and_sliders(events, stored, tmp_path):
    exports, key = events
    controls, results = exports.controls, exports.results
    update = exports.load(exports.maker("saved")(key, 0, "rank", [], progress=lambda *_: None)[0], key)
    settings = [update[component] for component in (controls.question, *controls.sliders)]
    config = stored.aim.config
    assert settings == [stored.question, config.keep_ratio, config.l1, config.l2, stored.num_frames]
    asked = update[results.asked]
    inputs = {"path": None, "more": [], "question": stored.question, "sliders": settings[1:]}
    assert asked["inputs"] == inputs and not asked["at"]
    assert update[results.key] == key and exports.handlers.store.get(key).aim.answer == stored.aim.answer
    exports.handlers.store.put(stored, key)
    make_trace(2).save(tmp_path / "trace.npz")
    bare = exports.load(str(tmp_path / "trace.npz"), None)
    assert set(bare) == {*results.panels, results.key, results.exports.note}
    assert [panel for panel in results.panels if bare[panel] is not None] == [results.explorer]


@pytest.mark.parametrize(("sample", "tab"), [("busy.mp4", "video"), ("shapes.png", "image"), (None, None)])
def test_an_address_sets_what_it_names_and_nothing_else(events, sample, tab):
    exports, _ = events
    media, controls = exports.media, exports.controls
    query = {"question": "why?", "l2": "9"} | ({"sample": sample} if sample else {})
    update = exports.restore(urlencode(query))
    chosen = {controls.question, controls.l1, controls.l2}
    assert update[controls.question] == "why?" and update[controls.l2] == 9
    assert set(update) == chosen | ({*media.inputs, media.more, media.tabs} if sample else set())
    if sample:
        assert update[media.shown] == tab and Path(update[getattr(media, tab)]).name == sample


def test_of_a_link_that_is_too_long_the_rest_is_not_read(events):
    exports, _ = events
    update = exports.restore("l2=9&" + "x" * LONGEST_LINK + "&question=why")
    assert set(update) == {exports.controls.l1, exports.controls.l2}


@pytest.mark.parametrize("link", ["", None, "utm_source=x", "overlay=alive"])
def test_an_address_that_names_nothing_opens_on_the_example_which_is_of_another_model_here(events, link):
    exports, _ = events
    results, key = exports.results, exports.results.key
    update = exports.restore(link)
    assert set(update) == {*results.panels, key}
    asked = update[results.asked]
    assert asked["question"] == QUESTION and asked["note"] == "example" and asked["inputs"] is None
    assert exports.handlers.store.get(update[key]).model.name == "assets/model"
    untouched = (None, None, exports.media.shown.value, "")
    assert (exports.opening_inputs(*untouched, update[key]) != gr.skip()) == ("video" in exports.adapter.modalities)
    assert exports.opening_inputs("own.mp4", None, "video", "", update[key]) == gr.skip()  # nothing is lost
    assert exports.opening_inputs(None, None, "video", "why?", update[key]) == gr.skip()
    assert exports.opening_inputs(*untouched, "another key") == gr.skip()
