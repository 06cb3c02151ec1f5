"""Replay: a saved run comes back whole; a hostile file is a sentence, never a traceback and never a huge allocation."""

from __future__ import annotations

import io
import json
import re
import tempfile
import tracemalloc
import zipfile
from dataclasses import replace

import gradio as gr
import numpy as np
import pytest

from aim_core.audio_trace import AudioTrace
from aim_core.config import AimConfig
from aim_core.layer_trace import LayerTrace
from aim_core.methods.registry import make_method
from aim_core.result import PrefillTimes
from aim_core.trace import Trace
from aim_core.view import View
from aim_core.world_score import WorldCheck
from page.components.answers.component import AnswersPanel, answers_record
from page.components.explorer.component import Explored, TokenExplorer
from page.components.first_token.component import FirstTokenPanel, first_token_record
from page.components.word_frames.component import WordFramesPanel, word_frames_record
from page.exports.replay import replay_page
from page.exports.saved_run import archive
from page.exports.saved_run.archive import SavedRunError
from page.exports.saved_run.file import load_run, save_run
from page.exports.saved_run.rules import FRAMES, check_trace
from page.i18n import ENGLISH
from page.state.model_facts import ModelFacts
from page.state.store import StoredRun
from page.token_text import SavedTokens
from tests.helpers.drawn_trace import make_dropped_trace, make_trace

REPLAYED = ("patch", "frames", "words", "firstToken")  # tabs: the rest is not in the file
EVIL = '</script><img src=x onerror="window.hit=1"><!-- ${window.hit=1} {{x}} @style@'
TOKEN_ARRAYS = ("row", "last", "levels", "peaks")
FACTS = ModelFacts("some/model", {"hidden": 128, "kv": 64, "intermediate": 320, "q": 256}, 4)


@pytest.fixture(scope="module")
def stored(engine, frames):
    dense, aim = (
        engine.run(frames, "what?", config=config, max_new_tokens=3, details=True)
        for config in (AimConfig.dense(), AimConfig(0.25, 4, 9))
    )
    timed = replace(
        aim, timing=aim.timing.with_prefills(PrefillTimes((3.0, 2.0, 4.5), (0.5, 0.5, 0.5), (5.0, 4.0, 6.5)))
    )
    return StoredRun("/somewhere/secret/clip.mp4", EVIL, 4, replace(dense, answer=EVIL), timed, 3)


@pytest.fixture(scope="module")
def saved_tokens(stored, engine):
    return SavedTokens.of(stored.runs, engine.adapter.processor.tokenizer)


@pytest.fixture
def saved(stored, saved_tokens, tmp_path):
    save_run(stored, FACTS, saved_tokens, tmp_path / "run.npz")
    return tmp_path / "run.npz"


def same_trace(one: Trace, other: Trace) -> bool:
    arrays = [
        (one.frames, other.frames),
        (one.group, other.group),
        (one.rows(), other.rows()),
        (one.planned, other.planned),
    ]
    arrays += [(a.kept, b.kept) for a, b in zip(one.layers, other.layers, strict=True)]
    arrays += [(a.scores, b.scores) for a, b in zip(one.layers, other.layers, strict=True)]
    return all(np.array_equal(a, b) for a, b in arrays) and one.views == other.views


def test_a_saved_run_comes_back_whole(stored, saved, engine):
    back = load_run(saved)
    assert (back.question, back.num_frames, back.timed_prefills, back.model) == (EVIL, 4, 3, FACTS)
    assert back.path == "clip.mp4"  # no folder of the one who saved it
    for one, other in ((stored.dense, back.dense), (stored.aim, back.aim)):
        assert (one.answer, one.answer_ids, one.cost, one.timing) == (
            other.answer,
            other.answer_ids,
            other.cost,
            other.timing,
        )
        assert one.overrides == other.overrides and np.array_equal(one.first_token_logprobs, other.first_token_logprobs)
    assert back.aim.config == stored.aim.config and same_trace(back.aim.trace, stored.aim.trace)
    tokenizer = engine.adapter.processor.tokenizer
    assert answers_record(back.runs, True) == answers_record(stored.runs, True)
    told = word_frames_record(stored.runs, tokenizer, with_patches=True)
    assert word_frames_record(back.runs, back.saved_tokens, with_patches=True) == told and told["patches"]


