"""The lab's page: its cost first, cells in turns with others; a sweep that was ended goes on and repeats nothing."""

from __future__ import annotations

from dataclasses import replace

import gradio as gr
import pytest

from page import lab_handlers, lab_plan
from page.components.questions.component import MOST_ROWS, AskedRow, QuestionsPanel
from page.i18n import STRINGS
from page.server.settings import SettingError, read_settings
from page.state.startup import Loaded
from page.state.sweeps import Sweeps
from tests.helpers.lab_page import FORM, REQUEST, ROWS, counted, keys_in, layout_of, pictures, refused, server, swept

ENGLISH = STRINGS["en"]


@pytest.fixture(autouse=True)
def brief(monkeypatch):
    """Answers of two words, and every cell is shown."""
    monkeypatch.setattr(lab_plan, "NEW_TOKENS", 2)
    monkeypatch.setattr(lab_handlers, "EVERY", 0.0)
    monkeypatch.setattr(lab_handlers, "SHARE", float("inf"))


@pytest.fixture(scope="module")
def loaded(engine, checkpoint) -> Loaded:
    return Loaded(engine, str(checkpoint), is_embedded=False)


@pytest.fixture(scope="module")
def layout(loaded):
    return layout_of(loaded)


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> list[str]:
    return pictures(tmp_path_factory.mktemp("uploads"))


def test_cost_is_told_first_and_only_what_was_counted_starts(loaded, layout, files, tmp_path):
    own = server(loaded, layout, tmp_path)
    assert refused(own.run, "", files, ROWS, *FORM, REQUEST) == ENGLISH["NOT_COUNTED"]
    record, key = counted(own, files)
    assert (record["cells"], record["done"], record["settings"], record["questions"]) == (6, 0, 3, 2)
    assert record["cost"]["seconds"] > 0 and record["cost"]["flops"].endswith("FLOPs") and not record["cost"]["beyond"]
    others = FORM[0], FORM[1], [25, 50], FORM[3], FORM[4]
    assert refused(own.run, key, files, ROWS, *others, REQUEST) == ENGLISH["NOT_COUNTED"]
    assert not list(tmp_path.iterdir())  # nothing is kept before it starts


def test_a_sweep_that_was_ended_goes_on_and_repeats_nothing(loaded, layout, files, tmp_path):
    own = server(loaded, layout, tmp_path)
    record, key = counted(own, files)
    going = swept(own, key, files)
    for _ in range(5):
        record = next(going)
    assert record["progress"]["ended"] == "" and record["progress"]["left"] > 0 and len(record["rows"]) == 3
    going.close()  # as when the page is closed
    before = keys_in(tmp_path)
    assert len(before) == record["done"] == 4
    (path,) = tmp_path.glob("*/lines.jsonl")
    with path.open("ab") as log:
        log.write(b'{"weights": "cut o')  # as a killed server leaves it
    own = server(loaded, layout, tmp_path)
    back = own.restore(f"sweep={key}&going=1")
    record = back[layout.panel]
    assert (record["done"], record["cells"], record["goOn"], back[layout.counted]) == (4, 6, True, key)
    assert [back[one] for one in layout.form] == list(FORM) and back[layout.questions]["rows"] == [*map(list, ROWS)]
    names = [path.rpartition("/")[2] for path in back[layout.files]]
    assert names == ["3.png", "4.png"]
    turns = own.runner.turns.count
    *_, record = swept(own, key, back[layout.files])
    assert record["progress"]["ended"] == "done" and record["done"] == 6
    assert keys_in(tmp_path)[:4] == before and len(keys_in(tmp_path)) == 6
    assert own.runner.turns.count - turns == 2 + 1  # each cell has its own, and the question ends
    record, again = counted(own, files)
    assert again == key and record["cost"]["seconds"] is None and record["done"] == 6


def test_more_settings_on_the_same_questions_measure_only_those(loaded, layout, files, tmp_path):
    own = server(loaded, layout, tmp_path)
    *_, first = swept(own, counted(own, files)[1], files)
    more = FORM[0], FORM[1], FORM[2], FORM[3], "aim keep_ratio=0.5 l1=2 l2=6"
    record, key = counted(own, files, form=more)
    assert key != first["key"] and (record["done"], record["cells"]) == (6, 8)
    *_, record = swept(own, key, files, form=more)
    assert len(keys_in(tmp_path)) == record["done"] == 8
    assert not own.restore(f"sweep={first['key']}")[layout.panel]["goOn"]


