"""The queue: nobody takes the places of others, cheap events pass, and who has no place is told so."""

from __future__ import annotations

import json

import pytest
from gradio.server_messages import ProgressMessage

from page.i18n import STRINGS
from page.server import mailbox
from page.server import queue as queue_module
from page.server.sessions import MOST_OF_ADDRESS
from page.server.settings import ServerSettings
from tests.helpers.small_app import ended, heard, join, small_app, visitor
from tests.helpers.waiting import in_thread, wait_until

SETTINGS = ServerSettings(waiting=(6, 3, 2), waiting_exports=(5, 3, 2), waiting_cheap=(400, 30, 5))


@pytest.fixture(scope="module")
def served_small():
    with small_app(SETTINGS) as app:
        yield app


@pytest.fixture
def app(served_small):
    """With one run of somebody else under way."""
    served_small.go.clear()
    with visitor(served_small.address, "127.0.0.9") as other:
        join(other, served_small.numbers["run"], "first", ["first"])
        listening = in_thread(heard, other, "first")
        served_small.wait_for_line(0)
        yield served_small
        served_small.go.set()
        listening.result(timeout=30)
        served_small.ran.clear()


def refusal(app, client, session: str, **headers) -> str:
    assert join(client, app.numbers["run"], session, ["more"]).status_code == 200
    return ended(heard(client, session))[0]["error"]


def test_a_page_has_two_runs_that_wait_and_is_told_of_the_third(app):
    with visitor(app.address, headers={"Accept-Language": "zh"}) as client:
        for text in ("one", "two", "three"):
            assert join(client, app.numbers["run"], "page", [text]).status_code == 200
        app.wait_for_line(2)
        listening = in_thread(heard, client, "page")
        app.go.set()
        answers = ended(listening.result(timeout=30))
    (refused,) = [answer for answer in answers if "error" in answer]
    assert refused["error"] == STRINGS["zh"]["REFUSED"]["own"].format(own=2) and refused["title"]
    assert app.ran == ["first", "one", "two"]


def test_a_page_has_one_sweep_an_address_a_few_and_runs_pass_them():
    settings = ServerSettings(waiting_sweeps=(4, 2, 1))
    with (
        small_app(settings, let_on=8) as app,
        visitor(app.address) as client,
        visitor(app.address, "127.0.0.8") as other,
    ):
        for session in ("page", "page", "second", "third"):  # under way, so none of them waits
            join(client, app.numbers["sweep"], session, [session])
        wait_until(lambda: app.blocks.fair_queue.num_sweeps() == 2)
        for session in ("fourth", "fifth", "sixth"):
            join(other, app.numbers["sweep"], session, [session])
        join(other, app.numbers["run"], "run", ["run"])
        wait_until(app.turns.holders)  # it does not wait behind them
        app.go.set()
        told = [
            answer.get("error") for session in ("page", "third", "sixth") for answer in ended(heard(client, session))
        ]
    texts = STRINGS["en"]["REFUSED"]
    assert [sentence for sentence in told if sentence] == [
        texts["sweeps_own"],
        texts["sweeps_address"],
        texts["sweeps_address"],
    ]
    assert sorted(app.ran) == ["fifth", "fourth", "page", "run", "second"]


def test_runs_that_wait_for_the_model_itself_count_too():
    with small_app(SETTINGS, let_on=8) as app, visitor(app.address) as client:
        join(client, app.numbers["run"], "page", ["running"])
        wait_until(app.turns.holders)
        for text in ("one", "two", "three"):
            assert join(client, app.numbers["run"], "page", [text]).status_code == 200
        wait_until(lambda: app.blocks.fair_queue.num_running() == 3)
        app.go.set()
        answers = ended(heard(client, "page"))
    (refused,) = [answer for answer in answers if "error" in answer]
    assert refused["error"] == STRINGS["en"]["REFUSED"]["own"].format(own=2) and len(app.ran) == 3


