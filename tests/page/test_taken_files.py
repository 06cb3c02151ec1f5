"""Taken files: an address takes away so many bytes in an hour, and others go on."""

from __future__ import annotations

from types import SimpleNamespace

import gradio as gr
import pytest
from gradio.context import LocalContext

from page.checks import refusal
from page.i18n import ENGLISH
from page.server import share
from page.state.startup import load
from page.state.taken_files import TakenFiles
from tests.helpers.laid_out import exports_of

MB = 1 << 20


@pytest.fixture
def comes_from():
    """The address of whoever asks from now on."""

    def come(address: str) -> None:
        LocalContext.request.set(SimpleNamespace(client=SimpleNamespace(host=address)))

    yield come
    LocalContext.request.set(None)


def take(taken: TakenFiles, cache, size: int = 0) -> None:
    with taken.folder(str(cache)) as folder:
        (folder / "film.mp4").write_bytes(bytes(size))


def test_an_address_takes_its_share_and_others_go_on(tmp_path, comes_from, monkeypatch):
    taken = TakenFiles(4 * MB)
    comes_from("10.0.0.1")
    take(taken, tmp_path, 3 * MB)
    take(taken, tmp_path)  # counts as 1 MB
    with pytest.raises(gr.Error) as refused:
        take(taken, tmp_path)
    assert refused.value.message == ENGLISH["REFUSED"]["exports_bytes"].format(most=4)
    assert len([*tmp_path.iterdir()]) == 2
    comes_from("10.0.0.2")
    take(taken, tmp_path)
    taken.forget()
    assert taken.left("10.0.0.1") == 0
    monkeypatch.setattr(share, "_HOUR", -1.0)
    assert taken.left("10.0.0.1") == 4 * MB


def test_what_was_written_before_it_failed_counts_too(tmp_path, comes_from):
    taken = TakenFiles(2 * MB)
    comes_from("10.0.0.1")
    with pytest.raises(gr.Error), taken.folder(str(tmp_path)) as folder:
        (folder / "half").write_bytes(bytes(2 * MB))
        raise refusal(ENGLISH["DISK_FULL"], "disk")
    assert taken.left("10.0.0.1") == 0


def test_the_buttons_count(comes_from):
    exports = exports_of(load(""))
    exports.handlers.taken = TakenFiles(1)
    key = exports.restore("")[exports.results.key]
    comes_from("10.0.0.3")
    exports.maker("json")(key, 5, "rank", [], progress=lambda *_: None)
    with pytest.raises(gr.Error) as refused:
        exports.maker("csv")(key, 5, "rank", [], progress=lambda *_: None)
    assert "taken away" in refused.value.message
