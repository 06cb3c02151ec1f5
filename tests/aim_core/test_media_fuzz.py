"""A small part of `make fuzz`: changed files and bombs come back as frames or as a sentence."""

from __future__ import annotations

import re
import subprocess
import sys

from tools.fuzz.mutations import mutants

LIKE = r"^(h264 open\.mp4|vp9\.webm|mpeg4 b\.avi|h264\.ts|colours\.gif)$|^(GIF|APNG|WebP).*5,000|600 layers"
ROW = re.compile(r"^\| (.+) \| (\d+) \| (\d+) \| (.+) \| [\d.]+ \| (\d+) \|$", re.MULTILINE)


def test_mutations_come_back_as_frames_or_a_sentence_and_bombs_are_refused():
    command = [sys.executable, "-m", "tools.fuzz", "--seed", "1", "--mutations", "60", "--only", "mutations", "bombs"]
    done = subprocess.run([*command, "--like", LIKE], capture_output=True, text=True, check=False, timeout=110)
    assert done.returncode == 0 and "Nothing was wrong." in done.stdout, done.stdout + done.stderr[-2000:]
    rows = {title: list(numbers) for title, *numbers in ROW.findall(done.stdout)}
    changed = [numbers for title, numbers in rows.items() if "mutations" in title]
    assert sum(int(read) + int(refused) for read, refused, _, _ in changed) == 60
    assert sum(int(read) for read, *_ in changed) > 10 and sum(int(refused) for _, refused, *_ in changed) > 5
    bombs = [numbers for title, numbers in rows.items() if "KB" in title]
    assert len(bombs) == 4 and all(numbers == ["0", "1", "0", "0"] for numbers in bombs)


def test_mutations_are_those_of_their_seed():
    whole = {"one": bytes(range(256)) * 9, "two": b"two" * 999}
    first, again, other = (list(mutants(whole, 30, seed)) for seed in (1, 1, 2))
    assert first == again != other
    assert sum(data != whole[name] for _, name, data in first) > 25