def test_a_run_waits_as_long_as_it_has_no_turn_however_early_it_was_asked():
    with small_app(SETTINGS, let_on=8) as app, visitor(app.address) as client, visitor(app.address) as other:
        join(client, app.numbers["run"], "page", ["later"])
        wait_until(lambda: app.blocks.fair_queue.num_running() == 1)
        join(other, app.numbers["run"], "other", ["other"])
        wait_until(app.turns.holders)
        for text in ("one", "two"):
            join(client, app.numbers["run"], "page", [text])
        assert app.blocks.fair_queue.num_waiting(is_run=True) == 2
        app.later.set()
        app.go.set()
        answers = ended(heard(client, "page"))
    (refused,) = [answer for answer in answers if "error" in answer]
    assert refused["error"] == STRINGS["en"]["REFUSED"]["own"].format(own=2) and "two" not in app.ran


def test_no_address_fills_the_line_of_exports(app):
    said, take = STRINGS["en"]["REFUSED"], app.numbers["take"]
    own = [f"127.0.0.{number}" for number in (51, 52, 53)]
    with (
        visitor(app.address, own[0]) as greedy,
        visitor(app.address, own[1]) as late,
        visitor(app.address, own[2]) as last,
    ):
        join(greedy, take, "begun", ["begun"])
        wait_until(lambda: app.blocks.fair_queue.num_running() == 2)
        for session in ("a", "a", "a", "b", "c"):
            join(greedy, take, session, [session])
        assert ended(heard(greedy, "c"))[0]["error"] == said["exports_address"]
        for session in ("late", "d"):
            join(late, take, session, [session])
        join(last, take, "e", [""])
        assert ended(heard(last, "e"))[0]["error"] == said["exports_full"].format(waiting=5)
        app.go.set()
        answers = ended(heard(greedy, "a"))
        assert said["exports_own"].format(own=2) in [answer.get("error") for answer in answers]
        [heard(late, session) for session in ("late", "d")]
        heard(greedy, "b")
    assert [one for one in app.ran if one != "first"] == ["begun", "late", "a", "d", "a", "b"]


def test_addresses_take_turns_and_none_takes_all_places(app):
    with visitor(app.address, "127.0.0.2") as greedy, visitor(app.address, "127.0.0.3") as late:
        for index in range(3):
            join(greedy, app.numbers["run"], f"greedy{index}", [f"greedy{index}"])
        assert "from your network" in refusal(app, greedy, "greedy3")
        join(late, app.numbers["run"], "late", ["late"])
        app.wait_for_line(4)
        listening = in_thread(heard, late, "late")
        app.go.set()
        assert ended(listening.result(timeout=30))[0]["data"] == ["late"]
        [heard(greedy, f"greedy{index}") for index in range(3)]
    assert app.ran == ["first", "greedy0", "late", "greedy1", "greedy2"]


def test_all_together_are_told_when_the_line_is_full(app):
    for number in range(6):
        with visitor(app.address, f"127.0.1.{number + 1}") as client:
            join(client, app.numbers["run"], f"full{number}", [""])
    with visitor(app.address, "127.0.1.100") as client:
        assert "Try again in a minute" in refusal(app, client, "seventh")
    app.go.set()
    with visitor(app.address) as client:
        [heard(client, f"full{number}") for number in range(6)]


def test_what_is_cheap_is_answered_while_runs_wait_and_has_a_bound_too(app):
    with visitor(app.address, "127.0.0.4") as client:
        for session in ("a", "b"):
            join(client, app.numbers["run"], session, [""])
        join(client, app.numbers["quick"], "cheap", ["at once", 1])
        assert ended(heard(client, "cheap"))[0]["data"] == ["at once"] and not app.ran
        app.go.set()
        [heard(client, session) for session in ("a", "b")]