def test_a_run_saved_without_attention_by_patch_can_be_read(saved):
    changed(saved, **{f"{side}_token_{name}": None for side in ("dense", "aim") for name in TOKEN_ARRAYS})
    back = load_run(saved)
    assert all(run.token_attention.levels.size == 0 and run.frame_attention.size for run in back.runs.values())


def test_a_run_saved_by_version_1_had_no_merging_in_its_prefill_and_query_heads_as_wide_as_the_model(stored, saved):
    rewritten(saved, as_version_1)
    back, timing = load_run(saved), stored.aim.timing
    assert back.model.sizes["q"] == FACTS.sizes["hidden"] != FACTS.sizes["q"]
    assert back.aim.timing == replace(
        timing, prefill_ms=timing.prefill_ms + timing.merge_ms, runs_ms=(), first_words_ms=()
    )


def test_a_run_saved_by_version_2_has_no_time_to_the_first_word(stored, saved, engine):
    rewritten(saved, as_version_2)
    back = load_run(saved)
    assert back.aim.timing == replace(stored.aim.timing, first_words_ms=()) != stored.aim.timing
    assert answers_record(back.runs, True)["aim"]["time"] == "–"


def as_version_1(record: dict) -> None:
    as_version_2(record)
    record["version"] = 1
    del record["model"]["sizes"]["q"]
    for side in record["runs"].values():
        del side["runs_ms"]


def as_version_2(record: dict) -> None:
    as_version_3(record)
    record["version"] = 2
    del record["spelling"]["special"], record["known"]
    for side in record["runs"].values():
        del side["first_words_ms"]


def as_version_3(record: dict) -> None:
    as_version_4(record)
    record["version"] = 3
    del record["world"]


def as_version_4(record: dict) -> None:
    record["version"] = 4
    del record["settings"]["audio_keep_ratio"], record["settings"]["audio_floor"]


def test_a_saved_run_still_says_that_its_clip_is_of_another_world(stored, saved, saved_tokens, tmp_path):
    assert load_run(saved).world is None
    outside = replace(stored, world=WorldCheck(2.5, 0.5))
    save_run(outside, FACTS, saved_tokens, path := tmp_path / "outside.npz")
    assert load_run(path).world == outside.world
    rewritten(path, as_version_3)  # which did not know
    assert load_run(path).world is None


def test_a_saved_run_is_a_trace_too(stored, saved):
    assert same_trace(Trace.load(saved), stored.aim.trace)


def test_a_replay_can_be_saved_again(saved, tmp_path):
    back = load_run(saved)
    save_run(back, FACTS, back.saved_tokens, tmp_path / "again.npz")
    assert load_run(tmp_path / "again.npz").question == EVIL


def test_a_trace_alone_comes_back_without_claims(tmp_path, engine, frames):
    in_tower = engine.run(frames, "?", config=make_method("tome_in_tower"), max_new_tokens=1).trace
    traces = {"old": make_trace(3), "views": views_trace(), "dropped": make_dropped_trace(), "in the tower": in_tower}
    for name, trace in traces.items():
        trace.save(tmp_path / name)
        back = load_run(tmp_path / name)
        assert same_trace(back.aim.trace, trace)
        assert not back.model and back.aim.answer == "" and back.aim.cost.language_flops == 0
        assert back.aim.cost.visual_per_layer == tuple(trace.retained.tolist())


