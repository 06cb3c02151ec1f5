"""Uploads: a most for a request, an address and the disk; nothing of a broken one stays; a full disk is a sentence."""

from __future__ import annotations

import errno
import os
import socket

import pytest

from page.server import body
from page.server.record import Record
from page.server.refused import Refused
from page.server.settings import ServerSettings
from page.server.uploads import UploadLedger, Uploads, folder_bytes, sweep_parts
from tests.helpers.small_app import small_app, visitor
from tests.helpers.waiting import in_own_loop, wait_until

UPLOAD, KB = "/gradio_api/upload", 1 << 10
MOST = (300 * KB, 3000 * KB, 1000 * KB)


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("cache")))
        with small_app(ServerSettings(upload_bytes=MOST)) as app:
            yield app


def send(client, *sizes: int):
    return client.post(UPLOAD, files=[("files", (f"{size}.bin", os.urandom(size))) for size in sizes])


def test_the_files_of_one_request_have_a_most_together(app):
    with visitor(app.address, "127.0.0.2") as client:
        assert send(client, 100 * KB, 100 * KB).status_code == 200
        reply = send(client, *[10 * KB] * 31)
        assert reply.status_code == 413 and "Cut or compress" in reply.text and reply.text[-1] == "."
        assert "压缩" in client.post(UPLOAD, content=b"x" * 400 * KB, headers={"Accept-Language": "zh"}).text


def test_an_address_has_a_most_within_an_hour_and_others_go_on(app):
    with visitor(app.address, "127.0.0.3") as client, visitor(app.address, "127.0.0.4") as other:
        assert [send(client, KB).status_code for _ in range(4)] == [200, 200, 200, 429]  # each counts as 1 MB at least
        assert "within an hour" in send(client, KB).text and send(other, KB).status_code == 200


def test_the_disk_has_a_most_and_what_is_swept_makes_room(app):
    for own in range(5, 15):
        with visitor(app.address, f"127.0.0.{own}") as client:
            reply = send(client, 250 * KB)
        if reply.status_code != 200:
            break
    assert reply.status_code == 507 and "disk of this server is full" in reply.text
    assert folder_bytes(app.app.folder) <= MOST[2]
    for file in app.app.folder.rglob("*"):
        if file.is_file():
            os.utime(file, (0, 0))
    app.app.sweep()
    with visitor(app.address, "127.0.0.15") as client:
        assert send(client, 250 * KB).status_code == 200


def test_an_upload_tells_its_length(app):
    with visitor(app.address) as client:
        reply = client.post(UPLOAD, content=iter([b"x"]), headers={"Content-Type": "multipart/form-data; boundary=x"})
    assert reply.status_code == 411 and "Content-Length" in reply.text


def test_nothing_of_a_broken_upload_stays_and_no_traceback(app, capfd, caplog):
    address, port = app.address.removeprefix("http://").split(":")
    head = f"POST {UPLOAD} HTTP/1.1\r\nHost: {address}\r\nContent-Length: 200000\r\n"
    head += "Content-Type: multipart/form-data; boundary=x\r\n\r\n"
    part = '--x\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\n' + "a" * 50_000
    parts = lambda: [file for file in app.app.folder.glob("*") if file.is_file()]  # noqa: E731
    with socket.create_connection((address, int(port)), timeout=10) as connection:
        connection.sendall((head + part).encode())
        wait_until(lambda: len(parts()) == 1)
        sweep_parts(app.app.folder)
        assert len(parts()) == 1  # it is still being sent
    wait_until(lambda: not parts())
    assert "Traceback" not in capfd.readouterr().err + caplog.text


@pytest.mark.parametrize("path", [UPLOAD, "/gradio_api/queue/join"])
def test_what_comes_too_slowly_is_ended_with_a_sentence(app, monkeypatch, path):
    monkeypatch.setattr(body, "PATIENCE", 0.05)
    address, port = app.address.removeprefix("http://").split(":")
    head = f"POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Length: 2000\r\n"
    with socket.create_connection((address, int(port)), timeout=10) as connection:
        connection.sendall(f"{head}Content-Type: multipart/form-data; boundary=x\r\n\r\n--x".encode())
        reply = ""
        while "came too slowly" not in reply and (more := connection.recv(10_000)):  # it may come in parts
            reply += more.decode()
    assert reply.startswith("HTTP/1.1 408") and "came too slowly" in reply


async def full(scope, receive, send):
    """Writes to a disk that is really full."""
    with open("/dev/full", "wb", buffering=0) as disk:
        disk.write(b"x")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_a_full_disk_is_a_sentence(tmp_path):
    uploads = Uploads(full, UploadLedger(tmp_path, MOST), Record())
    scope = {"type": "http", "method": "POST", "path": UPLOAD, "headers": [(b"content-length", b"5")]}
    with pytest.raises(Refused) as caught:
        in_own_loop(uploads(scope, None, None))
    assert caught.value.status == 507 and "disk of this server is full" in caught.value.sentence(scope)
    assert caught.value.__cause__.errno == errno.ENOSPC
