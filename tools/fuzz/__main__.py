"""Reads the whole corpus, 1,000 mutations of it and bombs as the page would, and prints a table.

    python -m tools.fuzz [--mutations 1000] [--seed 0] [--keep FOLDER]

Ends with 1 if a frame is not the one of its time, or if anything but frames or a sentence comes back, or too late.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import av

from aim_core.media import process
from aim_core.media.decode import load_frames
from aim_core.media.errors import MediaError
from aim_core.media.frames import Frames
from aim_core.media.limits import Limits
from tools.fuzz.bombs import BOMBS
from tools.fuzz.clips import numbered, write
from tools.fuzz.corpus import CLIPS
from tools.fuzz.judge import away, faults
from tools.fuzz.mutations import mutants
from tools.fuzz.pictures import pictures
from tools.fuzz.reference import differences, program
from tools.fuzz.traps import playlists

_COUNTS = (1, 7, 32)  # frames that are asked for
_SLACK_S = 5.0  # of the wall clock, for a process to start and to be ended
_SHOWN_S = 0.011


@dataclass
class Tally:
    """What came back of the files of one kind."""

    read: int = 0
    refused: int = 0
    wrong: list[str] = field(default_factory=list)
    ends: Counter = field(default_factory=Counter)  # of child processes that did not end by themselves
    longest: float = 0.0


class Ends(logging.Handler):
    """Collects how child processes ended that left no answer."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.seen.append(str(record.args[0]) if record.args else record.getMessage())


def attempt(path: Path, num_frames: int, tally: Tally, ends: Ends) -> Frames | None:
    """Read a file as the page does, and count what came of it."""
    began = time.monotonic()
    try:
        got = load_frames(path, num_frames)
        tally.read += 1
    except MediaError:
        got = None
        tally.refused += 1
    except Exception as error:
        got = None
        tally.wrong.append(f"{path.name}: {type(error).__name__}: {error}")
    took = time.monotonic() - began
    tally.longest = max(tally.longest, took)
    tally.ends.update(ends.seen)
    ends.seen.clear()
    if took > Limits().wall_seconds + _SLACK_S:
        tally.wrong.append(f"{path.name}: {took:.0f} s")
    return got


def read_corpus(folder: Path, ends: Ends) -> Tally:
    """Every clip, its frames judged by their numbers and beside ffmpeg's own where that is installed."""
    tally = Tally()
    for clip in CLIPS:
        path = write(clip, folder)
        for num_frames in _COUNTS:
            got = attempt(path, num_frames, tally, ends)
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


def read_all(files: dict[str, bytes], folder: Path, ends: Ends) -> Tally:
    """Files that may be read or refused."""
    tally = Tally()
    for name, data in files.items():
        path = folder / name
        path.write_bytes(data)
        attempt(path, 8, tally, ends)
        path.unlink()
    return tally


def row(name: str, tally: Tally) -> str:
    """One line of the table."""
    ended = ", ".join(f"{count} × {end}" for end, count in sorted(tally.ends.items())) or "none"
    return f"| {name} | {tally.read} | {tally.refused} | {ended} | {tally.longest:.1f} | {len(tally.wrong)} |"


def main(num_mutations: int, seed: int, folder: Path) -> int:
    """Print the table as it grows; the exit code."""
    av.logging.set_level(av.logging.PANIC)
    ends = Ends()
    log = logging.getLogger(process.__name__)
    log.addHandler(ends)
    log.propagate = False
    tallies: dict[str, Tally] = {}

    def done(name: str, tally: Tally) -> None:
        tallies[name] = tally
        print(row(name, tally), flush=True)

    print(f"seed {seed}; {'frames compared with ffmpeg' if program() else 'ffmpeg is not installed'}\n")
    print("| files | read | refused with a sentence | children ended | longest, s | wrong |\n|---|---|---|---|---|---|")
    done(f"{len(CLIPS)} clips, each for {_COUNTS[0]}, {_COUNTS[1]} and {_COUNTS[2]} frames", read_corpus(folder, ends))
    secret = folder / CLIPS[0].name
    done("traps that name another file", read_all(playlists(secret), folder, ends))
    whole = {path.name: path.read_bytes() for path in folder.iterdir() if path.stat().st_size < 1 << 20}
    whole |= pictures(numbered(77))
    for kind, files in mutated(whole, num_mutations, seed).items():
        done(f"mutations: {kind}", read_all(files, folder, ends))
    for name, make in BOMBS.items():
        suffix = {"GIF": "gif", "APNG": "png", "PNG": "png", "WebP": "webp", "JPEG": "jpg", "TIFF": "tif", "AVI": "avi"}
        data = make(folder)
        done(
            f"{name} ({len(data) >> 10:,} KB)",
            read_all({f"bomb.{suffix.get(name.split(',')[0], 'mp4')}": data}, folder, ends),
        )
    wrong = [line for tally in tallies.values() for line in tally.wrong]
    print("\n" + ("\n".join(wrong) or "Nothing was wrong."))
    return bool(wrong)


def mutated(whole: dict[str, bytes], count: int, seed: int) -> dict[str, dict[str, bytes]]:
    """For each kind of mutation the files by their names."""
    found: dict[str, dict[str, bytes]] = {}
    for number, (kind, name, data) in enumerate(mutants(whole, count, seed)):
        found.setdefault(kind, {})[f"{number} {name}"] = data
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tools.fuzz")
    parser.add_argument("--mutations", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="aim-fuzz-") as name:
        sys.exit(main(asked.mutations, asked.seed, Path(name)))