def test_two_who_ask_the_same_share_the_work(loaded, layout, files, tmp_path):
    own = server(loaded, layout, tmp_path)
    key = counted(own, files)[1]
    going = [swept(own, key, files), swept(own, key, files)]
    last = {}
    while going:
        for one in [*going]:
            record = next(one, None)
            if record is None:
                going.remove(one)
            else:
                last = record
    assert last["done"] == 6 and len(keys_in(tmp_path)) == 6


def test_nobody_waits_for_a_decoder_in_the_models_turn(loaded, layout, files, tmp_path, monkeypatch):
    own = server(loaded, layout, tmp_path)
    frames, seen = own.runner.frames, []

    def decoded(*args, sound):
        seen.append(own.runner.turns.holders())
        assert not sound  # the command line's lines have the same keys, and are of pictures alone
        return frames(*args, sound=sound)

    monkeypatch.setattr(own.runner, "frames", decoded)
    list(swept(own, counted(own, files)[1], files))
    assert len(seen) >= 3 and not any(seen)


def test_what_is_kept_needs_no_room_again_and_none_but_the_server_may_read_it(loaded, layout, files, tmp_path):
    own = server(loaded, layout, tmp_path / "sweeps")
    asked, _ = own._asked(files, ROWS, *FORM)
    own.sweeps.keep(asked)
    own.sweeps.most_bytes = own.sweeps.num_bytes
    own.sweeps.keep(asked)
    folders = [path for path in (tmp_path / "sweeps").rglob("*") if path.is_dir()]
    assert len(folders) == 2 and {path.stat().st_mode & 0o777 for path in folders} == {0o700}


def test_a_sweep_that_begins_is_not_removed_before_its_first_cell(loaded, layout, files, tmp_path, monkeypatch):
    own = server(loaded, layout, tmp_path)
    key, keep = counted(own, files)[1], own.sweeps.keep

    def tidied(asked):
        kept = keep(asked)
        Sweeps(tmp_path, own.sweeps.most_bytes, -1).tidy()
        monkeypatch.setattr(own.sweeps, "keep_seconds", -1)
        own.sweeps.tidy()
        return kept

    monkeypatch.setattr(own.sweeps, "keep", tidied)
    *_, record = swept(own, key, files)
    assert record["done"] == 6 and not record["refusals"]


def test_what_breaks_in_a_sweep_is_not_told_as_another_servers_work(loaded, layout, files, tmp_path, monkeypatch):
    own = server(loaded, layout, tmp_path)
    key = counted(own, files)[1]

    def broken(*_):
        raise ValueError("of something else")

    monkeypatch.setattr(own.runner, "parts", broken)
    assert refused(own.run, key, files, ROWS, *FORM, REQUEST) == ENGLISH["WENT_WRONG"]


def test_what_it_may_take_is_bounded(loaded, layout, files, tmp_path):
    few = server(loaded, layout, tmp_path, cells=5)
    assert "6 cells" in refused(few.cost, files, ROWS, *FORM, REQUEST)
    assert "2 videos" in refused(server(loaded, layout, tmp_path, videos=1).cost, files, ROWS, *FORM, REQUEST)
    for most, told in (({"tflops": 0}, "TFLOPs"), ({"minutes": 0}, "minutes")):
        own = server(loaded, layout, tmp_path, **most)
        record, key = counted(own, files)
        assert told in record["cost"]["beyond"] and key == ""
    own = server(loaded, layout, tmp_path)
    key = counted(own, files)[1]
    own.most = replace(own.most, minutes=0)  # over after the first cell
    *_, record = swept(own, key, files)
    assert record["progress"]["ended"] == "time" and record["done"] == 1
    own.sweeps.most_bytes = 10
    assert refused(own.run, key, files, ROWS, *FORM, REQUEST) == ENGLISH["NO_SWEEP_ROOM"]


@pytest.mark.parametrize(
    ("rows", "form", "told"),
    [
        ([], {}, "NO_ROWS"),
        ([AskedRow("3.png", "", "")], {}, "ROW_WITHOUT_QUESTION"),
        ([AskedRow("../../etc/passwd", "what?", "")], {}, "ROW_WITHOUT_VIDEO"),
        (ROWS, {"frames": []}, "NO_FRAMES"),
        (ROWS, {"frames": [0, "8", 10**9]}, "NO_FRAMES"),
        (ROWS, {"methods": []}, "NO_GRID"),
        (ROWS, {"methods": "aim"}, "NO_GRID"),
        (ROWS, {"by": "no such"}, "BAD_SETTINGS"),
        (ROWS, {"more": "x" * 3000}, "BAD_SETTINGS"),
        (ROWS, {"more": f"aim keep_ratio=0.5 l1={'1,' * 400}1 l2={'2,' * 400}2"}, "MANY_SETTINGS"),
        (ROWS, {"methods": ["vtw"], "by": "keep_ratio"}, "BAD_SETTINGS"),
        (ROWS, {"methods": [], "more": "no such method"}, "BAD_SETTINGS"),
    ],
)
def test_bad_input_is_a_sentence(loaded, layout, files, tmp_path, rows, form, told):
    values = dict(zip(("methods", "by", "shares", "frames", "more"), FORM, strict=True)) | form
    sentence = refused(server(loaded, layout, tmp_path).cost, files, rows, *values.values(), REQUEST)
    assert sentence.startswith(ENGLISH[told].split("{")[0])


