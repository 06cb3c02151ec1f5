"""Handlers: a run, its sliders and marks made by hand on the real engine, as the page's events call them."""

from __future__ import annotations

import os
import time
from types import SimpleNamespace

import av
import gradio as gr
import numpy as np
import pytest
from PIL import Image

from aim_core.errors import Stopped
from aim_core.overrides import TokenOverrides
from aim_core.world_score import WorldCheck, WorldScore
from page.state.cancellation import Cancellation
from page.state.startup import Loaded
from page.times import spent
from tests.helpers.brief import BriefEngine
from tests.helpers.laid_out import exports_of
from tests.helpers.waiting import in_thread, wait_until

SLIDERS = (0.25, 6, 9, 4)
REQUEST = SimpleNamespace(session_hash="a page")
QUESTION = "what color is the star?"


@pytest.fixture(scope="module")
def handlers(engine):
    return exports_of(Loaded(BriefEngine(engine.adapter), "random", is_embedded=False)).handlers


@pytest.fixture
def key(handlers, clip):
    """A run that was made."""
    *_, last = run(handlers, clip)
    return last[handlers.results.key]


def run(handlers, clip, sliders=SLIDERS, details=True, key=None):
    return handlers.answer(str(clip), None, "video", QUESTION, *sliders, details, key, REQUEST, lambda *_: None)


def follow(handlers, clip, sliders, key, question=QUESTION, shown="video"):
    return handlers.follow(str(clip), None, shown, question, *sliders, key, REQUEST)


def marked(handlers, key, sent, sliders=SLIDERS):
    return handlers.by_hand(*sliders, key, gr.EventData(None, sent), REQUEST)


def kept_rows(result, layer: int) -> set[int]:
    return set(result.trace.layers[layer].kept.tolist())


@pytest.mark.slow
def test_dense_is_shown_before_aim_and_details_only_where_asked(handlers, clip):
    first, last = run(handlers, clip)
    to = handlers.results
    assert list(first) == to.answered and "aim" not in first[to.answers] and first[to.first_token] is None
    assert set(last) == {*to.panels, to.key}
    stored = handlers.store.get(last[to.key])
    assert stored.dense.frame_attention.size and stored.aim.frame_attention.size and last[to.word_frames][1]["measured"]
    told = handlers.patches(last[to.key])
    assert list(told) == [to.word_frames] and last[to.word_frames][1]["patches"] is None
    trace, record = told[to.word_frames]
    assert trace is stored.aim.trace and record["patches"]["sides"][1]["words"] == len(record["sides"][1]["words"])
    assert handlers.patches(None) == gr.skip()
    with pytest.raises(gr.Error, match="made room"):
        handlers.patches("gone")
    *_, plain = run(handlers, clip, details=False)
    shown = to.explorer.postprocess(last[to.explorer])
    assert [view["seen"] for view in shown.record["views"]] == [[128, 128]] * 4 and len(shown.seen) == 4
    with Image.open(shown.seen[2].path) as seen:
        assert np.array_equal(seen, stored.aim.pictures[2])
    assert not handlers.store.get(plain[to.key]).aim.frame_attention.size and not plain[to.word_frames][1]["measured"]


def test_a_video_with_fewer_frames_than_are_shown_is_said_to_be_one(handlers, clip, tmp_path, monkeypatch):
    path, warned = tmp_path / "one.mp4", []
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=12)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        file.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")))
        file.mux(stream.encode())
    monkeypatch.setattr(gr, "Warning", lambda text, **_: warned.append(text))
    list(run(handlers, clip))
    assert not [text for text in warned if "Different frames" in text]
    list(run(handlers, path))
    assert any(text.startswith("Different frames in this video: 1. The model is shown 4") for text in warned)


def test_a_clip_of_another_world_is_said_to_be_one_as_long_as_its_answers_stand(engine, handlers, clip):
    """From the dense answer on, timed, with a moved slider, with more frames and with marks; never without a score."""
    score = WorldScore(np.zeros(4 * 128), 1.0, 0.5)
    loaded = Loaded(BriefEngine(engine.adapter), "random", is_embedded=False, world=score)
    outside = exports_of(loaded).handlers
    to = outside.results
    first, last = run(outside, clip)
    key = last[to.key]
    moved = [follow(outside, clip, sliders, key) for sliders in ((0.5, 6, 9, 4), (0.5, 6, 9, 3))]
    hand = marked(outside, key, {"protect": [[0, 1]], "remove": []}, (0.5, 6, 9, 3))
    updates = [first, last, *moved, hand, outside.times(key, REQUEST)]
    assert all(update[to.answers]["outside"] for update in updates) and "hand" in hand[to.answers]
    assert outside.store.get(key).world == WorldCheck(1.0, 0.5)
    assert not any(update[handlers.results.answers]["outside"] for update in run(handlers, clip))


