"""Load, soak and a stranger who means ill; each ends with 1 if an answer is not that of the run alone, memory grows, or
a visitor waits for a stranger.

    python -m tools.load load [--visitors 8 32] [--runs 2]     each visitor's runs, compared with each run alone
    python -m tools.load soak [--visitors 32] [--minutes 20]   visitors come and go for so long; what the server takes
    python -m tools.load hostile [--runs 5]                    what each attack of a stranger costs another visitor

All keep their table in docs/load.md with --keep. Traffic goes to this machine's own loopback addresses alone.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import struct
import time
from collections.abc import Sequence

import httpx

from tools.load import report
from tools.load.hostile import ATTACKS, under_attack, visits
from tools.load.server import ROOT, Sample, Server, look
from tools.load.visitor import TIMEOUT, Job, LoadError, Visit, Visitor, until_alive

SAMPLES = ROOT / "assets" / "samples"
SETTINGS = ((0.25, 6, 9, 8), (0.5, 2, 4, 4), (1.0, 3, 13, 2))
EVERY = 5.0  # seconds between two looks at the server
MOST_GROWTH = 0.05  # of memory after warm-up
MOST_COST = 2.0  # seconds that a stranger may cost another visitor


def jobs() -> list[Job]:
    """Every question about a sample video, with settings in turns."""
    listed = json.loads((SAMPLES / "samples.json").read_text(encoding="utf-8"))
    videos = [sample for sample in listed if sample["file"].endswith(".mp4")]
    return [Job(one["file"], one["question"], SETTINGS[i % len(SETTINGS)]) for i, one in enumerate(videos)]


def content(job: Job, number: int) -> bytes:
    """The sample with a box at its end that players pass over, so that every upload is another file."""
    return (SAMPLES / job.file).read_bytes() + struct.pack(">I4sQ", 16, b"free", number)


async def load(numbers: Sequence[int], runs: int, keep: bool) -> bool:
    with Server.started() as server:
        await until_alive(server.address)
        alone = await _alone(server.address)
        rows, is_well = [], True
        for num in numbers:
            begun = time.monotonic()
            visits = await asyncio.gather(*(_visits(server.address, number, runs) for number in range(num)))
            pairs = [pair for own in visits for pair in own]
            same = sum(visit.told == alone[job].told and is_own(job, visit) for job, visit in pairs)
            rows.append(report.load_row(num, [visit for _, visit in pairs], time.monotonic() - begun, same))
            is_well &= same == len(pairs)
            print(rows[-1], flush=True)
    text = "\n".join([f"Measured on {report.machine()}.\n", report.LOAD_HEAD, *rows])
    if keep:
        report.kept("load", text)
    return is_well


async def _alone(address: str) -> dict[Job, Visit]:
    """Each job with nobody else on the server."""
    found = {}
    async with Visitor.opened(address, 200) as visitor:
        for job in jobs():
            found[job] = await visitor.run(job, content(job, 0))
    return found


async def _visits(address: str, number: int, runs: int) -> list[tuple[Job, Visit]]:
    """A visitor's runs, on one page."""
    known, done = jobs(), []
    async with Visitor.opened(address, number) as visitor:
        for turn in range(runs):
            job = known[(number + 5 * turn) % len(known)]
            done.append((job, await visitor.run(job, content(job, 1 + number + 1000 * turn))))
    return done


def is_own(job: Job, visit: Visit) -> bool:
    """Whether the files taken away are of this visitor's own run."""
    about = json.loads(visit.exports["json"])
    settings = about["settings"]
    found = (
        about["file"],
        about["question"],
        (settings["keep_ratio"], settings["l1"], settings["l2"], about["num_frames"]),
    )
    return found == (job.file, job.question, job.settings) and int(visit.exports["saved"]) > 1000


async def soak(num: int, minutes: float, keep: bool) -> bool:
    with Server.started() as server:
        await until_alive(server.address)
        alone, begun = await _alone(server.address), time.monotonic()
        end = begun + 60 * minutes
        counts = {"runs": 0, "other": 0}
        tasks = [
            asyncio.create_task(_comes_and_goes(server.address, number, end, alone, counts)) for number in range(num)
        ]
        samples: list[Sample] = []
        async with httpx.AsyncClient(base_url=server.address, timeout=TIMEOUT) as client:
            while time.monotonic() < end:
                await asyncio.sleep(EVERY)
                samples.append(await look(client, time.monotonic() - begun))
        await asyncio.gather(*tasks)
        tracebacks = server.log.read_text().count("Traceback")
    grown = report.growth(samples)
    told = (
        f"{num} visitors for {minutes:g} minutes, {counts['runs']} runs, {counts['other']} not as alone, {tracebacks} "
        f"tracebacks; {report.growth_told(grown)}. {report.conditions()}. "
        f"Measured on {report.machine()}.\n"
    )
    text = "\n".join([told, *report.soak_table(samples)])
    print(text)
    if keep:
        report.kept("soak", text)
    return (grown or 0.0) < MOST_GROWTH and not counts["other"] and not tracebacks


async def _comes_and_goes(
    address: str, number: int, end: float, alone: dict[Job, Visit], counts: dict[str, int]
) -> None:
    """Open the page, run, take files away, close the page, again and again."""
    turn = 0
    while time.monotonic() < end:
        turn += 1
        job = jobs()[(number + 5 * turn) % len(alone)]
        try:
            async with Visitor.opened(address, number) as visitor:
                visit = await visitor.run(job, content(job, 1 + number + 1000 * turn))
            counts["runs"] += 1
            counts["other"] += visit.told != alone[job].told or not is_own(job, visit)
        except LoadError as error:
            counts["other"] += 1
            print(error, flush=True)


async def hostile(runs: int, keep: bool) -> bool:
    """The visitor's median alone is what its slowest run beside each attack is held against."""
    rows, is_well, alone = [], True, None
    with Server.started() as server:
        await until_alive(server.address)
        job, number = jobs()[0], 0
        await visits(server.address, number, job, [content(job, 0)])  # the first run of a server is slow
        for name in ("nobody else", *ATTACKS):
            contents = [content(job, number := number + 1) for _ in range(runs)]
            with under_attack(server.address, name, job, content(job, 0)):
                done = await visits(server.address, number, job, contents)
            alone = alone or done
            same = sum(visit.told == alone[0].told for visit in done)
            cost = report.cost(alone, done)
            rows.append(report.hostile_row(name, done, cost, same))
            is_well &= same == len(done) and cost < MOST_COST
            print(rows[-1], flush=True)
    if keep:
        report.kept("hostile", "\n".join([f"Measured on {report.machine()}.\n", report.HOSTILE_HEAD, *rows]))
    return is_well


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("load", "soak", "hostile"))
    parser.add_argument("--visitors", type=int, nargs="+", default=None)
    parser.add_argument("--runs", type=int, default=None)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--keep", action="store_true", help="keep the table in docs/load.md")
    asked = parser.parse_args()
    if asked.what == "load":
        work = load(asked.visitors or (8, 32), asked.runs or 2, asked.keep)
    elif asked.what == "hostile":
        work = hostile(asked.runs or 5, asked.keep)
    else:
        work = soak((asked.visitors or [32])[0], asked.minutes, asked.keep)
    return 0 if asyncio.run(work) else 1


if __name__ == "__main__":
    raise SystemExit(main())
