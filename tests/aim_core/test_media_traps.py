"""Files that name another file: no reader opens it."""

import ctypes
import os

import av
import decord
import numpy as np
import pytest

from aim_core.media.container import CODECS, open_file, video_stream
from aim_core.media.errors import SECOND_FILE, UNREADABLE_VIDEO, MediaError
from aim_core.media.limits import Limits
from aim_core.media.worker import read
from tools.fuzz.clips import number_of, write
from tools.fuzz.corpus import named
from tools.fuzz.traps import film_behind_session, playlists, subtitles_with_playlist, with_data_elsewhere

_IN_OPEN = 0x20


@pytest.fixture
def secret(tmp_path):
    """Another film in the same folder, and a call that says how often it was opened since."""
    path = tmp_path / "secret.mp4"
    path.write_bytes(write(named("mpeg4.mp4"), tmp_path).read_bytes())
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "inotify_init1"):
        pytest.skip("this system does not tell which files are opened")
    watch = libc.inotify_init1(os.O_NONBLOCK)
    assert libc.inotify_add_watch(watch, str(path).encode(), _IN_OPEN) > 0

    def opened():
        try:
            return len(os.read(watch, 1 << 16)) // 16  # bytes of an event without a name
        except BlockingIOError:
            return 0

    yield path, opened
    os.close(watch)


def test_playlists_open_nothing(tmp_path, secret):
    path, opened = secret
    for name, data in playlists(path).items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(MediaError):
            read(tmp_path / name, 4, 768, Limits())
    assert not opened() and path.read_bytes() and opened() == 1  # and it would be told


def test_pictures_in_another_file_are_not_fetched(tmp_path, secret):
    path, opened = secret
    plain = write(named("h264 closed.mp4"), tmp_path).read_bytes()
    (tmp_path / "trap.mov").write_bytes(with_data_elsewhere(plain, path))
    with av.open(str(tmp_path / "trap.mov"), options={"enable_drefs": "1", "use_absolute_path": "1"}) as file:
        next(file.demux(video=0), None)
    assert opened()  # it is a trap
    with pytest.raises(MediaError):
        read(tmp_path / "trap.mov", 4, 768, Limits())
    assert not opened()


def test_whatever_else_a_file_asks_for_is_refused(tmp_path):
    """As a demuxer would that follows such names by itself."""
    (tmp_path / "list.m3u8").write_bytes(b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nother.ts\n#EXT-X-ENDLIST\n")
    with pytest.raises(MediaError) as refused, open_file(tmp_path / "list.m3u8", "hls"):
        pass
    assert str(refused.value) == SECOND_FILE


def test_decord_gets_nothing_that_could_be_taken_for_something_else(tmp_path, monkeypatch):
    """It finds out the container by itself, where PyAV is told."""
    plain, asked = write(named("h264 closed.mp4"), tmp_path), []
    real = decord.VideoReader

    def asking(path, **more):
        asked.append(path)
        return real(path, **more)

    monkeypatch.setattr(decord, "VideoReader", asking)
    (tmp_path / "call.mp4").write_bytes(film_behind_session(plain.read_bytes()))
    with (
        pytest.raises(av.error.FFmpegError),
        av.open(str(tmp_path / "call.mp4"), options={"protocol_whitelist": "file"}),
    ):
        pass  # a film to us, a call to FFmpeg
    for path in (plain, tmp_path / "call.mp4"):
        got = read(path, 4, 768, Limits())
        assert [number_of(frame) for frame in got.frames] == [5, 15, 25, 35]
    assert asked == [str(plain)]


def test_a_decoder_that_is_not_on_the_list_is_not_used(tmp_path):
    with av.open(str(tmp_path / "rare.mkv"), "w") as file:
        stream = file.add_stream("snow", rate=10, options={"strict": "-2"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        picture = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")
        file.mux([*stream.encode(picture.reformat(format="yuv420p")), *stream.encode()])
    assert "snow" not in CODECS
    with pytest.raises(MediaError) as refused, open_file(tmp_path / "rare.mkv", "matroska") as file:
        video_stream(file)
    assert str(refused.value) == UNREADABLE_VIDEO


def test_subtitles_are_not_opened_as_a_playlist(tmp_path, secret):
    path, opened = secret
    (tmp_path / "trap.avi").write_bytes(subtitles_with_playlist(path))
    with open_file(tmp_path / "trap.avi", "avi") as file:
        assert [stream.type for stream in file.streams] == ["video", "subtitle"]
        for _ in file.demux():
            pass
    assert not opened()
