"""decord reads short films, PyAV what decord cannot: the frames are the same, whoever read them."""

import subprocess
import sys
import threading
import time
from importlib.util import find_spec
from pathlib import Path

import decord
import numpy as np
import pytest

from aim_core.media import decord_reader, video
from aim_core.media.decode import load_frames
from aim_core.media.limits import Limits
from aim_core.media.worker import read
from tools.fuzz.clips import write
from tools.fuzz.corpus import named
from tools.fuzz.numbers import changed, numbers

BY_DECORD = """h264 closed.mp4,h264 open.mp4,h264 sound.mp4,h264.mkv,vp8.webm,h264 open varying.mp4,h264 open gap.mp4
h264 closed turned 90.mp4,h264 open late.mp4""".replace("\n", ",").split(",")
BY_PYAV = ["h264 b.avi", "mjpeg.avi", "h264.ts", "colours.gif", "h264 closed cover.mp4"]


@pytest.fixture
def reader(caplog):
    """Call it to hear which reader the last video had."""
    caplog.set_level("INFO", logger=video.__name__)
    return lambda: caplog.messages[-1].split()[0]


def here(path, num_frames=8):
    return read(path, num_frames, 768, Limits())


def without_decord(path, num_frames=8):
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "decord", None)
        return here(path, num_frames)


@pytest.mark.parametrize("name", [*BY_DECORD, *BY_PYAV])
def test_both_readers_give_the_same_frames(tmp_path, reader, name):
    path = write(named(name), tmp_path)
    for num_frames in (1, 7, 40):
        want, got = without_decord(path, num_frames), here(path, num_frames)
        assert reader() == got.reader == ("PyAV" if name in BY_PYAV else "decord") and want.reader == "PyAV"
        assert np.abs(got.frames.astype(int) - want.frames).max() <= 2
        assert np.array_equal(got.times, want.times) and got.duration == want.duration


ALONE = """
import sys
from pathlib import Path
from aim_core.media.limits import Limits
from aim_core.media.worker import read
print(read(Path(sys.argv[1]), 4, 768, Limits()).reader, "nvidia" in sys.modules)
print(Path("/proc/self/maps").read_text().count("/nvidia/"))
"""


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="only Linux tells what a process has loaded")
@pytest.mark.skipif(not find_spec("nvidia"), reason="no GPU libraries are installed that decord could load")
def test_decord_loads_no_gpu_libraries_into_the_address_space_of_the_decoder(tmp_path):
    path = write(named("h264 closed.mp4"), tmp_path)
    told = subprocess.run([sys.executable, "-c", ALONE, path], capture_output=True, text=True, check=True).stdout
    assert told.split() == ["decord", "False", "0"]


@pytest.mark.parametrize("value", [b"\x7f\xff\xff\xff", b"\x80\0\0\0"])
def test_a_header_that_promises_a_great_many_frames_is_no_crash_of_decord(tmp_path, value):
    path = write(named("mjpeg.mov"), tmp_path)
    want, data = here(path), path.read_bytes()
    (count,) = (own for own in numbers(data) if own.name == "stts frames")
    path.write_bytes(changed(data, count, value))
    got = load_frames(path, 8)  # in a process of its own, which decord ended
    assert np.abs(got.frames.astype(int) - want.frames).max() <= 2


@pytest.fixture
def film(tmp_path):
    return write(named("h264 open.mp4"), tmp_path)


def test_pyav_reads_what_is_long(film, reader, monkeypatch):
    monkeypatch.setattr(video, "_SHORT_S", 1e-6)
    here(film)
    assert reader() == "PyAV"


def test_pyav_reads_where_decord_stands_still(film, reader, caplog, monkeypatch):
    """Seen once, on a film that ends in hidden frames: no file makes it stand still each time."""
    want = without_decord(film)
    monkeypatch.setattr(decord_reader, "_STILL_S", 0.2)
    monkeypatch.setattr(decord_reader, "_LEAST_SHARE", 0.5)  # servers of other tests work in this process too
    monkeypatch.setattr("decord.VideoReader.next", lambda self: threading.Event().wait(60))
    assert np.array_equal(here(film).frames, want.frames) and reader() == "PyAV"
    assert "decord stands still" in caplog.text


def test_a_slow_decord_is_waited_for(film, reader, monkeypatch):
    def busy(self, own=decord.VideoReader.next):
        until = time.process_time() + 1.5
        while time.process_time() < until:
            pass
        return own(self)

    monkeypatch.setattr(decord_reader, "_STILL_S", 0.6)  # a loaded machine may leave it alone for a while
    monkeypatch.setattr("decord.VideoReader.next", busy)
    here(film, num_frames=1)
    assert reader() == "decord"
