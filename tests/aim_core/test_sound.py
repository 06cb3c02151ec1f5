"""Sound of films and files: in step with the pictures, whatever the container; hostile ones are a sentence."""

from __future__ import annotations

import io
import json
import shutil
import struct
import subprocess
from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image

from aim_core.media.check import check_sound
from aim_core.media.decode import load_frames, load_sound
from aim_core.media.errors import NO_SOUND, MediaError
from aim_core.media.frames import SOUND_RATE, read_reply
from aim_core.media.limits import Limits
from aim_core.media.worker import hear, read
from tests.helpers.heard import second_of, tones, write_film, write_sound

FILES = {"a.wav": "pcm_s16le", "a.mp3": "libmp3lame", "a.m4a": "aac", "a.flac": "flac", "a.ogg": "libopus"}
FILMS = {"a.mp4": ("aac", "libx264"), "a.webm": ("libopus", "libvpx"), "a.ts": ("aac", "libx264")}
FILMS |= {"a.mov": ("pcm_s16le", "libx264"), "a.flv": ("aac", "flv"), "a.mkv": ("flac", "libx264")}


def check_tones(samples: np.ndarray, seconds, offset: float = 0.0) -> None:
    """The tone of each second is heard at its time, and silence in its last tenth, to a hundredth of a second."""
    for second in seconds:
        at = [round((second + offset + part) * SOUND_RATE) for part in (0.02, 0.88, 0.92, 0.99)]
        assert second_of(samples[at[0] : at[1]]) == pytest.approx(second, abs=0.02)
        loud, silent = np.abs(samples[at[0] : at[1]]).mean(), np.abs(samples[at[2] : at[3]]).mean()
        assert silent < 0.05 * loud


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_sound_is_mono_at_the_rate_of_the_models(tmp_path, name):
    layout, rate = ("stereo", 44100) if name in ("a.mp3", "a.wav") else ("mono", 48000)
    samples = hear(write_sound(tmp_path / name, FILES[name], rate=rate, layout=layout), 60.0, Limits())
    assert samples.dtype == np.float32 and len(samples) == pytest.approx(3 * SOUND_RATE, rel=0.02)
    check_tones(samples, range(3))
    assert len(hear(tmp_path / name, 1.5, Limits())) == 1.5 * SOUND_RATE


@pytest.mark.parametrize(
    ("name", "late"), [*((name, 0.7) for name in FILMS), ("a.mp4", 0.0), ("a.mp4", -0.5), ("a.mkv", -0.5)]
)
def test_a_films_sound_is_in_step_with_its_pictures(tmp_path, name, late):
    sound, codec = FILMS[name]
    write_film(tmp_path / name, sound, late=late, codec=codec, rate=44100 if name == "a.flv" else 48000)
    frames = read(tmp_path / name, 4, 64, Limits(), 60.0)
    assert frames.sound == "heard" and len(frames.audio) == pytest.approx(3 * SOUND_RATE, rel=0.02)
    if late > 0:
        assert np.abs(frames.audio[: round(0.65 * SOUND_RATE)]).max() < 0.01
    check_tones(frames.audio, range(late != 0, 3), min(0.0, late))


@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="needs the program ffmpeg")
@pytest.mark.parametrize("name", ["a.mp4", "a.mov"])
def test_samples_are_those_of_the_program_ffmpeg(tmp_path, name):
    path = write_film(tmp_path / name, FILMS[name][0], layout="stereo")
    command = ["ffmpeg", "-v", "error", "-i", path, "-vn", "-ac", "1", "-ar", str(SOUND_RATE), "-f", "f32le", "-"]
    theirs = np.frombuffer(subprocess.run(command, capture_output=True, timeout=60, check=True).stdout, np.float32)
    ours = read(path, 2, 64, Limits(), 60.0).audio
    np.testing.assert_allclose(ours, theirs[: len(ours)], atol=1e-5)


def test_a_hole_in_the_sound_is_silent_and_moves_nothing(tmp_path):
    whole = tones(4, 48000)
    with av.open(str(tmp_path / "hole.mkv"), "w") as file:
        stream = file.add_stream("pcm_s16le", rate=48000, layout="mono")
        for first, last in ((0, 48000), (2 * 48000, 4 * 48000)):
            add_to(stream, file, whole[:, first:last], first)
    samples = hear(tmp_path / "hole.mkv", 60.0, Limits())
    assert not samples[SOUND_RATE + 200 : 2 * SOUND_RATE - 200].any()
    check_tones(samples, (0, 2, 3))