def test_times_come_after_the_answers_and_only_once(handlers, clip):
    first, last = run(handlers, clip)
    to, key = handlers.results, last[handlers.results.key]
    assert first[to.answers]["dense"]["time"] == last[to.answers]["aim"]["time"] == "–"
    update = handlers.times(key, REQUEST)
    assert list(update) == to.timed
    answers, table, data = update.values()
    stored = handlers.store.get(key)
    assert stored.timed_prefills == len(stored.dense.timing.runs_ms) == len(stored.aim.timing.runs_ms) == 3
    assert answers["aim"]["time"] == spent(stored.aim.timing.first_words_ms) and answers["aim"]["time"] in table
    assert data["aim"]["prefill_ms"] == [round(ms, 3) for ms in stored.aim.timing.runs_ms]
    assert handlers.times(key, REQUEST) == handlers.times(None, REQUEST) == gr.skip()
    assert handlers.store.get(key) is stored


def test_answers_stay_when_their_timing_is_stopped(handlers, clip, key):
    before = handlers.store.get(key)
    with handlers.runner.engine._exclusive(None):  # somebody else's run: timing waits, and is stopped for certain
        begun = in_thread(handlers.times, key, REQUEST)
        wait_until(lambda: handlers.cancellation.stop(REQUEST.session_hash))
        assert begun.result(timeout=60) == gr.skip()
    assert handlers.store.get(key) is before
    assert handlers.times(key, REQUEST)[handlers.results.answers]["aim"]["time"].endswith(")")


def test_a_moved_slider_is_not_shown_with_the_times_of_before(handlers, clip, key):
    handlers.times(key, REQUEST)
    update, to = follow(handlers, clip, (0.5, 6, 9, 4), key), handlers.results
    assert update[to.answers]["aim"]["time"] == "–" and "press Run to time both" in update[to.comparison]
    assert handlers.store.get(key).aim.timing.runs_ms == ()


def test_the_strip_says_what_was_asked_from_the_first_answer_on(handlers, clip):
    to, before = handlers.results, time.time()
    first, last = ({**update[to.asked]} for update in run(handlers, clip))
    assert before <= first.pop("at") <= last.pop("at") <= time.time() and first == last
    assert first["inputs"] == {"path": str(clip), "more": [], "question": QUESTION, "sliders": list(SLIDERS)}
    assert first["files"] == [clip.name] and first["model"] == "random" and first["frames"] == 4


@pytest.mark.parametrize(
    "other", [{"question": "and the circle?"}, {"clip": "another.mp4"}, {"clip": "", "shown": "image"}]
)
def test_a_slider_leaves_the_answers_of_another_file_or_question(handlers, clip, key, other):
    before = handlers.store.get(key)
    moved = {"clip": clip, "sliders": (0.5, 6, 9, 4), "key": key}
    assert follow(handlers, **moved | other) == gr.skip() and handlers.store.get(key) is before
    again = follow(handlers, **moved, question=f" {QUESTION} ", shown="image")  # no image there: the video counts
    assert again[handlers.results.asked]["inputs"]["sliders"] == [0.5, 6, 9, 4]


def test_a_removed_token_is_gone_and_aim_is_kept_beside_it(handlers, key):
    before = handlers.store.get(key)
    row = int(before.aim.trace.rows()[2, 10])
    update, to = marked(handlers, key, {"protect": [], "remove": [[2, 10]]}), handlers.results
    answers, stored = update[to.answers], handlers.store.get(key)
    assert update[to.key] == key and stored.aim is before.aim and stored.dense is before.dense
    assert stored.overrides == TokenOverrides(remove=((2, 10),)) and update[to.explorer].result is stored.hand
    assert row in kept_rows(stored.aim, 0) and row not in kept_rows(stored.hand, 0)
    assert answers["overrides"]["removed"] == 1 and update[to.first_token]["sides"] == ["dense", "aim", "hand"]
    assert len(update[to.word_frames][1]["sides"]) == 3 and "hand" in update[to.summary]


def test_the_explorer_gets_what_marks_did_and_why_others_are_refused(handlers, key):
    sent, to = {"remove": [[2, 10]]}, handlers.results
    steps = handlers.marks(*SLIDERS, key, gr.EventData(None, sent), REQUEST)
    (update,) = [*steps]
    stored = handlers.store.get(key)
    told = update[to.explorer]
    assert told.refused == "" and told.hand["enteredAlone"] == told.hand["entered"] + 1
    assert (told.hand["aim"].split(), told.hand["hand"].split()) == (
        stored.aim.answer.split(),
        stored.hand.answer.split(),
    )
    steps = handlers.marks(*SLIDERS, key, gr.EventData(None, "x"), REQUEST)
    again = next(steps)[to.explorer]
    assert "mark patches again" in again.refused and again.result is stored.hand and again.hand == told.hand
    with pytest.raises(gr.Error, match="mark patches again"):
        next(steps)


