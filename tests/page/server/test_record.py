"""The log has one line for each thing asked, and the counters say the same; neither says what it was about."""

from __future__ import annotations

import logging
import os
import re

import pytest
from PIL import Image

from page.server.record import Record, note, noting
from page.server.settings import Addresses, ServerSettings
from tests.helpers.small_app import ended, heard, join, small_app, visitor
from tests.helpers.waiting import in_thread, wait_until
from tools.load.visitor import EXTRAS

GAUGES = (
    "runs_waiting",
    "events_running",
    "sessions",
    "resident_bytes",
    "open_files",
    "children",
    "files",
    "files_bytes",
)
SECRET = "a question that nobody may read"
SETTINGS = ServerSettings(scrapers=Addresses.read("127.0.0.1", ""), proxies=Addresses.read("127.0.0.1", ""))


@pytest.fixture(scope="module")
def app():
    with small_app(SETTINGS) as app:
        app.go.set()
        yield app


@pytest.fixture
def client(app, caplog):
    caplog.set_level(logging.INFO, logger="page")
    with visitor(app.address) as client:
        yield client


def lines(caplog, count: int) -> list[str]:
    """So many lines of requests; the last comes a moment after its answer."""
    asked = lambda: [one.getMessage() for one in caplog.records if one.name == "page.requests"]  # noqa: E731
    wait_until(lambda: len(asked()) >= count)
    assert len(asked()) == count and SECRET not in caplog.text and "session7" not in caplog.text
    return asked()


def test_an_answer_a_refusal_and_what_never_reached_the_page(app, client, caplog):
    join(client, app.numbers["quick"], "session7", [SECRET, 1])
    heard(client, "session7")
    join(client, app.numbers["quick"], "session7", [SECRET, "much"])
    heard(client, "session7")
    join(client, 999, "session7", [SECRET])
    client.get(f"/nothing/{SECRET}")
    found = lines(caplog, 4)
    answered, refused, unknown, nowhere = sorted(found, key=lambda line: line.startswith("-"))  # these may come first
    assert re.fullmatch(r"[0-9a-f]{8} quick waited=0\.\d\ds took=\d\.\d\ds answered", answered)
    assert re.fullmatch(r"[0-9a-f]{8} quick waited=0\.\d\ds took=\d\.\d\ds refused why=settings", refused)
    assert (unknown, nowhere) == ("- request refused why=function", "- request refused why=address")


def test_an_upload_says_its_size_and_no_name(client, caplog):
    client.post("/gradio_api/upload", files={"files": (f"{SECRET}.bin", b"x" * 100)})
    (line,) = lines(caplog, 1)
    assert re.fullmatch(r"- upload waited=0\.00s took=\d\.\d\ds answered bytes=\d{3}", line)


def test_a_failure_of_ours_is_in_the_log_whole_and_a_sentence_for_the_visitor(app, client, caplog, monkeypatch):
    fn = app.blocks.fns[app.numbers["quick"]]
    monkeypatch.setattr(fn.outputs[0], "postprocess", lambda value: 1 / 0)
    join(client, app.numbers["quick"], "session7", [SECRET, 1])
    (answer,) = ended(heard(client, "session7"))
    assert answer["error"].startswith("Something went wrong here") and "ZeroDivisionError" in caplog.text
    assert lines(caplog, 1)[0].endswith(" failed why=wrong")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_a_disk_that_is_full_when_an_answer_is_drawn_is_a_sentence(app, client, caplog, monkeypatch):
    def drawn(value):
        with open("/dev/full", "wb", buffering=0) as file:
            file.write(b"x")

    monkeypatch.setattr(app.blocks.fns[app.numbers["quick"]].outputs[0], "postprocess", drawn)
    join(client, app.numbers["quick"], "session7", [SECRET, 1])
    (answer,) = ended(heard(client, "session7"))
    assert answer["error"].startswith("The disk of this server is full") and "Traceback" not in caplog.text
    assert lines(caplog, 1)[0].endswith(" refused why=disk")


def test_who_leaves_is_told_as_one_who_left(app, client, caplog):
    app.go.clear()
    join(client, app.numbers["run"], "session7", [SECRET])
    app.wait_for_line(0)
    with client.stream("GET", "/gradio_api/queue/data", params={"session_hash": "session7"}) as stream:
        next(stream.iter_lines())
    wait_until(lambda: not app.blocks.fair_queue._listening["session7"])
    app.go.set()
    assert re.search(r" run .* left$", lines(caplog, 1)[0])


def test_the_counters_say_the_same_to_those_who_may_scrape_them(app, client):
    found = client.get("/metrics")
    assert found.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert re.search(r'^aim_requests_total\{what="quick",how="answered"\} \d+$', found.text, re.MULTILINE)
    assert re.search(r'^aim_refused_total\{why="function"\} \d+$', found.text, re.MULTILINE)
    for name in GAUGES:
        assert re.search(rf"^# TYPE aim_{name} gauge\naim_{name} \d+$", found.text, re.MULTILINE), name
    assert "session7" not in found.text and SECRET not in found.text
    with visitor(app.address, "127.0.0.2") as other:
        assert other.get("/metrics").status_code == 404
    assert client.get("/metrics", headers={"X-Forwarded-For": "203.0.113.5"}).status_code == 404


def test_no_proxy_that_has_no_name_here_gets_the_counters_for_others():
    settings = ServerSettings(scrapers=Addresses.read("127.0.0.1", ""))
    with small_app(settings) as app, visitor(app.address) as proxy:
        assert proxy.get("/metrics").status_code == 200
        assert proxy.get("/metrics", headers={"X-Forwarded-For": "203.0.113.5"}).status_code == 404


def test_the_line_of_a_run_names_who_decoded_its_file(served, clip, tmp_path, caplog):
    caplog.set_level(logging.INFO, logger="page")
    picture, broken = tmp_path / "plain.png", tmp_path / "broken.mp4"
    Image.new("RGB", (64, 64), "red").save(picture)
    broken.write_bytes(clip.read_bytes()[:200])
    files = clip, picture, broken
    with visitor(served) as client:
        events = client.get("/config").json()["dependencies"]
        number = next(event["id"] for event in events if event["api_name"] == "run")
        paths = [client.post("/gradio_api/upload", files={"files": one.open("rb")}).json()[0] for one in files]
        video, image, damaged = ({"path": path, "meta": {"_type": "gradio.FileData"}} for path in paths)
        asked = ((video, None), (video, None), (None, image), (damaged, None))
        for media in asked:
            join(client, number, "reading", [*media, None, "what moves?", 0.25, 6, 9, 3, False, None, *EXTRAS])
            heard(client, "reading")
    runs = lambda: [one.getMessage() for one in caplog.records if " run waited" in one.getMessage()]  # noqa: E731
    wait_until(lambda: len(runs()) >= len(asked))
    assert [[word for word in line.split()[4:] if not word.startswith("why=")] for line in runs()] == [
        ["answered", "reader=decord"],
        ["answered", "reader=cached"],
        ["answered", "reader=pictures"],
        ["refused"],
    ]


def test_notes_reach_the_line_from_the_threads_of_a_request():
    notes: dict[str, str] = {}
    with noting(notes):
        note(reader="pyav")
    note(reader="after the end")
    assert notes == {"reader": "pyav"} and in_thread(note, reader="another").result(timeout=5) is None
    assert Record().text().endswith("\n")
