"""The gate: names, sites and proxies that are believed, and no others."""

from __future__ import annotations

import pytest

from page.server.gate import share_of, visitor_of
from page.server.settings import LOOPBACK, Addresses, ServerSettings, SettingError, read_settings
from tests.helpers.small_app import small_app, visitor

EVIL = {"Host": "evil.example"}
PROXY = Addresses.read("127.0.0.7", "proxies")


@pytest.fixture(scope="module")
def app():
    with small_app(
        ServerSettings(hosts=(*LOOPBACK, "aim.example"), proxies=PROXY, origins=("https://friend.example",), streams=3)
    ) as app:
        yield app


@pytest.fixture(params=["127.0.0.1", "127.0.0.7"], ids=["anybody", "proxy"])
def client(app, request):
    with visitor(app.address, request.param) as client:
        yield client


def test_only_known_names_are_answered(app, client):
    assert client.get("/health").status_code == 200
    assert client.get("/health", headers={"Host": "AIM.example:8000"}).status_code == 200
    for host in ("evil.example", "127.0.0.1.evil.example", "[::1", "localhost@evil.example", "x:y:z"):
        reply = client.get("/", headers={"Host": host})
        assert reply.status_code == 421 and "AIM_HOSTS" in reply.json()["detail"]


def test_who_looks_after_the_server_may_call_it_by_its_address(app, client):
    assert client.get("/health", headers={"Host": "10.1.2.3:7860"}).status_code == 200


def test_a_visitor_of_ipv6_has_one_share_of_a_network():
    assert (
        share_of("2001:db8:1:2:3::4") == share_of("2001:db8:1:2::9") == "2001:db8:1:2::/64" != share_of("2001:db8::1")
    )
    assert share_of("192.0.2.1") == "192.0.2.1" and share_of("") == ""


def test_a_forwarded_name_counts_from_a_trusted_proxy_alone(app):
    told = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "X-Gradio-Server": "http://evil.example"}
    with visitor(app.address) as anybody, visitor(app.address, "127.0.0.7") as proxy:
        config = anybody.get("/config", headers=told).json()
        assert config["root"] == app.address
        assert proxy.get("/config", headers=told).status_code == 421
        through = proxy.get("/config", headers=told | {"X-Forwarded-Host": "aim.example"}).json()
        assert through["root"] == "https://aim.example"


def test_no_page_of_another_site_may_send_or_read(app, client):
    evil = {"Origin": "https://evil.example"}
    for path in ("/gradio_api/queue/join", "/gradio_api/upload"):
        reply = client.post(path, json={}, headers=evil)
        assert reply.status_code == 403 and "other sites" in reply.text
    asked = {"Access-Control-Request-Method": "POST"} | evil
    preflight = client.options("/gradio_api/queue/join", headers=asked)
    assert preflight.status_code == 400 and "access-control-allow-origin" not in preflight.headers
    for origin in ("https://evil.example", "null", app.address, "http://127.0.0.1:1"):
        reply = client.get("/health", headers={"Origin": origin})
        assert reply.status_code == 200 and not [name for name in reply.headers if name.startswith("access-control")]


def test_the_page_itself_and_a_listed_site_may_send(app, client):
    for origin in (app.address, "https://friend.example"):
        reply = client.post("/gradio_api/queue/join", json={}, headers={"Origin": origin})
        assert reply.status_code == 422
    assert client.post("/gradio_api/queue/join", json={}, headers={"Origin": "http://127.0.0.1:1"}).status_code == 403
    read = client.get("/health", headers={"Origin": "https://friend.example"})
    assert read.headers["access-control-allow-origin"] == "https://friend.example"


def test_one_address_has_so_many_connections_and_no_more(app):
    with visitor(app.address, "127.0.0.8") as client, visitor(app.address, "127.0.0.7") as proxy:
        streams = [client.build_request("GET", f"/gradio_api/heartbeat/page{index}") for index in range(3)]
        opened = [client.send(request, stream=True) for request in streams]
        refused = client.get("/health")
        assert refused.status_code == 429 and "Close pages" in refused.json()["detail"]
        assert proxy.get("/health", headers={"X-Forwarded-For": "127.0.0.8"}).status_code == 429
        assert proxy.get("/health", headers={"X-Forwarded-For": "127.0.0.6"}).status_code == 200
        [stream.close() for stream in opened]


def test_settings_come_from_the_environment_and_nonsense_is_a_sentence():
    assert read_settings("127.0.0.1", {}).hosts[:3] == LOOPBACK and read_settings("0.0.0.0", {}).hosts == ()
    assert "10.0.0.5" in read_settings("10.0.0.5", {"AIM_HOSTS": "aim.example"}).hosts
    space = read_settings("0.0.0.0", {"SPACE_ID": "a/b"})
    assert "203.0.113.5" in space.proxies and "203.0.113.5" not in read_settings("0.0.0.0", {}).proxies
    given = {"AIM_PROXIES": "10.0.0.0/8, ::1", "AIM_DISK_MB": "100", "AIM_STORE_MB": "7", "AIM_KEEP_MINUTES": "5"}
    found = read_settings("0.0.0.0", given)
    assert "10.1.2.3" in found.proxies and "::1" in found.proxies and "11.0.0.1" not in found.proxies
    assert (found.upload_bytes[2], found.store_bytes, found.keep_seconds) == (100 << 20, 7 << 20, 300)
    for bad in (
        {"AIM_PROXIES": "here"},
        {"AIM_DISK_MB": "much"},
        {"AIM_METRICS": "10.0.0.1/8"},
        {"AIM_STORE_MB": "-1"},
    ):
        with pytest.raises(SettingError, match=next(iter(bad))):
            read_settings("0.0.0.0", bad)


@pytest.mark.parametrize(
    ("proxies", "forwarded", "visitor"),
    [
        ("10.0.0.0/8", "1.1.1.1, 9.9.9.9", "9.9.9.9"),
        ("10.0.0.0/8", "1.1.1.1, 9.9.9.9, 10.0.0.2", "9.9.9.9"),
        ("*", "1.1.1.1, 9.9.9.9, 10.0.0.2, 127.0.0.1", "9.9.9.9"),
        ("*", "10.0.0.2", "10.0.0.2"),
        ("10.0.0.0/8", "9.9.9.9:5123, 10.0.0.2:80", "9.9.9.9"),
        ("10.0.0.0/8", "[2001:db8::1]:5123", "2001:db8::1"),
        ("10.0.0.0/8", "nonsense", ""),
        ("*", "", ""),
    ],
)
def test_a_visitor_cannot_invent_an_address(proxies, forwarded, visitor):
    assert visitor_of(forwarded, Addresses.read(proxies, "proxies")) == visitor
