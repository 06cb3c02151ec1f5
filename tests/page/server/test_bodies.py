"""What is sent as JSON: whatever is not as it should be gets a sentence, and no failure of ours."""

from __future__ import annotations

import json
import re

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError, ValidationError

from page.server.body import LARGEST
from tests.helpers.small_app import ended, heard, join, small_app, visitor

JOIN = "/gradio_api/queue/join"


@pytest.fixture(scope="module")
def app():
    with small_app() as app:
        app.go.set()
        yield app


@pytest.fixture(scope="module")
def client(app):
    with visitor(app.address) as client:
        yield client


def said(reply) -> str:
    assert reply.status_code == 422
    sentence = reply.json()["error"]
    assert reply.json()["detail"][0]["message"] == sentence and sentence.endswith(".") and "\n" not in sentence
    return sentence


NO_SESSION = [None, "", 5, ["a"], "a b", "x" * 65, "é", "../x"]


@pytest.mark.parametrize("session", NO_SESSION)
def test_a_session_is_a_short_word(app, client, session):
    assert "session_hash" in said(join(client, app.numbers["quick"], session, ["x", 1]))


@pytest.mark.parametrize("function", [999, -1, None, "run", 1.5, True, [0], 10**30])
def test_a_function_is_one_that_there_is(client, function):
    assert "no such function" in said(join(client, function, "page", ["x", 1]))


@pytest.mark.parametrize("name", ["none", "../run", "run%2f..", "5"])
def test_a_name_is_one_that_there_is(client, name):
    reply = client.post(f"/gradio_api/call/{name}", json={"data": []})
    assert reply.status_code in (404, 422) and reply.json()["error"].endswith(".")


@pytest.mark.parametrize("data", [None, "x", 5, {"a": 1}])
def test_the_inputs_are_a_list(app, client, data):
    assert "list called data" in said(join(client, app.numbers["quick"], "page", data))


BROKEN = [b"", b"{", b"5", b"[]", b'"x"', b'{"data": [NaN]}', b'{"data": [Infinity]}', b'{"data": ["\\ud800"]}']
BROKEN += [b'{"data": ["\xff"]}', b"[" * 100_000, b'{"data": ' + b"[" * 100_000, b'{"data": [' + b"9" * 10_000 + b"]}"]


@pytest.mark.parametrize("body", BROKEN, ids=range(len(BROKEN)))
def test_what_is_no_json_of_whole_texts_and_finite_numbers_is_refused(client, body):
    assert "JSON" in said(client.post(JOIN, content=body, headers={"Content-Type": "application/json"}))


@pytest.mark.parametrize("declares", [True, False])
def test_a_body_has_a_most_whether_it_tells_its_length_or_not(client, declares):
    body = json.dumps({"data": ["x" * LARGEST]}).encode()
    reply = client.post(JOIN, content=body if declares else iter([body[: 1 << 19], body[1 << 19 :]]))
    assert "more than 1 MB" in said(reply)


@pytest.mark.parametrize("path", ["http://127.0.0.1/x.mp4", "HTTPS://example.org/x", " http://x", "ftp://x/y"])
def test_nothing_is_fetched_from_elsewhere(app, client, path):
    file = {"path": path, "meta": {"_type": "gradio.FileData"}}
    assert "Upload the file" in said(join(client, app.numbers["quick"], "page", [[{"a": file}], 1]))


@pytest.mark.parametrize(
    "data", [["x"], [], ["x", "much"], ["x", [1]], ["x", {}], ["x", None], ["x", 1e9], ["x", 1, 2, 3]]
)
def test_what_a_component_cannot_take_is_a_sentence_without_a_traceback(app, client, capfd, caplog, data):
    assert join(client, app.numbers["quick"], "page", data).status_code == 200
    (answer,) = ended(heard(client, "page"))
    if "error" in answer:  # some are taken as less than was meant
        assert answer["error"].endswith(".") and answer["title"]
    assert "Traceback" not in capfd.readouterr().err + caplog.text


def test_no_file_but_an_upload_is_read(app, client):
    file = {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}
    join(client, app.numbers["quick"], "page", [file, 1])
    (answer,) = ended(heard(client, "page"))
    assert re.search("Upload the file first", answer["error"])


def test_gradios_python_client_is_told_the_same_sentences(app):
    own = Client(app.address, verbose=False)
    assert own.predict("x", 1, api_name="/quick") == "x"
    with pytest.raises(ValidationError, match="Upload the file"):
        own.predict(handle_file("http://127.0.0.1/x"), 1, api_name="/quick")
    with pytest.raises(ValidationError, match="more than 1 MB"):
        own.predict("x" * (LARGEST + 1), 1, api_name="/quick")
    with pytest.raises(AppError, match="not what it should be"):
        own.predict("x", "much", api_name="/quick")
