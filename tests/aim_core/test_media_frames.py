"""Frames of videos are those of their times: films of every kind whose frames show their numbers."""

from dataclasses import replace

import av
import numpy as np
import pytest

from aim_core.media import chosen, video
from aim_core.media.errors import MediaError
from aim_core.media.index import Index
from aim_core.media.limits import Limits
from aim_core.media.stretches import Stretch, nearest_keys, stretches
from aim_core.media.worker import read
from tools.fuzz.clips import Clip, number_of, write
from tools.fuzz.corpus import CLIPS, named
from tools.fuzz.judge import away, faults, unlikely
from tools.fuzz.numbers import changed, numbers

OFTEN = """h264 closed.mp4,h264 open.mp4,h264 refresh.mp4,h264 sound.mp4,h264 fragments.mp4,hevc open.mp4,av1.mp4
prores.mov,h264.mkv,vp8.webm,vp9 hidden.webm,h264 b.avi,h264 b one group.avi,mpeg4 b.avi,mjpeg.avi,h264.ts
h264 camera.mts,mpeg2.vob,h264.flv,wmv2.wmv,colours.gif,animation.png,h264 open varying.mp4,h264 open gap.mp4
h264 closed turned 90.mp4,hevc closed turned 270.mp4,h264 closed cover.mp4,h264 open late.mp4,sequence.avif"""
OFTEN = OFTEN.replace("\n", ",").split(",")
SELDOM = tuple(clip.name for clip in CLIPS if clip.name not in OFTEN and "4K" not in clip.name)


@pytest.mark.parametrize("name", [*OFTEN, *(pytest.param(name, marks=pytest.mark.slow) for name in SELDOM)])
def test_each_frame_is_the_one_of_its_time(tmp_path, name):
    clip = named(name)
    path = write(clip, tmp_path)
    for num_frames in (1, 7, 32):
        got = read(path, num_frames, 768, Limits())
        assert not faults(got, clip.seconds)
        assert away(got, clip.seconds) < 0.011  # seconds; GIF counts in hundredths


CUT = {
    "h264 sound.mp4": 0.5,
    "mpeg4.mp4": 0.95,
    "mpeg4 b.avi": 0.35,
    "h264 camera.mts": 0.35,
    "mpeg2.vob": 0.5,
    "wmv2.wmv": 0.65,
    "colours.gif": 0.5,
    "animation.png": 0.5,
    "h264.mkv": 0.5,
}


@pytest.mark.parametrize("name", CUT)
def test_a_film_that_is_cut_off_shows_each_of_its_frames_once(tmp_path, name):
    clip = replace(named(name), muxing=named(name).muxing | ({"movflags": "faststart"} if ".mp4" in name else {}))
    path = write(clip, tmp_path)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * CUT[name])])
    got = read(path, 64, 768, Limits())
    assert not faults(got, clip.seconds) and away(got, clip.seconds) < 0.011
    assert len(set(got.times.tolist())) > 8 and number_of(got.frames[-1]) < len(clip.seconds) - 1


@pytest.fixture
def decoded(monkeypatch):
    """Call it for the number of packets that PyAV has decoded till now, which reads all."""
    monkeypatch.setattr(video, "_SHORT_S", 0.0)
    count = []

    def counting(context, own, plain=chosen._batches):
        yield from plain(context, (count.append(1) or packet for packet in own))

    monkeypatch.setattr(chosen, "_batches", counting)
    return lambda: len(count)


@pytest.mark.parametrize("name", ["h264 open.mp4", "h264.ts", "h264.mkv", "mjpeg.avi", "vp9.webm"])
def test_only_what_a_frame_needs_is_decoded(tmp_path, decoded, name):
    clip = named(name)
    got = read(write(clip, tmp_path), 1, 768, Limits())
    assert number_of(got.frames[0]) == 20 and decoded() <= 12  # of 40, in groups of 12


@pytest.mark.parametrize("codec", ["mpeg4", "libx265"])
def test_where_a_key_frame_is_none_all_is_read_again(tmp_path, decoded, codec):
    """A container may call any packet a key frame."""
    options = {"g": "250", "x265-params": "keyint=250:bframes=0:scenecut=0:log-level=none"}
    plain = write(Clip("plain.mp4", codec, options), tmp_path)
    with av.open(str(plain)) as old, av.open(str(tmp_path / "lies.mp4"), "w") as new:
        stream = new.add_stream_from_template(old.streams.video[0])
        for packet in old.demux(video=0):
            if packet.size:
                packet.stream, packet.is_keyframe = stream, True
                new.mux(packet)
    got = read(tmp_path / "lies.mp4", 4, 768, Limits())
    assert [number_of(frame) for frame in got.frames] == [5, 15, 25, 35] and decoded() > 36