def sound_trace() -> Trace:
    """Six audio tokens in two chunks, merged into four, of which one enters the last of five layers."""
    sound, chunk, row = (np.array(own) for own in ([0] * 6, [0, 0, 0, 0, 1, 1], [0, 1, 0, 1, 2, 3]))
    kept = (np.arange(4), np.arange(4), np.array([1, 3]), np.array([1, 3]), np.array([3]))
    return replace(make_trace(3), audio=AudioTrace(sound, chunk, np.arange(6, dtype=np.float32), 0.04, row, kept))


def test_a_trace_with_sound_comes_back(tmp_path):
    trace = sound_trace()
    trace.save(tmp_path / "sound")
    audio = load_run(tmp_path / "sound").aim.trace.audio
    assert audio.last_layer().tolist() == trace.audio.last_layer().tolist() == [1, 3, 1, 3, 1, 4]


@pytest.mark.parametrize(
    "change",
    [
        {"sound": np.full(6, -1)},
        {"chunk": np.zeros(5, np.int64)},
        {"row": np.full(6, 1 << 50)},
        {"row": np.array([0, 1, 0, 1, 2, 5])},
        {"row": np.zeros(6)},
        {"row": np.zeros(0, np.int64)},
        {"start": np.full(6, np.nan, np.float32)},
        {"start": np.zeros(5, np.float32)},
        {"seconds": float("nan")},
        {"kept": (np.array([4]),) * 5},
        {"kept": (np.array([1]), *(np.array([2]),) * 4)},
        {"kept": (np.array([1, 0]),) * 5},
        {"loudness": np.zeros(5, np.float32)},
        {"loudness": np.full(6, np.nan, np.float32)},
        {"loudness": np.full(6, 1e30, np.float32)},
        {"scores": (np.zeros(4, np.float32),) * 4},
        {"scores": (np.zeros(3, np.float32), *(np.zeros(0, np.float32),) * 4)},
        {"scores": (np.full(4, np.inf, np.float32), *(np.zeros(0, np.float32),) * 4)},
        {"scores": (np.full(4, -1, np.float32), *(np.zeros(0, np.float32),) * 4)},
    ],
)
def test_sound_that_does_not_fit_is_a_sentence(change):
    trace = sound_trace()
    check_trace(trace)
    with pytest.raises(SavedRunError):
        check_trace(replace(trace, audio=replace(trace.audio, **change)))


def views_trace() -> Trace:
    views = (View(0, (0,), (2, 2), (0.0, 0.0, 0.5, 1.0)), View(0, (1,), (2, 3), None))
    rows = [np.array([0, 0, 1, 1]), np.array([2, 3, 3, 2, 2, 3])]
    layers = tuple(
        LayerTrace(i, kept, np.zeros(0, np.float32)) for i, kept in enumerate([np.arange(5), np.array([1, 3])])
    )
    frames = np.zeros((2, 6, 8, 3), np.uint8)
    return Trace.of_views(frames, np.arange(2, dtype=np.float32), views, rows, layers, np.array([5, 2]))


def refused(path) -> str:
    tracemalloc.start()
    with pytest.raises(SavedRunError) as caught:
        load_run(path)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 300 << 20
    sentence = str(caught.value)
    assert sentence.endswith(".") and len(sentence) < 200 and "Error" not in sentence
    return sentence


