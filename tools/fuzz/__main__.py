"""Reads the whole corpus, 1,000 mutations of it, 1,500 files with one number of a header set to an extreme, traps and
bombs, with the limits of the page, and prints a table.

    python -m tools.fuzz [--mutations 1000] [--numbers 1500] [--seed 0] [--like PATTERN]
        [--only corpus mutations numbers traps bombs]

--like takes those clips and bombs alone whose names match. Ends with 1 if a frame is not the one of its time, or if
anything but frames or a sentence comes back.
Where the program ffmpeg is installed, the corpus is compared with its frames too.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import av

from aim_core.media.frames import Frames
from aim_core.media.limits import Limits
from tools.fuzz.bombs import BOMBS
from tools.fuzz.clips import Clip, numbered, write
from tools.fuzz.corpus import CLIPS
from tools.fuzz.forked import read_forked
from tools.fuzz.judge import away, faults, unlikely
from tools.fuzz.mutations import mutants
from tools.fuzz.numbers import extremes
from tools.fuzz.pictures import pictures
from tools.fuzz.reference import differences, program
from tools.fuzz.traps import playlists

PARTS = ("corpus", "traps", "mutations", "numbers", "bombs")
HEAD = "| files | read | refused | ended by a limit | longest, s of CPU | wrong |\n|---|---|---|---|---|---|"
_COUNTS = (1, 7, 32)  # frames that are asked for
_LIMITED = ("time-out", "-24", "-9")  # a limit of the wall clock, of the processor (SIGXCPU), of memory
_SHOWN_S = 0.011
_LARGE_BYTES = 1 << 19  # of a clip, too many to be changed a thousand times


@dataclass
class Tally:
    """What came back of the files of one kind."""

    read: int = 0
    refused: int = 0
    limited: Counter = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    longest: float = 0.0

    def add(self, path: Path, num_frames: int) -> Frames | None:
        """Read one more file."""
        outcome = read_forked(path, num_frames)
        if (
            outcome.ended == "time-out" and outcome.cpu < outcome.wall / 4
        ):  # it stands still, or others had the processor
            outcome = read_forked(path, num_frames)
        self.longest = max(self.longest, outcome.cpu)
        if isinstance(outcome.reply, Frames):
            self.read += 1
            self._note(path, unlikely(outcome.reply))
            return outcome.reply
        if outcome.reply:
            self.refused += 1
        elif outcome.ended in _LIMITED:
            self.limited[outcome.ended] += 1
            print(f"{path.name}: {outcome.ended}", file=sys.stderr)
        else:
            self._note(path, [outcome.ended])
        return None

    def _note(self, path: Path, faults: list[str]) -> None:
        """Also told at once, as a run may take long."""
        for fault in faults:
            self.wrong.append(f"{path.name}: {fault}")
            print(self.wrong[-1], file=sys.stderr)

    def row(self, name: str) -> str:
        """One line of the table."""
        limited = ", ".join(f"{count} × {end}" for end, count in sorted(self.limited.items())) or "0"
        return f"| {name} | {self.read} | {self.refused} | {limited} | {self.longest:.1f} | {len(self.wrong)} |"


def read_corpus(clips: list[Clip], folder: Path) -> Tally:
    """Every clip, its frames judged by their numbers and beside ffmpeg's own where that is installed."""
    tally = Tally()
    for clip in clips:
        path = write(clip, folder)
        for num_frames in _COUNTS:
            got = tally.add(path, num_frames)
            if got is None:
                tally.wrong.append(f"{clip.name}: not read")
                continue
            found = faults(got, clip.seconds)
            if away(got, clip.seconds) > _SHOWN_S:
                found.append("not evenly in time")
            if program() and num_frames == max(_COUNTS):
                found += differences(got, path)
            tally.wrong += [f"{clip.name}: {fault}" for fault in found]
    return tally


def read_all(files: dict[str, bytes], folder: Path) -> Tally:
    """Files that may be read or refused."""
    tally = Tally()
    for name, data in files.items():
        path = folder / name
        path.write_bytes(data)
        tally.add(path, 8)
        path.unlink()
    return tally


def mutated(whole: dict[str, bytes], count: int, seed: int) -> dict[str, dict[str, bytes]]:
    """For each kind of mutation the files by their names."""
    found: dict[str, dict[str, bytes]] = {}
    for number, (kind, name, data) in enumerate(mutants(whole, count, seed)):
        found.setdefault(kind, {})[f"{number} {name}"] = data
    return found


def extreme_files(whole: dict[str, bytes], count: int, seed: int) -> dict[str, bytes]:
    """So many files with a number of their header set to an extreme, drawn by the seed; all if there are no more."""
    found = list(extremes(whole))
    random.Random(seed).shuffle(found)
    return {f"{number} {told} of {name}": data for number, (name, told, data) in enumerate(found[:count])}


def tallies(asked: argparse.Namespace, folder: Path) -> Iterator[tuple[str, Tally]]:
    """The lines of the table, each with its name."""
    only, clips = asked.only, [clip for clip in CLIPS if re.search(asked.like, clip.name)]
    if "corpus" in only:
        yield f"{len(clips)} clips, each for {' and '.join(map(str, _COUNTS))} frames", read_corpus(clips, folder)
    if "traps" in only:
        yield "traps that name another file", read_all(playlists(folder / CLIPS[0].name), folder)
    whole: dict[str, bytes] = {}
    if {"mutations", "numbers"} & {*only}:
        small = [write(clip, folder) for clip in clips if clip.size[0] < 1000]
        whole = {path.name: path.read_bytes() for path in small if path.stat().st_size < _LARGE_BYTES}
        whole |= pictures(numbered(77))
    if "mutations" in only:
        for kind, files in sorted(mutated(whole, asked.mutations, asked.seed).items()):
            yield f"{len(files)} mutations: {kind}", read_all(files, folder)
    if "numbers" in only:
        files = extreme_files(whole, asked.numbers, asked.seed)
        yield f"{len(files)} extreme numbers", read_all(files, folder)
    if "bombs" in only:
        for name in filter(re.compile(asked.like).search, BOMBS):
            data = BOMBS[name](folder)
            yield f"{name} ({len(data) >> 10:,} KB)", read_all({"bomb": data}, folder)


def main(asked: argparse.Namespace) -> int:
    """Print the table as it grows; the exit code."""
    av.logging.set_level(av.logging.PANIC)
    print(f"Seed {asked.seed}; {Limits()}; ffmpeg: {program() or 'not installed'}\n\n{HEAD}", flush=True)
    wrong = []
    with tempfile.TemporaryDirectory(prefix="aim-fuzz-") as name:
        for title, tally in tallies(asked, Path(name)):
            print(tally.row(title), flush=True)
            wrong += tally.wrong
    print("\n" + ("\n".join(wrong) or "Nothing was wrong."))
    return bool(wrong)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tools.fuzz")
    parser.add_argument("--mutations", type=int, default=1000)
    parser.add_argument("--numbers", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--like", default="")
    sys.exit(main(parser.parse_args()))
