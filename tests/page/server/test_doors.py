"""The page as it is served: which addresses there are, what a browser may do with what it gets, what is compressed."""

from __future__ import annotations

import re

import pytest

from tests.helpers.small_app import visitor

PAGES = ("/", "/explain", "/compare", "/lab")
SHUT = [
    "/openapi.json",
    "/gradio_api/openapi.json",
    "/docs",
    "/monitoring",
    "/monitoring/summary",
    "/gradio_api/runs",
    "/gradio_api/proxy=https://x.hf.space/",
    "/gradio_api/deep_link",
    "/gradio_api/custom_component/a/client/b/c",
    "/gradio_api/dev/reload",
    "/gradio_api/vibe-code",
    "/metrics",
    "/nothing",
]
SHUT_POSTS = ["component_server", "process_recording", "vibe-edit", "stream/x", "stream/x/close", "run-history/connect"]


@pytest.fixture(scope="module")
def client(served):
    with visitor(served) as client:
        yield client


@pytest.mark.parametrize("path", SHUT)
def test_what_the_page_does_not_use_is_not_there(client, path):
    reply = client.get(path)
    assert reply.status_code == 404 and reply.json()["error"].endswith(".")


@pytest.mark.parametrize("path", SHUT_POSTS)
def test_nothing_is_taken_but_what_the_page_sends(client, path):
    assert client.post(f"/gradio_api/{path}", json={}).json()["error"].startswith("There is nothing at this address")
    assert client.put("/", content=b"x").status_code == 404


@pytest.mark.parametrize("path", PAGES)
def test_a_page_lets_only_its_own_scripts_run_and_only_spaces_frame_it(client, path):
    reply = client.get(path)
    policy = dict(part.split(" ", 1) for part in reply.headers["content-security-policy"].split("; "))
    nonce = re.search(r"'nonce-([\w-]{20,})'", policy["script-src"])[1]
    scripts = re.findall(r"<script[^>]*>", reply.text)
    assert len(scripts) > 3 and all(f'nonce="{nonce}"' in script for script in scripts)
    assert "'unsafe-inline'" not in policy["script-src"] and policy["object-src"] == "'none'"
    assert policy["frame-ancestors"] == "'self' https://huggingface.co https://*.hf.space"
    assert "http" not in policy["connect-src"] + policy["img-src"] + policy["default-src"]
    assert reply.headers["x-content-type-options"] == "nosniff" and reply.headers["referrer-policy"] == "same-origin"
    assert nonce not in client.get(path).text


@pytest.mark.parametrize("path", [*PAGES, "/config", "/gradio_api/info"])
def test_pages_travel_compressed(client, path):
    with client.stream("GET", path, headers={"Accept-Encoding": "gzip"}) as reply:
        sent = sum(map(len, reply.iter_raw()))
    whole = len(client.get(path, headers={"Accept-Encoding": "identity"}).content)
    assert reply.headers["content-encoding"] == "gzip" and sent < whole / 3


def test_streams_of_events_are_not_held_back_to_be_compressed(client):
    with client.stream("GET", "/gradio_api/heartbeat/page", headers={"Accept-Encoding": "gzip, br"}) as reply:
        assert "content-encoding" not in reply.headers and "ALIVE" in next(reply.iter_text())


def test_a_file_of_a_visitor_is_shown_and_never_run(client):
    """Nor may a page of another site show it."""
    page = b"<script>alert(1)</script>"
    (path,) = client.post("/gradio_api/upload", files={"files": ("page.html", page, "text/html")}).json()
    reply = client.get(f"/gradio_api/file={path}")
    assert reply.content == page and reply.headers["content-disposition"].startswith("attachment")
    assert (
        "sandbox" in reply.headers["content-security-policy"]
        and "default-src 'none'" in reply.headers["content-security-policy"]
    )
    assert reply.headers["cross-origin-resource-policy"] == "same-origin"


def test_it_says_that_it_lives(client):
    assert client.get("/health").json() == {"status": "ok"}