def test_no_call_goes_round_the_queue(app):
    with visitor(app.address) as client:
        for door in ("run/run", "run/run/", "api/run", "api/quick", "run/quick"):
            reply = client.post(f"/gradio_api/{door}", json={"data": ["x", 1]})
            assert reply.status_code == 404 and "through the queue" in reply.json()["detail"]


def test_answers_that_nobody_fetches_are_dropped(app):
    queue = app.blocks.fair_queue
    with visitor(app.address, "127.0.0.5") as client:
        join(client, app.numbers["quick"], "never", ["x" * 100, 1])
        join(client, app.numbers["run"], "never", ["dropped"])
        app.wait_for_line(1)
        wait_until(lambda: queue._listening["first"])
        app.on_server(queue.tidy(seconds=60))
        assert "never" in queue.pending_messages_per_session and queue.num_waiting(is_run=True) == 1
        app.on_server(queue.tidy(seconds=-1))
        assert "never" not in queue.pending_messages_per_session and queue.num_waiting(is_run=True) == 0
        assert "never" not in queue.pending_event_ids_session


def box(app, session: str) -> mailbox.Mailbox:
    return app.blocks.fair_queue.pending_messages_per_session[session]


def test_what_a_page_does_not_fetch_has_a_most_in_bytes(app, monkeypatch):
    monkeypatch.setattr(mailbox, "MOST_BYTES", 6500)
    with visitor(app.address, "127.0.0.61") as client:
        for count in (1, 2, 3):
            assert join(client, app.numbers["quick"], "bytes", ["x" * 2000, 1]).status_code == 200
            wait_until(lambda count=count: box(app, "bytes").num_answers == count)
        reply = join(client, app.numbers["quick"], "bytes", ["x", 1])
        assert reply.status_code == 429 and reply.json()["detail"] == STRINGS["en"]["REFUSED"]["unheard"]
        assert [answer["data"] for answer in ended(heard(client, "bytes"))] == [["x" * 2000]] * 3
        assert box(app, "bytes").num_bytes == 0
        assert join(client, app.numbers["quick"], "bytes", ["x", 1]).status_code == 200


def test_an_answer_too_much_to_be_kept_is_a_sentence(app, monkeypatch):
    monkeypatch.setattr(mailbox, "MOST_ANSWERS", 1)
    with visitor(app.address, "127.0.0.64") as client:
        for text in ("kept", "too much"):
            join(client, app.numbers["run"], "number", [text])
        app.wait_for_line(2)
        app.go.set()
        wait_until(lambda: box(app, "number").num_answers == 2)
        kept, too_much = ended(heard(client, "number"))
    assert kept["data"] == ["kept"] and too_much["error"] == STRINGS["en"]["REFUSED"]["unkept"]


def test_the_pages_of_an_address_keep_no_more_bytes_together(app, monkeypatch):
    quick = app.numbers["quick"]
    monkeypatch.setattr(queue_module, "MOST_OF_ADDRESS", 3000)
    with visitor(app.address, "127.0.0.65") as client, visitor(app.address, "127.0.0.66") as other:
        join(client, quick, "one", ["x" * 3000, 1])
        wait_until(lambda: box(app, "one").num_answers)
        assert join(client, quick, "another", ["x", 1]).status_code == 429
        assert join(other, quick, "other", ["x", 1]).status_code == 200
        heard(client, "one")
        assert join(client, quick, "another", ["x", 1]).status_code == 200


def test_words_on_the_way_to_an_answer_that_nobody_hears_have_a_most(app):
    queue = app.blocks.fair_queue
    with visitor(app.address, "127.0.0.63") as client:
        join(client, app.numbers["run"], "unheard", ["answer"])
        app.wait_for_line(1)
        (event,) = queue.event_queue_per_concurrency_id["model"].queue
        for _ in range(300):
            app.soon(queue.send_message, event, ProgressMessage(progress_data=[]))
        app.go.set()
        messages = heard(client, "unheard")
    assert ended(messages)[0]["data"] == ["answer"] and len(messages) < 150