def changed(saved, **arrays) -> None:
    """The same file with some parts replaced; None leaves one out, bytes go in as they are."""
    with zipfile.ZipFile(saved) as file:
        parts = {name: file.read(name) for name in file.namelist()}
    for name, value in arrays.items():
        name = name if "." in name else f"{name}.npy"
        parts.pop(name, None)
        if value is not None:
            parts[name] = value if isinstance(value, bytes) else npy(value)
    with zipfile.ZipFile(saved, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in parts.items():
            file.writestr(name, data)


def npy(array) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def header(shape: str, dtype: str = "<i8") -> bytes:
    """An array that declares a shape and holds next to nothing."""
    text = f"{{'descr': {dtype!r}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + b"\0" * 64


class Trap:
    def __reduce__(self):
        return exec, ("raise SystemExit('unpickled')",)


ARRAYS = {
    "frames": [
        np.zeros((4, 8, 8, 3), np.float32),
        np.zeros((0, 8, 8, 3), np.uint8),
        np.zeros((4, 8, 3), np.uint8),
        np.zeros((65, 2, 2, 3), np.uint8),
        np.zeros((4, 3000, 2, 3), np.uint8),
    ],
    "times": [np.zeros(3, np.float32), np.full(4, np.nan, np.float32), np.zeros(4, np.int64)],
    "planned": [np.full(12, -1), np.zeros((12, 2), np.int64), np.zeros(12), np.zeros(500, np.int64)],
    "grid": [np.array([8]), np.array([0, 64]), np.array([7, 8]), np.array([1 << 40, 1 << 40])],
    "group": [
        np.full((4, 64), 99),
        np.full((4, 64), -1),
        np.zeros((4, 64)),
        np.zeros((4, 65), np.int64),
        np.full((4, 64), 1 << 60),
    ],
    "row": [np.full((4, 64), 1 << 60), np.zeros((4, 64), np.int64), np.full((4, 64), -2), np.zeros((4, 63), np.int64)],
    "kept_0": [np.array([-1, 0]), np.array([3, 2]), np.array([1, 1]), np.array([1 << 50]), np.zeros((2, 2), np.int64)],
    "kept_6": [np.array([5000])],
    "importance_5": [np.full(3, 1.0, np.float32), np.full(65, np.nan, np.float32), np.full(65, -1.0, np.float32)],
    "folded_5": [np.zeros((1, 2), np.int64), np.zeros((2, 3), np.int64), np.zeros(2, np.int64), np.full((1, 2), 0.5)],
    "layer_3": [np.int64(7), np.array([3, 3])],
    "view_grid": [np.full((4, 2), 1 << 40), np.zeros((4, 2), np.int64), np.full((4, 3), 8)],
    "view_box": [np.full((4, 4), 1e9), np.tile([0.5, 0.5, 0.5, 0.5], (4, 1)), np.tile([1.0, 0, 0, 1], (4, 1))],
    "view_frames": [np.full((4, 1), 99), np.full((4, 1), -1)],
    "view_medium": [np.full(4, -1), np.full(3, 0)],
    "round_0": [np.full((4, 64), 5000), np.zeros((4, 64)), np.zeros((4, 2), np.int64)],
    "similarity": [np.full((4, 64), 9, np.float32), np.zeros((2, 2), np.float32)],
    "aim_first": [np.zeros((2, 2), np.float32), np.full(5, np.nan, np.float32)],
    "aim_token_row": [np.full((4, 64), 65, np.int32), np.zeros((4, 64), np.int64), np.zeros((4, 63), np.int32)],
    "aim_token_last": [np.full(65, 12, np.int16), np.full(65, 3, np.int16), np.zeros((1, 65), np.int16)],
    "aim_token_levels": [np.zeros((2, 2, 5), np.uint8), np.zeros((9, 2, 650), np.uint8), np.zeros(3, np.uint8)],
    "aim_token_peaks": [np.full((3, 2, 12), 9, np.float32), np.full((3, 2, 12), np.nan, np.float32)],
    "aim_word_frames": [np.zeros((900, 4), np.float32), np.full((3, 4), np.inf, np.float32)],
}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in ARRAYS.items() for value in values])
def test_arrays_that_do_not_fit_are_a_sentence(saved, name, value):
    changed(saved, **{name: value})
    refused(saved)


@pytest.mark.parametrize("name", ["frames", "planned", "kept_3", "view_box", "aim_first", "aim_token_last", "group"])
def test_missing_parts_are_a_sentence(saved, name):
    changed(saved, **{name: None})
    refused(saved)


