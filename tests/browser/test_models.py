"""The picker: a checkpoint of the Hub's cache loads behind the page, is switched away from and back, and loads again in
8 bits; what cannot fit is refused with its figures."""

from __future__ import annotations

import json
import shutil
import struct

import pytest

from tests.helpers.browsing import ask, keep, opened, run
from tests.helpers.hub_cache import in_hub_cache
from tests.helpers.server import app_server

playwright = pytest.importorskip("playwright.sync_api")
pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]
NAME = "org/random"
BYTES = 400 * 10**9  # that no machine of a test has free


@pytest.fixture
def huge(checkpoint, tmp_path):
    """A checkpoint whose one file says that it has 400 GB, and has them as a hole."""
    folder = tmp_path / "huge-model"
    shutil.copytree(checkpoint, folder)
    about = {"lm_head.weight": {"dtype": "F32", "shape": [BYTES // 4], "data_offsets": [0, BYTES]}}
    header = json.dumps(about).encode()
    with open(folder / "model.safetensors", "wb") as file:
        file.write(struct.pack("<Q", len(header)) + header)
        file.truncate(8 + len(header) + BYTES)
    return folder


def row(page, key: str):
    return page.locator(f"#models tr[data-key='{key}']")


def use(page, key: str) -> None:
    row(page, key).get_by_role("button").click()


def test_a_checkpoint_in_the_cache_takes_over_and_is_switched_away_from_and_back(
    checkpoint, huge, clip, tmp_path, monkeypatch, browser
):
    in_hub_cache(tmp_path / "hub", NAME, checkpoint)
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    expect = playwright.expect
    log = tmp_path / "log"
    with (
        app_server(log, "--model", "auto", "--allow-any-model") as address,
        opened(browser, address) as page,
    ):
        now, said = page.locator("#models [data-part=now]"), page.locator("#models [data-part=said]")
        expect(now).to_contain_text(f"{NAME} (12 layers")
        expect(page.locator("#notice")).to_contain_text(NAME)
        assert f"auto takes {NAME}; the embedded model answers until it is loaded" in log.read_text()
        drawn, natural = page.get_by_text("how does the cyan star move?"), page.get_by_text("does it stand up?")
        expect(natural.first).to_be_visible()
        expect(drawn.first).to_be_hidden()

        ask(page, clip)
        how, note = page.locator("#asked [data-part=how]"), page.locator("#asked [data-part=note]")
        expect(how).to_contain_text(NAME)
        page.locator("#models summary").click()
        expect(row(page, NAME)).to_contain_text("in memory")
        expect(row(page, NAME)).to_contain_text("KV cache")
        keep(page, "models")
        use(page, "embedded")
        expect(now).to_contain_text("embedded model")
        expect(how).to_contain_text(NAME)  # what was answered stays, with its model's name
        expect(page.locator("#notice")).to_contain_text("only its shape world")
        expect(drawn.first).to_be_visible()
        expect(natural.first).to_be_hidden()
        page.locator("#models summary").click()
        run(page)
        expect(how).to_contain_text("the embedded model")
        expect(note).to_be_hidden()

        page.locator("#models summary").click()
        use(page, NAME)
        expect(now).to_contain_text(NAME)
        page.locator("#models [data-part=id]").fill(str(huge))
        page.locator("#models form button").click()
        expect(said).to_contain_text("huge-model does not fit: it needs 400 GB (weights 400 GB, KV cache")
        expect(said).to_contain_text(f"{NAME} would fit.")
        expect(now).to_contain_text(NAME)
        assert str(tmp_path) not in said.inner_text()

        page.locator("#models [data-part=id]").fill(str(shutil.copytree(checkpoint, tmp_path / "second-model")))
        page.locator("#models form button").click()
        expect(said).to_contain_text("second-model: a trial in a process of its own.")
        expect(page.locator("#models progress")).to_be_visible()
        expect(now).to_contain_text(NAME)  # which answers until the other is there
        expect(now).to_contain_text("second-model (12 layers")

        before = row(page, NAME).locator("[data-name=needs]").inner_text()
        page.get_by_label("Weights of the language model").select_option("8-bit")
        expect(row(page, NAME).locator("[data-name=needs]")).not_to_have_text(before)
        expect(row(page, NAME)).not_to_contain_text("in memory")
        use(page, NAME)
        expect(said).to_contain_text(f"{NAME} (int8): a trial in a process of its own.")
        expect(now).to_contain_text(f"{NAME} (int8) (12 layers")
        expect(row(page, NAME)).to_contain_text("in memory")