def test_a_name_in_a_sentence_is_no_html(loaded, layout, files, tmp_path):
    rows = [AskedRow("<img src=x onerror=alert(1)>.mp4", "1 < 2?", "")]
    sentence = refused(server(loaded, layout, tmp_path).cost, files, rows, *FORM, REQUEST)
    assert "<" not in sentence and "&lt;img src=x" in sentence


@pytest.mark.parametrize(
    "payload",
    [3, {"rows": 3}, {"rows": [["a", "b"]]}, {"rows": [[1, 2, 3]]}, {"rows": [["a", "b", "c"]] * (MOST_ROWS + 1)}],
)
def test_a_table_that_is_none_is_a_sentence(payload):
    with gr.Blocks():
        panel = QuestionsPanel()
    assert "must be a table" in refused(panel.preprocess, payload)
    assert panel.preprocess({"rows": [[" a ", "b", ""]]}) == [AskedRow("a", "b", "")] and panel.preprocess("") == []


def test_tables_and_uploads_fill_the_questions(loaded, layout, files, tmp_path):
    own = server(loaded, layout, tmp_path)
    samples = [AskedRow(*row) for row in lab_handlers.sample_questions(loaded)["rows"]]
    filled = own.files_changed(files, samples)
    assert filled["rows"] == [["3.png", "", ""], ["4.png", "", ""]]
    kept = own.files_changed(files[:1], [AskedRow("3.png", "what?", ""), AskedRow("4.png", "", "")])
    assert kept == {"rows": [["3.png", "what?", ""]], "videos": ["3.png"]}
    table = tmp_path / "asked.jsonl"
    table.write_text('{"video": "sub/3.png", "question": "what?", "answer": "B"}\n')
    assert own.table_given(str(table), files)["rows"] == [["3.png", "what?", "B"]]
    table.write_text("{\n")
    sentence = refused(own.table_given, str(table), files)
    assert "line 1 of asked.jsonl is not JSON" in sentence and str(tmp_path) not in sentence


def test_sweeps_leave_by_age_and_bytes_but_not_while_under_way(loaded, layout, files, tmp_path):
    own = server(loaded, layout, tmp_path)
    first, second = (own._asked(files, ROWS[: count + 1], *FORM)[0] for count in range(2))
    for asked in (first, second):
        own.sweeps.keep(asked)
    assert own.sweeps.find(first.key).key == first.key
    assert own.sweeps.find("../" + first.key) is None and own.sweeps.find("0" * 32) is None
    with own.sweeps.working(first):
        own.sweeps.keep_seconds = -1
        own.sweeps.tidy()
        assert own.sweeps.find(first.key) and not own.sweeps.find(second.key)
        other = Sweeps(tmp_path, own.sweeps.most_bytes, -1)
        other.tidy()  # another process finds it locked
        with pytest.raises(ValueError, match="another sweep"), other.working(first):
            pass
    own.sweeps.tidy()
    assert not own.sweeps.find(first.key) and own.sweeps.num_bytes < 100


def test_the_owner_bounds_sweeps():
    alone, shared = read_settings("127.0.0.1", {}).sweeps, read_settings("0.0.0.0", {}).sweeps
    assert shared.cells < alone.cells and shared.minutes < alone.minutes and alone.place.name == "sweeps"
    own = {"AIM_SWEEPS": "/data/s", "AIM_SWEEPS_MB": "5", "AIM_SWEEPS_HOURS": "2", "AIM_SWEEP_CELLS": "7"}
    set_by_owner = read_settings("0.0.0.0", own).sweeps
    assert (str(set_by_owner.place), set_by_owner.most_bytes, set_by_owner.keep_seconds) == ("/data/s", 5 << 20, 7200)
    assert (set_by_owner.cells, set_by_owner.videos) == (7, shared.videos)
    with pytest.raises(SettingError, match="AIM_SWEEP_MINUTES"):
        read_settings("0.0.0.0", {"AIM_SWEEP_MINUTES": "some"})