@pytest.mark.parametrize(
    "part",
    [
        header("(1000000000000,)"),
        header("(1 << 62,)"),
        header("(-5,)"),
        header("(0, 10**18)"),
        header("(2,)", "|O"),
        header("()", "<U99999999"),
        header("(8,)", "<M8[s]"),
        header("[" * 500),
        b"",
        b"\x93NUMPY\x09\x00",
        b"not numpy",
    ],
)
def test_headers_that_lie_reserve_nothing(saved, part):
    changed(saved, frames=part)
    refused(saved)


def test_nothing_is_unpickled(saved, tmp_path):
    changed(saved, times=npy(np.array([Trap()], dtype=object)))
    refused(saved)


@pytest.mark.slow
def test_a_bomb_is_refused_by_its_declared_size(saved):
    changed(saved, frames=npy(np.zeros((64, 2048, 1024, 3), np.uint8)))  # 400 MB in 400 KB
    assert saved.stat().st_size < 2 << 20
    assert "larger than" in refused(saved)


def test_a_bomb_that_declares_less_than_it_holds_is_refused(saved):
    data = saved.read_bytes()
    part = data.index(b"PK\x01\x02")  # the first entry of the table of contents
    shorter = (int.from_bytes(data[part + 24 : part + 28], "little") - 1).to_bytes(4, "little")
    saved.write_bytes(data[: part + 24] + shorter + data[part + 28 :])
    refused(saved)


@pytest.mark.parametrize("name", ["../../evil.npy", "evil.py", "frames.npy/x", "FRAMES.npy", "a" * 5000 + ".npy"])
def test_parts_of_other_names_are_refused(saved, name):
    changed(saved, **{name: npy(np.zeros(1))})
    refused(saved)


def test_two_parts_of_one_name_are_refused(saved):
    with pytest.warns(UserWarning), zipfile.ZipFile(saved, "a") as file:
        file.writestr("frames.npy", npy(np.zeros(1)))
    refused(saved)


def test_an_archive_with_a_huge_table_of_contents_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "many.npz"
    with zipfile.ZipFile(path, "w") as file:
        for index in range(20_000):
            file.writestr(f"kept_{index}.npy", b"")
    refused(path)


def test_an_archive_of_many_small_parts_is_refused_before_any_is_opened(tmp_path, monkeypatch):
    path = tmp_path / "many.npz"
    with zipfile.ZipFile(path, "w") as file:
        for index in range(15_000):
            file.writestr(f"{'ab'[index // 10_000]}{index % 10_000}.npy", b"")
    assert path.stat().st_size < 2 << 20
    monkeypatch.setattr(archive, "ZipFile", lambda *_: pytest.fail("its parts were looked at"))
    refused(path)


def test_a_large_record_is_refused_by_its_declared_size(saved, monkeypatch):
    with zipfile.ZipFile(saved) as file:
        record = file.read("run.json")
    changed(saved, **{"run.json": record + b" " * (4 << 20)})
    monkeypatch.setattr(json, "loads", lambda *_: pytest.fail("it was unpacked"))
    refused(saved)


def test_the_largest_run_of_the_page_can_be_loaded():
    """As many frames as a saved run may have, of the size that the page samples."""
    assert FRAMES * 768 * 768 * 3 < 0.75 * archive.MOST_BYTES


@pytest.mark.parametrize("data", [b"", b"PK", b"PK\x05\x06" + b"\0" * 18, b"\0" * 5000, b"PK\x03\x04" + b"A" * 5000])
def test_other_files_are_a_sentence(tmp_path, data):
    (tmp_path / "x.npz").write_bytes(data)
    refused(tmp_path / "x.npz")


@pytest.mark.slow
def test_any_byte_may_be_wrong(saved):
    """Five hundred damaged files: each is refused in a sentence or still holds a run that fits together."""
    data, draw = saved.read_bytes(), np.random.default_rng(0)
    for _ in range(500):
        broken = bytearray(data)
        for at in draw.integers(0, len(data), 3):
            broken[at] = draw.integers(0, 256)
        saved.write_bytes(broken if draw.random() < 0.8 else broken[: draw.integers(0, len(data))])
        try:
            load_run(saved)
        except SavedRunError as error:
            assert str(error).endswith(".")