def test_a_protected_token_stays_longest(handlers, key):
    aim = handlers.store.get(key).aim
    gone = sorted(kept_rows(aim, 0) - kept_rows(aim, 8))
    view, patch = (int(place[0]) for place in np.nonzero(aim.trace.rows() == gone[-1]))
    marked(handlers, key, {"protect": [[view, patch]]})
    assert gone[-1] in kept_rows(handlers.store.get(key).hand, 8)


@pytest.mark.slow
def test_sliders_keep_marks_other_frames_and_a_new_run_do_not(handlers, clip, key):
    marked(handlers, key, {"remove": [[0, 0]]})
    follow(handlers, clip, (0.5, 6, 9, 4), key)
    stored = handlers.store.get(key)
    assert stored.overrides.remove == ((0, 0),)
    assert stored.hand.config == stored.aim.config and stored.aim.config.keep_ratio == 0.5
    follow(handlers, clip, (0.5, 6, 9, 3), key)
    assert handlers.store.get(key).hand is None
    marked(handlers, key, {"remove": [[0, 0]]}, (0.5, 6, 9, 3))
    list(run(handlers, clip, key=key))
    assert handlers.store.get(key).hand is None


def test_undo_takes_the_marks_off_without_a_run(handlers, key, monkeypatch):
    marked(handlers, key, {"remove": [[0, 0]]})
    monkeypatch.setattr(handlers.runner, "run", lambda *_, **__: pytest.fail("the model ran"))
    answers = marked(handlers, key, {})[handlers.results.answers]
    assert "hand" not in answers and handlers.store.get(key).hand is None


def test_marks_that_a_merge_brings_together_are_taken_off_with_a_sentence(handlers, clip, key, monkeypatch):
    warned = []
    monkeypatch.setattr(gr, "Warning", lambda text, **_: warned.append(text))
    follow(handlers, clip, (1.0, 6, 9, 4), key)
    marked(handlers, key, {"protect": [[0, 0]], "remove": [[0, patch] for patch in range(1, 64)]}, (1.0, 6, 9, 4))
    assert handlers.store.get(key).hand
    follow(handlers, clip, SLIDERS, key)
    assert handlers.store.get(key).hand is None and "one token" in warned[0]
    with pytest.raises(gr.Error, match="one token"):
        marked(handlers, key, {"protect": [[0, 0]], "remove": [[0, patch] for patch in range(1, 64)]})


@pytest.mark.parametrize("sent", [None, "x", {"remove": [[0, 10**9]]}])
def test_marks_that_do_not_fit_change_nothing(handlers, key, sent):
    before = handlers.store.get(key)
    with pytest.raises(gr.Error, match="mark patches again"):
        marked(handlers, key, sent)
    with pytest.raises(gr.Error, match="mark patches again"):
        marked(handlers, key, {"remove": [[0, 0]]}, (0.25, 6, 9, 8))  # not the frames that were marked
    assert handlers.store.get(key) is before


def test_marks_need_a_run(handlers):
    with pytest.raises(gr.Error, match="Press Run first"):
        marked(handlers, None, {"remove": [[0, 0]]})


def test_a_run_that_is_stopped_ends_early_and_leaves_the_last_one(handlers, clip, key):
    before, steps = handlers.store.get(key), run(handlers, clip, (1.0, 12, 13, 32), key=key)
    begun = in_thread(list, steps)
    wait_until(lambda: handlers.cancellation.stop(REQUEST.session_hash))
    shown = handlers.stop(key, REQUEST)
    answers = shown[handlers.results.answers]
    assert begun.result(timeout=60) == [] and handlers.store.get(key) is before
    assert answers["aim"]["words"] and shown[handlers.results.first_token]["rows"]


def test_stopping_before_any_run_empties_the_answers(handlers):
    to = handlers.results
    assert handlers.stop(None, REQUEST) == dict.fromkeys(to.answered)


def test_only_the_run_of_the_own_page_is_stopped():
    cancellation = Cancellation()
    with cancellation.run("one") as one, cancellation.run("other") as other:
        assert cancellation.stop("one") and one() and not other()
    assert not cancellation.stop("one")
    with pytest.raises(Stopped), cancellation.run("one"):
        raise Stopped
    assert not cancellation.stop("one")


def test_a_file_that_gradio_handed_out_again_is_not_decoded_again(handlers, clip, tmp_path):
    """It renews the times of a copy that is in use; another file in its place is another."""
    path = tmp_path / "copy.mp4"
    path.write_bytes(clip.read_bytes())
    frames = handlers.runner.frames(str(path), 2)
    os.utime(path, (5, 5))
    assert handlers.runner.frames(str(path), 2) is frames
    (tmp_path / "other.mp4").write_bytes(clip.read_bytes())
    (tmp_path / "other.mp4").replace(path)
    assert handlers.runner.frames(str(path), 2) is not frames