def add_to(stream, file, samples, first):
    frame = av.AudioFrame.from_ndarray((samples * 32767).astype(np.int16), format="s16", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = 48000, first, Fraction(1, 48000)
    file.mux(stream.encode(frame))


def test_only_as_much_is_read_as_was_asked_and_as_there_is_film(tmp_path):
    path = write_film(tmp_path / "a.mp4", "aac", seconds=3)
    cut = read(path, 2, 64, Limits(), 1.0)
    assert cut.sound == "cut" and len(cut.audio) == SOUND_RATE
    longer = write_film(tmp_path / "b.mp4", "aac", seconds=2, pictures=np.zeros((10, 48, 64, 3), np.uint8))
    frames = read(longer, 2, 64, Limits(), 60.0)
    assert frames.sound == "heard" and len(frames.audio) == pytest.approx(frames.duration * SOUND_RATE, abs=2)
    assert read(path, 2, 64, Limits()).audio is None


def test_a_film_without_a_sound_that_can_be_read_is_shown_without(tmp_path):
    silent = write_film(tmp_path / "silent.mp4", None)
    rare = write_film(tmp_path / "rare.mkv", "wavpack")  # not on the list of decoders
    told = [(path, limits) for path in (silent, rare) for limits in (Limits(),)]
    slow = write_film(tmp_path / "slow.mp4", "aac")
    told += [(slow, Limits(sound_cpu_seconds=1e-9)), (slow, Limits(wall_seconds=1e-9))]  # the latter ends the process
    found = [read(path, 2, 64, limits, 60.0) for path, limits in told]
    assert [frames.sound for frames in found] == ["none", "unreadable", "slow", "slow"]
    assert all(frames.audio is None and len(frames.frames) == 2 for frames in found)


def wav(rate=16000, channels=1, bits=16, data=b"\0" * 32000) -> bytes:
    each = channels * bits // 8
    head = struct.pack("<IHHIIHH", 16, 1, channels, rate, rate * each & 0xFFFFFFFF, each & 0xFFFF, bits)
    body = b"WAVEfmt " + head + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


@pytest.mark.parametrize(
    "data",
    [
        wav(rate=1),
        wav(rate=4_000_000_000),
        wav(channels=0),
        wav(channels=60000),
        wav(data=b""),
        wav()[:40],
        b"RIFF\0\0\0\0WAVE" + bytes(range(256)) * 40,
        b"ID3" + b"\xff" * 5000,
        b"fLaC" + b"\0" * 5000,
        b"OggS" + b"\0" * 5000,
    ],
    ids=range(10),
)
def test_a_hostile_sound_is_a_sentence(tmp_path, data):
    (tmp_path / "x").write_bytes(data)
    with pytest.raises(MediaError, match="sound"):
        hear(tmp_path / "x", 10.0, Limits())


def test_a_child_process_reads_it_all(tmp_path):
    path = write_film(tmp_path / "a.mp4", "aac")
    frames = load_frames(path, 2, sound_seconds=10)
    check_tones(frames.audio, range(3))
    np.testing.assert_array_equal(load_sound(path, 10)[: len(frames.audio)], frames.audio)


def test_what_is_no_sound_is_refused_before_it_is_decoded(tmp_path):
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    (tmp_path / "a.txt").write_text("words")
    with pytest.raises(MediaError) as picture:
        check_sound(tmp_path / "a.png")
    assert str(picture.value) == NO_SOUND
    with pytest.raises(MediaError, match="is text"):
        check_sound(tmp_path / "a.txt")
    with pytest.raises(MediaError, match="MB is the most"):
        check_sound(write_sound(tmp_path / "a.wav", "pcm_s16le"), Limits(video_bytes=1000))
    with pytest.raises(MediaError) as silent:
        hear(write_film(tmp_path / "a.mp4", None), 10.0, Limits())
    assert str(silent.value) == NO_SOUND
    for seconds in (0, -1, 4000, float("nan"), True, "3"):
        with pytest.raises(ValueError, match="seconds of sound"):
            load_sound(tmp_path / "a.wav", seconds)


def test_no_more_samples_are_taken_from_a_decoder_than_were_asked():
    def told(samples: np.ndarray, count: int, seconds: float):
        head = json.dumps({"missing": [], "samples": count}).encode()
        return read_reply(io.BytesIO(head + b"\n" + samples.astype(np.float32).tobytes()), "sound", 0, 0, seconds)

    assert len(told(np.zeros(16000), 16000, 1.0).result) == 16000
    for samples, count in ((np.zeros(16001), 16001), (np.zeros(10), 16000), (np.full(5, np.nan), 5), (np.zeros(5), -1)):
        with pytest.raises(ValueError, match="samples"):
            told(samples, count, 1.0)