def test_sessions_that_are_invented_push_out_nobodys_answers(app, monkeypatch):
    queue = app.blocks.fair_queue
    pending, quick = queue.pending_messages_per_session, app.numbers["quick"]
    wait_until(lambda: queue._listening["first"])
    app.on_server(queue.tidy(seconds=-1))
    monkeypatch.setattr(queue_module, "MOST_UNHEARD", 5, raising=False)
    monkeypatch.setattr(pending, "max_size", 15)
    with visitor(app.address, "127.0.0.41") as other, visitor(app.address, "127.0.0.42") as client:
        join(other, app.numbers["run"], "waits", ["waits"])
        replies = [join(client, quick, f"invented{index}", ["x", 1]) for index in range(20)]
        assert "waits" in pending and [reply.status_code for reply in replies] == [200] * 5 + [429] * 15
        assert replies[-1].json()["detail"] == STRINGS["en"]["REFUSED"]["unheard"]
        assert client.post("/gradio_api/call/quick", json={"data": ["x", 1]}).status_code == 429
        assert join(client, quick, "invented0", ["x", 1]).status_code == 200
        heard(client, "invented0")
        assert join(client, quick, "one-more", ["x", 1]).status_code == 200
        assert join(other, quick, "later", ["x", 1]).status_code == 200
        monkeypatch.setattr(queue_module, "MOST_PENDING", len(pending))
        assert join(other, quick, "in-its-place", ["x", 1]).status_code == 200 and "invented0" not in pending
        assert join(other, quick, "full", ["x", 1]).status_code == 429
        app.go.set()
        assert ended(heard(other, "waits"))[0]["data"] == ["waits"]
    app.on_server(queue.tidy(seconds=-1))


def test_the_page_itself_has_this_queue(served):
    with visitor(served) as client:
        reply = client.post("/gradio_api/run/run", json={"data": []})
        events = client.get("/config").json()["dependencies"]
    assert reply.status_code == 404 and "through the queue" in reply.json()["detail"]
    assert [event["api_name"] for event in events if event["backend_fn"] and event["queue"] is False] == []


@pytest.mark.parametrize("path", ["queue/data?session_hash=nobody", "queue/data", "call/run/nothing"])
def test_who_listens_for_nothing_is_told_so_without_a_traceback(app, capfd, caplog, path):
    with visitor(app.address) as client:
        reply = client.get(f"/gradio_api/{path}")
    told = json.loads(reply.text.removeprefix("data: "))
    assert told["session_not_found"] and told["message"].endswith("Ask again.")
    assert "Traceback" not in capfd.readouterr().err + caplog.text


def test_an_answer_may_be_fetched_later_by_the_number_of_its_event(app):
    with visitor(app.address) as client:
        event = client.post("/gradio_api/call/quick", json={"data": ["x", 1]}).json()["event_id"]
        app.on_server(app.blocks.fair_queue.tidy())
        assert client.get(f"/gradio_api/call/quick/{event}").text.startswith("event: complete")


def test_an_address_that_opens_many_pages_pushes_out_its_own_and_no_others(app):
    queue, held = app.blocks.fair_queue, app.app.state_holder.session_data
    with visitor(app.address, "127.0.0.31") as other, visitor(app.address, "127.0.0.32") as client:
        join(other, app.numbers["quick"], "other", ["x", 1])
        for index in range(MOST_OF_ADDRESS + 3):
            join(client, app.numbers["quick"], f"many{index}", ["x", 1])
        wait_until(lambda: not queue.num_waiting(is_run=False))
        assert "other" in held and not {"many0", "many1", "many2"} & {*held} and "many3" in held
        with client.stream("GET", "/gradio_api/heartbeat/many3") as heartbeat:
            next(heartbeat.iter_lines())
        wait_until(lambda: held["many3"].is_closed)
        queue.sessions.forget_closed(60)
        assert "many3" in held
        queue.sessions.forget_closed(-1)
        assert "many3" not in held and "many4" in held and "other" in held
