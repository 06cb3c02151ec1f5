"""Further questions on the page: asked of a run's own caches, which are kept within bounds and by page."""

from __future__ import annotations

from types import SimpleNamespace

import gradio as gr
import pytest

from aim_core.config import AimConfig
from page.state.startup import Loaded
from page.state.store import StoredRun
from page.state.talks import Talks
from page.talk_handlers import TalkHandlers
from tests.helpers.brief import BriefEngine
from tests.helpers.laid_out import exports_of

SLIDERS = (0.25, 6, 9, 4)
REQUEST, OTHER = SimpleNamespace(session_hash="a page"), SimpleNamespace(session_hash="another")
QUESTION, FURTHER = "what color is the star?", "and what shape is red?"


@pytest.fixture(scope="module")
def handlers(engine):
    return exports_of(Loaded(BriefEngine(engine.adapter), "random", is_embedded=False)).handlers


@pytest.fixture
def own(handlers):
    return TalkHandlers(handlers)


@pytest.fixture
def key(handlers, clip):
    """A run that was made."""
    asked = handlers.answer(str(clip), None, "video", QUESTION, *SLIDERS, False, None, REQUEST, lambda *_: None)
    return [*asked][-1][handlers.results.key]


def ask(own, key, question=FURTHER, request=REQUEST):
    return [*own.ask(question, key, request, lambda *_: None)]


def refused(own, key, **more) -> str:
    with pytest.raises(gr.Error) as caught:
        ask(own, key, **more)
    return str(caught.value.message)


def test_a_further_question_is_answered_from_both_caches_and_another_one_after_it(own, handlers, key, engine):
    before = own.begin(key, REQUEST)
    aim = handlers.store.get(key).aim
    assert before["turns"] == [] and before["held"] == aim.trace.retained.tolist() and before["dense"] == 257
    first, both = ask(own, key)
    assert first["turns"][0]["aim"] is None and first["turns"][0]["dense"] == both["turns"][0]["dense"]
    frames = handlers.runner.frames(handlers.store.get(key).path, 4)
    for name, config in (("dense", AimConfig.dense()), ("aim", AimConfig(0.25, 6, 9))):
        talk = BriefEngine(engine.adapter).converse(frames, QUESTION, config=config)
        assert both["turns"][0][name]["answer"] == talk.ask(FURTHER).answer
    again = ask(own, key, "why?")[-1]
    assert [turn["question"] for turn in again["turns"]] == [FURTHER, "why?"]
    assert again["turns"][0] == both["turns"][0] and again == own.begin(key, REQUEST)


def test_a_new_run_begins_anew_and_marks_leave_the_caches(own, handlers, key, clip):
    ask(own, key)
    handlers.by_hand(*SLIDERS, key, gr.EventData(None, {"protect": [[0, 1]], "remove": []}), REQUEST)
    assert len(own.begin(key, REQUEST)["turns"]) == 1
    handlers.follow(str(clip), None, "video", QUESTION, 0.5, 6, 9, 4, key, REQUEST)
    begun = own.begin(key, REQUEST)
    assert begun["held"][0] == 129 and begun["turns"] == []


def test_what_was_stopped_between_the_two_was_asked_of_neither(own, handlers, key):
    steps = own.ask(FURTHER, key, REQUEST, lambda *_: handlers.cancellation.stop(REQUEST.session_hash))
    first, last = steps
    assert len(first["turns"]) == 1 and last["turns"] == [] and last == own.begin(key, REQUEST)


def test_what_cannot_be_asked_is_a_sentence(own, handlers, key, monkeypatch):
    assert "Type a question" in refused(own, key, question=" ")
    assert "Press Run first" in refused(own, None)
    assert "no longer kept" in refused(own, key, request=OTHER)
    assert own.begin(key, OTHER) is None and own.begin(None, REQUEST) is None
    monkeypatch.setattr(handlers.adapter.decoder.config, "max_position_embeddings", 300)
    assert "reads 300. Ask the question anew" in refused(own, key)
    monkeypatch.setattr(handlers.runner, "converses", False)
    assert "keeps no cache" in refused(own, key)


def test_caches_are_kept_within_bytes_and_an_age_of_open_pages_only(engine, frames):
    configs = {"dense": AimConfig.dense(), "aim": AimConfig(0.25, 6, 9)}
    made = {name: engine.converse(frames, "what?", config=own, max_new_tokens=1) for name, own in configs.items()}
    stored = StoredRun("clip.mp4", "what?", 4, made["dense"].result, made["aim"].result)

    def filled(talks: Talks, *sessions: str) -> Talks:
        for session in sessions:
            for name, talk in made.items():
                talks.keep(session, name, talk)
        return talks

    size = filled(Talks(), "one").num_bytes
    assert size > sum(talk.num_bytes for talk in made.values()) + made["aim"].result.trace.frames.nbytes
    talks = filled(Talks(2 * size), "one", "two")
    assert talks.num_bytes == 2 * size and all(talks.of(session, stored) for session in ("one", "two"))
    filled(talks, "three")
    assert talks.of("one", stored) is None and talks.of("three", stored) and talks.num_bytes <= 2 * size
    talks.keep_open(lambda session: session == "three")
    assert talks.of("two", stored) is None and talks.of("three", stored) and talks.num_bytes == size
    found = talks.of("three", stored)
    found["aim"].ask("and now?", max_new_tokens=1)
    assert not talks.of("three", stored)["aim"].replies and not made["aim"].replies
    talks.clear()
    assert talks.num_bytes == 0 and talks.of("three", stored) is None
    assert filled(Talks(size, seconds=0.0), "one").of("one", stored) is None
    other = engine.run(frames, "what?", config=configs["aim"], max_new_tokens=1)
    assert filled(Talks(size), "one").of("one", StoredRun("clip.mp4", "what?", 4, made["dense"].result, other)) is None
