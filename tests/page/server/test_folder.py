"""Folders: of this process alone, gone with it, and what an earlier one left goes at the next start."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from page.server.folder import OwnFolder, sweep_dead, sweep_old
from tests.helpers.server import ROOT

CHILD = """
import sys, time
from pathlib import Path
from page.server.folder import OwnFolder
own = OwnFolder.make(Path(sys.argv[1]))
(own.path / "left.bin").write_bytes(b"x" * 1000)
print(own.path, flush=True)
time.sleep(60)
"""


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", "put back at the end")


def test_what_a_killed_process_left_goes_and_what_a_living_one_has_stays(tmp_path):
    command = [sys.executable, "-c", CHILD, str(tmp_path)]
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        path = tmp_path / child.stdout.readline().strip().rsplit("/", 1)[1]
        assert (path / "left.bin").exists() and sweep_dead(tmp_path) == []
        child.kill()
        child.wait(timeout=10)
        own = OwnFolder.make(tmp_path)
        assert not path.exists() and sorted(tmp_path.iterdir()) == sorted([own.path, own.path.with_suffix(".lock")])
        assert os.environ["GRADIO_TEMP_DIR"] == str(own.path)
        own.remove()
        assert not list(tmp_path.iterdir())
    finally:
        child.kill()
        child.stdout.close()


def test_what_others_keep_in_the_same_place_stays(tmp_path, monkeypatch):
    old = time.time() - 10_000
    for name in ("aim-thesis", "run-of-another", "run-theirs"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_bytes(b"x")
        os.utime(tmp_path / name, (old, old))
    (tmp_path / "run-theirs.lock").touch()
    monkeypatch.setattr(os, "getuid", lambda: 12345)  # another user's lock
    assert sweep_dead(tmp_path) == [] and len(list(tmp_path.iterdir())) == 4


def test_a_folder_goes_whatever_happens_in_its_block(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "given"))
    with pytest.raises(KeyError), OwnFolder.made() as own:
        (own.path / "deep" / "er").mkdir(parents=True)
        assert own.path.parent == tmp_path / "given"
        raise KeyError
    assert not list((tmp_path / "given").iterdir())


def test_files_go_by_age_but_for_those_of_the_page_and_so_do_empty_folders(tmp_path):
    old = time.time() - 1000
    for name in ("new/frame.png", "old/frame.png", "kept/sample.mp4", "emptied/part"):
        file = tmp_path / name
        file.parent.mkdir()
        file.write_bytes(b"x")
        if "new" not in name:
            os.utime(file, (old, old))
    (tmp_path / "emptied/part").unlink()
    os.utime(tmp_path / "emptied", (old, old))
    assert sweep_old(tmp_path, 500, {str(tmp_path / "kept/sample.mp4")}) == 1
    assert {path.name for path in tmp_path.iterdir()} == {"new", "old", "kept"}
    assert not list((tmp_path / "old").iterdir())
    assert sweep_old(tmp_path, 500, {str(tmp_path / "kept/sample.mp4")}) == 0
