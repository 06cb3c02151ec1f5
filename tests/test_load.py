"""Load: a visitor of `make load` asks as a browser does, two get their own answers, and memory that grows is told."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from dataclasses import replace

import httpx
import pytest

from page.server.settings import Addresses, ServerSettings
from tests.helpers.small_app import own_folder, small_app
from tests.helpers.waiting import in_own_loop
from tools.fuzz.bombs import BOMBS
from tools.load import report
from tools.load.__main__ import content, is_own, jobs
from tools.load.hostile import ADDRESS, ATTACKS, BOMB_NAMES, LeftError, sends_bombs
from tools.load.server import Sample, look
from tools.load.visitor import LoadError, Visit, Visitor


async def visits(address: str, asked: list) -> list:
    async def one(number: int, job):
        async with Visitor.opened(address, number) as visitor:
            return await visitor.run(job, content(job, number))

    return await asyncio.gather(*(one(number, job) for number, job in enumerate(asked)))


def test_visitors_at_once_get_the_answer_and_the_files_of_their_own_run(served):
    first, other = jobs()[0], replace(jobs()[1], settings=(0.5, 2, 4, 2))
    one, another, again = in_own_loop(visits(served, [first, other, first]))
    assert one.told == again.told != another.told and min(one.run_s, one.cheap_s) > 0
    assert is_own(first, one) and is_own(other, another) and not is_own(other, one)
    assert "prefill_ms" not in one.told and "trace" in json.loads(one.told)


def test_an_upload_of_each_visitor_is_another_file_with_the_same_frames():
    job = jobs()[0]
    assert content(job, 1) != content(job, 2) and content(job, 1)[:-8] == content(job, 2)[:-8]


def test_a_refusal_is_an_error_with_its_sentence(served):
    async def bad():
        async with Visitor.opened(served, 1) as visitor:
            await visitor.run(replace(jobs()[0], question=""), content(jobs()[0], 1))

    with pytest.raises(LoadError, match="Type a question first"):
        in_own_loop(bad())


def sample(seconds: float, memory: float) -> Sample:
    return Sample(seconds, memory, 50, 1, 20, 3.0)


def test_memory_is_flat_when_only_the_warm_up_grew():
    warm = [sample(5 * i, 1000 + min(i, 25) * 20) for i in range(100)]
    assert report.growth(warm) == pytest.approx(0, abs=1e-3)
    assert report.growth([sample(5 * i, 1000 + 10 * i) for i in range(100)]) > 0.2
    head, *rows = report.soak_table(warm)
    assert len(rows) == 10 and rows[-1] == "| 7.9 | 1500 | 50 | 1.0 | 20 | 3 |" and head.count("|") == 14


def test_too_few_looks_at_the_server_are_told_as_such():
    few = [sample(5 * i, 1000) for i in range(3)]
    assert (
        report.growth(few) is None and report.growth([]) is None and report.growth([*few, sample(20, 1100)]) is not None
    )
    assert "too short to tell" in report.growth_told(None) and "+10.0 %" in report.growth_told(0.1)
    assert len(report.soak_table(few)) == 4 and len(report.soak_table([])) == 1


def looked(address: str) -> Sample:
    async def once():
        async with httpx.AsyncClient(base_url=address) as client:
            return await look(client, 7.0)

    return in_own_loop(once())


def test_the_server_itself_says_what_it_takes(tmp_path, monkeypatch):
    (own_folder(tmp_path, monkeypatch) / "a").mkdir(parents=True)
    with small_app(ServerSettings(scrapers=Addresses.read("127.0.0.1", ""))) as app:
        before = looked(app.address)
        (app.app.folder / "a" / "kept.bin").write_bytes(bytes(2_000_000))
        after = looked(app.address)
    assert before.seconds == 7.0 and 50 < before.memory < 100_000 and before.open_files > 3 and before.children >= 0
    assert (after.files - before.files, after.files_mb - before.files_mb) == (1, 2.0)


def test_a_server_that_keeps_its_counters_to_itself_is_an_error_with_what_to_do():
    with small_app() as app, pytest.raises(LoadError, match="AIM_METRICS"):
        looked(app.address)


def test_a_table_goes_between_its_own_marks(tmp_path, monkeypatch):
    page = tmp_path / "load.md"
    page.write_text("<!-- load -->\nold\n<!-- /load -->\n<!-- soak -->\nstays\n<!-- /soak -->\n")
    monkeypatch.setattr(report, "PAGE", page)
    report.kept("load", r"new \1")
    assert page.read_text() == "<!-- load -->\nnew \\1\n<!-- /load -->\n<!-- soak -->\nstays\n<!-- /soak -->\n"


def test_what_a_stranger_costs_is_the_slowest_run_or_link_beyond_the_median_alone():
    alone = [Visit(run_s=run, cheap_s=0.1) for run in (1.0, 1.2, 9.0)]
    beside = [Visit(run_s=1.5, cheap_s=0.2), Visit(run_s=3.0, cheap_s=0.1)]
    assert report.cost(alone, beside) == pytest.approx(1.8)
    assert report.cost(alone, [Visit(run_s=1.0, cheap_s=4.1)]) == pytest.approx(4.0)
    assert report.hostile_row("waits", beside, 1.8, 2) == "| waits | 2 of 2 | 2.25 | 3.00 | 0.20 | 1.80 |"


@pytest.mark.parametrize("name", [name for name, attack in ATTACKS.items() if attack is not sends_bombs])
def test_a_stranger_does_what_is_said(served, name):
    """Once, as the first page of the attack does it; bombs take their time, and are read by `make fuzz` as well."""
    assert {*BOMB_NAMES} <= {*BOMBS}

    async def once():
        with suppress(LeftError, LoadError):  # it may be refused
            async with Visitor.opened(served, ADDRESS) as visitor:
                await ATTACKS[name](visitor, jobs()[0], content(jobs()[0], 1))
        async with Visitor.opened(served, ADDRESS - 1) as other:
            return await other.ask("restore", [""])

    assert "data" in in_own_loop(once())
