"""Media: real files of many kinds and many ways to be wrong, the hostile ones decoded by the real child process."""

import os
import struct
import subprocess
import sys
import wave
from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image

from aim_core.media import process
from aim_core.media.check import check_media
from aim_core.media.decode import load_frames
from aim_core.media.errors import CRASHED_VIDEO, HEAVY_PICTURE, HEAVY_VIDEO, SLOW_VIDEO, MediaError
from aim_core.media.limits import Limits
from aim_core.media.resize import fitted_size
from aim_core.media.sample import sample
from aim_core.media.worker import read
from tools.fuzz.clips import turn

STEADY = [(i / 10, 12 * i) for i in range(20)]  # (seconds, grey level): 10 frames a second for 2 seconds
HASTY = [(i / 10, 12 * i) for i in range(10)] + [(1.0 + i, 120 + 12 * i) for i in range(10)]  # then one a second
HUGE = (16000, 8000)


def write_video(path, codec, shots, size=(160, 120), pixels="yuv420p", options=None, format=None):
    """One plain grey frame for each (seconds, grey level) of `shots`; a picture in place of the grey will do too."""
    with av.open(str(path), "w", format=format) as file:
        stream = file.add_stream(codec, rate=10, options={"threads": "1"} | (options or {}))
        stream.width, stream.height, stream.pix_fmt = *size, pixels
        stream.codec_context.time_base = Fraction(1, 1000)
        for seconds, grey in shots:
            image = np.full((size[1], size[0], 3), grey, np.uint8)
            frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format=pixels)
            frame.pts, frame.time_base = round(seconds * 1000), Fraction(1, 1000)
            file.mux(stream.encode(frame))
        file.mux(stream.encode())


KINDS = {
    "h264.mp4": {"codec": "libx264"},
    "vp9.webm": {"codec": "libvpx-vp9", "options": {"deadline": "realtime", "cpu-used": "8"}},
    "colours.gif": {"codec": "gif", "pixels": "rgb8"},
    "stream.ts": {"codec": "libx264", "format": "mpegts"},
    "old.avi": {"codec": "mpeg4"},
}


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """A folder with one steady clip of each kind, and a few special ones."""
    folder = tmp_path_factory.mktemp("clips")
    for name, how in KINDS.items():
        write_video(folder / name, shots=STEADY, **how)
    write_video(folder / "hasty.mp4", "libx264", HASTY)
    write_video(folder / "one.mp4", "libx264", STEADY[5:6])
    write_video(folder / "three.mp4", "libx264", STEADY[:3])
    return folder


def here(path, num_frames=8, max_side=768, limits=None):
    """What load_frames gives, without the half second of a child; for files that are not hostile."""
    check_media(path)
    return read(path, num_frames, max_side, limits or Limits())


def greys(frames):
    return frames.frames.mean(axis=(1, 2, 3))


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_gives_frames_evenly_spaced_in_time(clips, name):
    got = here(clips / name)
    assert got.kind == "video" and got.frames.shape == (8, 120, 160, 3) and got.frames.dtype == np.uint8
    assert got.duration == pytest.approx(2.0, abs=0.02) and got.times.dtype == np.float32
    assert got.times == pytest.approx([0.1, 0.3, 0.6, 0.8, 1.1, 1.3, 1.6, 1.8], abs=0.01)
    assert greys(got) == pytest.approx(got.times * 120, abs=4)  # each frame is the one of its time


def test_sampling_follows_time_when_the_frame_rate_varies(clips):
    got = here(clips / "hasty.mp4", num_frames=10)
    middles = (np.arange(10) + 0.5) * got.duration / 10  # how long the last frame stays, the writer decides
    assert got.times == pytest.approx([max(s for s, _ in HASTY if s < middle) for middle in middles], abs=0.01)
    assert (got.times < 1).sum() == 1  # by number, half of them would be
    shown = {round(seconds, 1): grey for seconds, grey in HASTY}
    assert greys(got) == pytest.approx([shown[round(float(t), 1)] for t in got.times], abs=4)


def test_frames_repeat_when_there_are_too_few(clips):
    one = here(clips / "one.mp4", num_frames=4)
    assert len(one.frames) == 4 and not one.times.any() and greys(one) == pytest.approx(60, abs=3)
    three = here(clips / "three.mp4", num_frames=6)
    assert three.times == pytest.approx([0, 0, 0.1, 0.1, 0.2, 0.2], abs=0.01)