RECORDS = [
    ("question", 5),
    ("question", "x" * 5000),
    ("question", None),
    ("num_frames", 1e9),
    ("num_frames", "8"),
    ("version", 7),
    ("format", "other"),
    ("file", ["x"]),
    ("runs", []),
    ("runs", None),
    ("settings", {}),
    ("model", "name"),
    ("timed_prefills", -1),
    ("known", 4),
    ("world", 4),
    ("world", {"score": 1.0}),
    ("world", {"score": "high", "limit": 0.5}),
    ("spelling", {}),
    ("spelling", {"tokens": {"-1": "x"}, "answers": []}),
    ("spelling", {"tokens": {}, "answers": [[["x"], "y"]], "end": 1, "special": []}),
    ("spelling", {"tokens": {}, "answers": [], "end": 1, "special": ["x"]}),
]
SIDES = [
    ("answer", None),
    ("answer", "x" * 50_000),
    ("answer_ids", "12"),
    ("answer_ids", [1.5]),
    ("answer_ids", [True]),
    ("visual_per_layer", [1]),
    ("visual_per_layer", [-1] * 12),
    ("language_flops", -1),
    ("language_flops", 10**30),
    ("prefill_ms", "fast"),
    ("prefill_ms", -1),
    ("num_text", 10**12),
    ("runs_ms", 3),
    ("runs_ms", [-1]),
    ("runs_ms", [1, "x"]),
    ("first_words_ms", [-1]),
]


def rewritten(saved, change) -> None:
    with zipfile.ZipFile(saved) as file:
        record = json.loads(file.read("run.json"))
    change(record)
    changed(saved, **{"run.json": json.dumps(record).encode()})


@pytest.mark.parametrize(("name", "value"), RECORDS)
def test_a_record_that_does_not_fit_is_a_sentence(saved, name, value):
    rewritten(saved, lambda record: record.update({name: value}))
    refused(saved)


@pytest.mark.parametrize(("name", "value"), SIDES)
def test_an_answer_that_does_not_fit_is_a_sentence(saved, name, value):
    rewritten(saved, lambda record: record["runs"]["aim"].update({name: value}))
    refused(saved)


@pytest.mark.parametrize(
    "change",
    [
        {"keep_ratio": 7},
        {"l1": 9, "l2": 3},
        {"l1": "x"},
        {"audio_floor": 2},
        {"mode": "<b>"},
        {"protect": [[1]]},
        {"protect": [[0, 1]], "remove": [[0, 1]]},
        {"protect": [[99, 1]]},
        {"remove": [[0, 1]]},
    ],
)
def test_settings_that_cannot_be_are_a_sentence(saved, change):
    rewritten(saved, lambda record: record["settings"].update(change))
    refused(saved)


@pytest.mark.parametrize(
    "text", [b"", b"[" * 100_000, b"{}", b"[]", b"null", b"\xff\xfe", b"9" * 100_000, b'{"a": NaN}', b" " * (5 << 20)]
)
def test_a_record_that_is_no_record_is_a_sentence(saved, text):
    changed(saved, **{"run.json": text})
    refused(saved)


def test_infinity_is_no_time(saved):
    rewritten(saved, lambda record: record["runs"]["aim"].update(prefill_ms=float("inf")))
    refused(saved)


@pytest.fixture(scope="module")
def page_text(stored, engine):
    tokenizer = engine.adapter.processor.tokenizer
    with gr.Blocks():
        panels = [(AnswersPanel(), answers_record(stored.runs, True)), (TokenExplorer(), Explored(stored.shown))]
        panels.append((FirstTokenPanel(), first_token_record(stored.runs, tokenizer)))
        panels.append((WordFramesPanel(), (stored.shown.trace, word_frames_record(stored.runs, tokenizer, True))))
    heading = {"title": "A run", "question": EVIL, "settings": EVIL, "theme": "Dark or light", "offline": "One file."}
    return replay_page(panels, heading)