def index_of(starts, keys, is_timed=True):
    """Frames that lie in the file in the order of `starts`."""
    order = np.argsort(starts, kind="stable")
    starts = np.asarray(starts)
    sizes = np.full(len(starts), 100)
    return Index(starts[order], starts[order] + 1, order, np.array(keys), starts[keys], sizes, is_timed, "h264")


def test_stretches_begin_at_the_last_key_that_is_shown_before():
    open_groups = index_of([0, 3, 1, 2, 6, 4, 5, 7], keys=[0, 4])  # the second key is decoded before 4 and 5
    assert stretches(open_groups, np.array([1, 7])) == [Stretch(0, 2, (1,)), Stretch(4, 7, (7,))]
    assert stretches(open_groups, np.array([5])) == [Stretch(0, 6, (5,))]
    together = stretches(open_groups, np.array([2, 3, 6]))
    assert together == [Stretch(0, 3, (2, 3)), Stretch(4, 4, (6,))]


def test_where_exact_frames_cost_too_much_the_nearest_key_frames_are_read(tmp_path, decoded):
    path = write(named("h264 open.mp4"), tmp_path)
    exact, cheap = (read(path, 4, 768, Limits(decode_seconds=seconds)) for seconds in (25, 0.001))
    assert [number_of(frame) for frame in exact.frames] == [5, 15, 25, 35]
    numbers = [number_of(frame) for frame in cheap.frames]
    assert numbers == sorted(numbers) and cheap.times == pytest.approx(np.array(numbers) / 10, abs=0.001)
    assert all(abs(a - b) <= 5 for a, b in zip(numbers, (5, 15, 25, 35), strict=True)) and numbers != [5, 15, 25, 35]
    with pytest.raises(MediaError, match="too long to decode"):
        read(write(named("h264 one group.mp4"), tmp_path), 4, 768, Limits(decode_seconds=0.001))


def test_nearest_keys_stay_in_their_stretch():
    index = index_of(list(range(100)), keys=[0, 12, 30, 31, 90])
    assert nearest_keys(index, np.array([10, 30, 50, 70, 90]), 100.0).tolist() == [12, 30, 50, 70, 90]


def test_a_broken_frame_is_replaced_by_the_one_before(tmp_path):
    clip = Clip("whole.avi", "mjpeg", pixels="yuvj420p")
    data = bytearray(write(clip, tmp_path).read_bytes())
    frames = [place for place in range(len(data)) if data[place : place + 3] == b"\xff\xd8\xff"]
    data[frames[20] : frames[21] - 8] = bytes(frames[21] - frames[20] - 8)
    (tmp_path / "broken.avi").write_bytes(data)
    got = read(tmp_path / "broken.avi", 40, 768, Limits())
    assert [number_of(frame) for frame in got.frames] == [19 if number == 20 else number for number in range(40)]


def write_hidden(folder, num_frames, hidden):
    """A film in VP8 in which the frames with these numbers are decoded but not shown."""
    options = {"g": "999", "deadline": "realtime", "cpu-used": "8"}
    seconds = tuple(i / 10 for i in range(num_frames))
    plain = write(Clip("all.webm", "libvpx", options, seconds=seconds), folder)
    with av.open(str(plain)) as old, av.open(str(folder / "hidden.webm"), "w") as new:
        stream = new.add_stream_from_template(old.streams.video[0])
        for number, packet in enumerate(p for p in old.demux(video=0) if p.size):
            data = bytearray(bytes(packet))
            data[0] &= ~0x10 if number in hidden else 0xFF  # the bit that says "show this frame"
            changed = av.Packet(bytes(data))
            changed.pts, changed.dts, changed.time_base = packet.pts, packet.dts, packet.time_base
            changed.stream, changed.is_keyframe = stream, packet.is_keyframe
            new.mux(changed)
    return folder / "hidden.webm"


def test_a_frame_that_is_not_shown_does_not_move_the_others(tmp_path):
    got = read(write_hidden(tmp_path, 60, {20, 21}), 60, 768, Limits())
    shown = [19 if number in (20, 21) else number for number in range(60)]
    assert [number_of(frame) for frame in got.frames] == shown
    assert got.times == pytest.approx(np.array(shown) / 10, abs=0.002)


def test_nobody_waits_for_frames_that_never_come(tmp_path):
    got = read(write_hidden(tmp_path, 60, range(30, 60)), 1, 768, Limits())
    assert got.times == pytest.approx([2.9], abs=0.01) and number_of(got.frames[0]) == 29


@pytest.mark.parametrize("which", [1, 2])
def test_a_frame_of_a_wrong_time_puts_none_out_of_order(tmp_path, which):
    path = write(named("mpeg2.vob"), tmp_path)
    data = path.read_bytes()
    time = [own for own in numbers(data) if own.name == "time"][which]  # of the second and the third part
    path.write_bytes(changed(data, time, bytes(5)))
    got = read(path, 8, 768, Limits())
    assert not unlikely(got) and len(np.unique(got.times)) > 5