def test_a_video_is_fitted_in_max_side_and_turned_upright(clips, tmp_path):
    path = tmp_path / "turned.mp4"
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        image = np.zeros((120, 160, 3), np.uint8)
        image[:60, :80] = 255  # top left
        file.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        file.mux(stream.encode())
    turn(path, 90)
    frame = here(path, num_frames=1, max_side=80).frames[0]
    assert frame.shape == (80, 60, 3)
    assert frame[10, 50].min() > 250 and frame[10, 10].max() < 5 and frame[70, 50].max() < 5  # now top right


def test_a_cut_off_video_gives_what_is_there(clips, tmp_path):
    stream = (clips / "stream.ts").read_bytes()
    (tmp_path / "half.ts").write_bytes(stream[: len(stream) // 2])
    got = here(tmp_path / "half.ts", num_frames=4)
    assert len(got.frames) == 4 and 0 < got.duration < 2
    movie = (clips / "h264.mp4").read_bytes()  # its table of frames comes last
    (tmp_path / "half.mp4").write_bytes(movie[: len(movie) // 2])
    with pytest.raises(MediaError, match="damaged or cut off"):
        load_frames(tmp_path / "half.mp4")


def test_pictures_are_upright_on_white_and_never_enlarged(tmp_path):
    grey = Image.new("RGB", (40, 20), (90, 90, 90))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held on its side
    grey.save(tmp_path / "turned.jpg", exif=exif)
    got = load_frames(tmp_path / "turned.jpg", num_frames=8)
    assert got.kind == "image" and got.frames.shape == (1, 40, 20, 3)
    assert got.times.tolist() == [0.0] and got.duration == 0.0
    Image.new("RGBA", (400, 200), (0, 0, 0, 0)).save(tmp_path / "clear.png")
    clear = here(tmp_path / "clear.png", max_side=100)
    assert clear.frames.shape == (1, 50, 100, 3) and clear.frames.min() == 255
    Image.fromarray(np.full((8, 8), 0x8000, np.uint16)).save(tmp_path / "deep.png")
    assert np.unique(here(tmp_path / "deep.png").frames).tolist() == [0x80]
    for name in ("small.webp", "small.bmp"):
        grey.save(tmp_path / name)
        assert here(tmp_path / name).frames.mean() == pytest.approx(90, abs=2)


def test_the_child_gives_what_this_process_would(clips, monkeypatch):
    monkeypatch.chdir(clips)  # a relative path, and aim_core is elsewhere
    got, want = load_frames("vp9.webm", num_frames=3), here(clips / "vp9.webm", num_frames=3)
    assert np.array_equal(got.frames, want.frames) and np.array_equal(got.times, want.times)
    assert (got.duration, got.kind) == (want.duration, want.kind)


REFUSED = {
    "empty.mp4": (b"", "empty"),
    "notes.mp4": (b"Dear diary,\nno video today.\n" * 400, "is text"),
    "list.mp4": (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "is a playlist"),
    "list.png": (b"\xef\xbb\xbf\n#EXTM3U\nhttp://example.org/a.ts\n", "is a playlist"),
    "concat.avi": (b"ffconcat version 1.0\nfile /etc/passwd\n", "is a playlist"),
    "dash.mp4": (b"<?xml version='1.0'?>\n<MPD profiles='x'></MPD>", "is a playlist"),
    "page.mp4": (b"<!DOCTYPE html><html></html>", "is a web page"),
    "noise.mp4": (bytes(range(255, 0, -1)) * 9, "no video or picture that can be read"),
    "zeros.mp4": (bytes(5000), "no video or picture that can be read"),
    "song.mp3": (b"ID3\x04" + bytes(100), "sound but no picture"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_media_is_refused_before_decoding(tmp_path, name):
    data, sentence = REFUSED[name]
    (tmp_path / name).write_bytes(data)
    with pytest.raises(MediaError, match=sentence):
        check_media(tmp_path / name)


def test_what_is_no_plain_file_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe.mp4")
    cases = {
        tmp_path: "is a folder",
        tmp_path / "pipe.mp4": "not a plain file",
        tmp_path / "missing.mp4": "is not there",
        "https://example.org/cat.mp4": "is a web address",
        "concat:/etc/passwd|/etc/hosts": "is a web address",
        "a\0b.mp4": "is not there",
        "": "Choose a video",
        None: "Choose a video",
    }
    for path, sentence in cases.items():
        with pytest.raises(MediaError, match=sentence):
            load_frames(path)


def test_sound_without_a_picture_is_refused(tmp_path):
    with wave.open(str(tmp_path / "voice.wav"), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(16000))
    with av.open(str(tmp_path / "voice.m4a"), "w", format="mp4") as file:
        stream = file.add_stream("aac", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 8000
        file.mux(stream.encode(frame))
        file.mux(stream.encode())
    for name in ("voice.wav", "voice.m4a"):
        with pytest.raises(MediaError, match="sound but no picture"):
            here(tmp_path / name)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_large_headers_are_refused_before_decoding(clips, tmp_path):
    Image.new("1", (13000, 13000)).save(tmp_path / "bomb.png")
    assert (tmp_path / "bomb.png").stat().st_size < 100_000
    with pytest.raises(MediaError, match="million pixels"):
        load_frames(tmp_path / "bomb.png")
    data = bytearray((clips / "colours.gif").read_bytes())
    data[6:10] = struct.pack("<HH", *HUGE)
    (tmp_path / "huge.gif").write_bytes(data)
    with pytest.raises(MediaError, match="128 million pixels each; 40 million is the most"):
        load_frames(tmp_path / "huge.gif")


def test_limits_on_bytes_and_seconds(clips):
    with pytest.raises(MediaError, match="MB is the most"):
        check_media(clips / "h264.mp4", Limits(video_bytes=100))
    with pytest.raises(MediaError, match=r"2 seconds long; 1\.5 seconds is the most"):
        here(clips / "h264.mp4", limits=Limits(video_seconds=1.5))
    with pytest.raises(ValueError, match="wall_seconds must be positive"):
        Limits(wall_seconds=0)


@pytest.mark.slow
def test_a_child_that_costs_too_much_is_stopped_and_this_process_lives_on(clips, tmp_path):
    Image.new("1", (7000, 7000)).save(tmp_path / "large.png")  # 196 MB in RGB
    with pytest.raises(MediaError) as memory:
        load_frames(tmp_path / "large.png", limits=Limits(memory_bytes=300 << 20))
    assert str(memory.value) == HEAVY_PICTURE
    scarce = [Limits(memory_bytes=megabytes << 20) for megabytes in (100, 200)]  # before and in the decoder
    for limits in scarce:
        with pytest.raises(MediaError) as stopped:
            load_frames(clips / "h264.mp4", limits=limits)
        assert str(stopped.value) == HEAVY_VIDEO
    with pytest.raises(MediaError) as late:
        load_frames(clips / "h264.mp4", limits=Limits(wall_seconds=0.05))
    assert str(late.value) == SLOW_VIDEO
    assert len(load_frames(clips / "one.mp4", num_frames=1).frames) == 1


def test_a_crash_of_the_child_is_a_sentence(clips, monkeypatch):
    monkeypatch.setattr(process.sys, "executable", "/bin/false")
    with pytest.raises(MediaError) as crash:
        load_frames(clips / "one.mp4")
    assert str(crash.value) == CRASHED_VIDEO


def test_the_child_gets_no_secrets_and_no_torch(monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "secret")
    assert "secret" not in process._environment().values()
    code = "import sys, aim_core.media.worker, aim_core.media.video; print({'torch', 'pi_heif'} & {*sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", code], env=process._environment(), capture_output=True, check=True, timeout=60
    )
    assert done.stdout.strip() == b"set()"  # a decoder of photos is loaded when one needs it


@pytest.mark.parametrize("wrong", [{"num_frames": n} for n in (0, 257, 2.0, True, "8")] + [{"max_side": 8}])
def test_numbers_out_of_range(clips, wrong):
    with pytest.raises(ValueError, match="must be a whole number from"):
        load_frames(clips / "one.mp4", **wrong)


def test_as_many_frames_as_long_videos_want(clips):
    assert len(load_frames(clips / "three.mp4", num_frames=256).frames) == 256


def test_sample_takes_the_frame_on_screen():
    starts = np.array([5.0, 5.1, 9.0])
    chosen, duration = sample(starts, starts, num_frames=4)  # no ends: the last stays for the usual 2 s
    assert chosen.tolist() == [1, 1, 1, 2]  # at 0.7, 2.2, 3.7 and 5.2 s of 6
    assert duration == pytest.approx(4.0 + np.median(np.diff(starts)))


def test_fitted_size():
    assert fitted_size(1920, 1080, 768) == (768, 432)
    assert fitted_size(100, 50, 768) == (100, 50)
    assert fitted_size(720, 576, 2048, pixel_aspect=16 / 15) == (768, 576)
    assert fitted_size(10000, 1, 768) == (768, 1)