def test_the_page_names_nothing_outside_of_itself(page_text):
    for scheme in ("http://", "https://", "//cdn", "url(", "@import", tempfile.gettempdir(), "file="):
        assert scheme not in page_text.replace("http://www.w3.org/2000/svg", "")
    assert page_text.count("<script") == page_text.count("</script>") == 5  # four records and one script
    assert "connect-src" not in page_text and "default-src 'none'" in page_text


def test_every_colour_the_panels_use_is_defined(page_text):
    used, defined = set(re.findall(r"var\((--[a-z-]+)", page_text)), set(re.findall(r"(--[a-z-]+):", page_text))
    by_script = {name for name in used if re.search(rf'setProperty\([`"]({name}|{name[:5]}\$)', page_text)}
    assert used <= defined | by_script


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_page_replays_without_a_network_and_runs_nothing_it_was_told(browser, page_text, tmp_path, theme):
    (tmp_path / "run.html").write_text(page_text, encoding="utf-8")
    context = browser.new_context(offline=True, color_scheme=theme, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    asked, broken = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: broken.append(str(error)))
    page.on("console", lambda message: broken.append(message.text))
    page.goto((tmp_path / "run.html").as_uri())
    page.wait_for_selector(".tx[data-empty=false]")
    assert [url for url in asked if not url.startswith("data:")] == [(tmp_path / "run.html").as_uri()] and not broken
    assert page.evaluate("window.hit === undefined && !document.querySelector('[onerror]')")
    assert page.evaluate("[...document.images].every((image) => image.src.startsWith('data:image/png'))")
    assert page.inner_text(".question") == " ".join(EVIL.split())
    assert page.inner_text("[data-part=dense]").strip() == " ".join(EVIL.split())
    assert page.evaluate("document.body.classList.contains('dark')") == (theme == "dark")
    canvas = "document.querySelector('canvas[data-part=canvas]').toDataURL()"
    rest = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
    page.evaluate(rest)
    seen = set()
    for view in ("original", "groups", "alive", "scores"):
        page.locator(f"input[value={view}]").check(force=True)
        page.evaluate(rest)
        seen.add(page.evaluate(canvas))
    assert len(seen) == 4
    assert page.locator("[role=tab]").all_inner_texts() == [ENGLISH["EXPLORER"]["tabs"][tab] for tab in REPLAYED]
    page.locator("#tx-tab-firstToken").click()
    page.wait_for_selector("[data-panel=first_token] tbody tr")
    page.locator("#tx-tab-words").click()
    page.locator(".wf-side[data-side=aim] button").first.click()
    heat = set()
    for layer in ("-1", "2", "11"):
        page.locator("[data-part=heat] [data-part=layer]").select_option(value=layer)
        page.evaluate(rest)
        heat.add(page.evaluate("document.querySelector('canvas[data-side=aim]').toDataURL()"))
    assert len(heat) == 3
    page.focus("canvas[data-part=canvas]")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-part=history] li")
    page.click("#theme")
    assert page.evaluate("document.body.classList.contains('dark')") == (theme == "light")
    for width in (390, 1280, 2560):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()


@pytest.mark.browser
def test_the_policy_stops_a_script_that_somebody_adds(browser, page_text, tmp_path):
    """Even if the escaping had failed: only the script with the known hash runs."""
    added = page_text.replace("<footer>", "<script>window.hit = 1</script><img src=x onerror='window.hit = 1'><footer>")
    (tmp_path / "run.html").write_text(added, encoding="utf-8")
    page = browser.new_page()
    page.goto((tmp_path / "run.html").as_uri())
    page.wait_for_selector(".tx[data-empty=false]")
    assert page.evaluate("window.hit === undefined")
    page.close()
