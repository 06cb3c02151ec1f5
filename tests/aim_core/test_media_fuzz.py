"""A small part of `make fuzz`: changed files, extreme numbers and bombs come back as frames or as a sentence."""

from __future__ import annotations

import re
import struct
import subprocess
import sys
import zlib
from functools import partial

import numpy as np

from aim_core.media.frames import Frames
from tools.fuzz.clips import SIZE, numbered, write
from tools.fuzz.corpus import named
from tools.fuzz.judge import unlikely
from tools.fuzz.mutations import mutants
from tools.fuzz.numbers import extremes, numbers
from tools.fuzz.pictures import pictures

LIKE = r"^(h264 open\.mp4|vp9\.webm|mpeg4 b\.avi|h264\.ts|colours\.gif)$|^(GIF|APNG|WebP).*5,000|600 layers"
ROW = re.compile(r"^\| (.+) \| (\d+) \| (\d+) \| (.+) \| [\d.]+ \| (\d+) \|$", re.MULTILINE)


def test_mutations_come_back_as_frames_or_a_sentence_and_bombs_are_refused():
    command = [sys.executable, "-m", "tools.fuzz", "--seed", "1", "--mutations", "60", "--numbers", "60"]
    command += ["--like", LIKE, "--only", "mutations", "numbers", "bombs"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=110)
    assert done.returncode == 0 and "Nothing was wrong." in done.stdout, done.stdout + done.stderr[-2000:]
    rows = {title: list(numbers) for title, *numbers in ROW.findall(done.stdout)}
    changed = [numbers for title, numbers in rows.items() if "mutations" in title]
    assert sum(int(read) + int(refused) for read, refused, _, _ in changed) == 60
    assert sum(int(read) for read, *_ in changed) > 10 and sum(int(refused) for _, refused, *_ in changed) > 5
    (extreme,) = (numbers for title, numbers in rows.items() if title == "60 extreme numbers")
    assert int(extreme[0]) > 10 and int(extreme[1]) > 10
    bombs = [numbers for title, numbers in rows.items() if "KB" in title]
    assert len(bombs) == 4 and all(numbers == ["0", "1", "0", "0"] for numbers in bombs)


def test_mutations_are_those_of_their_seed():
    whole = {"one": bytes(range(256)) * 9, "two": b"two" * 999}
    first, again, other = (list(mutants(whole, 30, seed)) for seed in (1, 1, 2))
    assert first == again != other
    assert sum(data != whole[name] for _, name, data in first) > 25


def test_the_numbers_of_a_header_are_where_they_are_said_to_be(tmp_path):
    films = ("h264 open.mp4", "vp9.webm", "mpeg4 b.avi", "h264.flv", "wmv1.wmv", "colours.gif", "animation.png")
    files = {name: write(named(name), tmp_path).read_bytes() for name in films} | pictures(numbered(77))
    widths = {"picture.tiff": "tag 256", "picture.webp": "VP8 width", "animation.avif": "ispe width"}
    for name, data in files.items():
        found = {own.name: own for own in reversed(numbers(data))}
        own = found[widths.get(name) or next(told for told in found if told.endswith("width"))]
        value = data[own.place : own.place + own.size]
        if own.is_float:
            assert struct.unpack(">d", value)[0] == SIZE[0], name
        else:
            assert int.from_bytes(value, own.order) in (SIZE[0], SIZE[0] - 1, SIZE[0] << 16), name  # tkhd: 16.16


def test_every_extreme_is_a_change_of_one_number_and_a_png_stays_sound():
    whole = {name: data for name, data in pictures(numbered(77)).items() if name in ("picture.png", "picture.bmp")}
    found = list(extremes(whole))
    assert len(found) > 60 and {told for _, told, _ in found} >= {"IHDR width", "BMP height"}
    for name, told, data in found:
        assert len(data) == len(whole[name]) and data != whole[name]
        if told == "IHDR width":
            assert zlib.crc32(data[12:29]) == int.from_bytes(data[29:33], "big")


def test_what_no_reader_may_say_is_named():
    said = partial(Frames, np.zeros((2, 1, 1, 3), np.uint8), kind="video")
    assert not unlikely(said(times=np.array([0.0, 1.0]), duration=2.0))
    for times, duration in (([0.0, np.nan], 2.0), ([0.0, 1.0], np.inf), ([1.0, 0.0], 2.0), ([0.0, 9.0], 2.0)):
        assert unlikely(said(times=np.array(times), duration=duration))
