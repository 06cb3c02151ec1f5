"""Heard: films and files of sound whose tones say at which second they are heard."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

PITCH = 400  # Hz of second 0; each second is one more of it higher


def tones(seconds: float, rate: int, channels: int = 1) -> np.ndarray:
    """(channels, n) float32: in second s a tone of (s + 1) * PITCH Hz, silent in its last tenth."""
    at = np.arange(round(seconds * rate)) / rate
    wave = 0.5 * np.sin(2 * np.pi * PITCH * (np.floor(at) + 1) * at) * (at % 1 < 0.9)
    return np.tile(wave.astype(np.float32), (channels, 1))


def second_of(samples: np.ndarray, rate: int = 16000) -> float:
    """Which second a piece of `tones` is of, by its strongest tone."""
    power = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.fft.rfftfreq(len(samples), 1 / rate)[power.argmax()] / PITCH - 1)


def write_sound(path: Path, codec: str, seconds: float = 3.0, rate: int = 48000, layout: str = "mono") -> Path:
    """A file of `tones` alone."""
    with av.open(str(path), "w") as file:
        add_sound(file, codec, tones(seconds, rate, 2 if layout == "stereo" else 1), rate, layout)
    return path


def write_film(
    path: Path,
    sound: str | None,
    seconds: float = 3.0,
    late: float = 0.0,
    heard: float | None = None,
    rate: int = 48000,
    layout: str = "mono",
    codec: str = "libx264",
    pictures: np.ndarray | None = None,
) -> Path:
    """A film of 10 frames a second whose sound tells the film's own seconds.

    sound: codec of it; None for none. late: when it begins, in seconds of the film; below 0 it begins before the
    pictures. heard: seconds of it, to the end of the film if left out. pictures: (F, H, W, 3) in the place of grey.
    """
    if pictures is None:
        pictures = np.full((round(10 * seconds), 48, 64, 3), 90, np.uint8)
    before = max(0.0, -late)
    with av.open(str(path), "w") as file:
        stream = file.add_stream(codec, rate=10, options={"threads": "1"})
        stream.height, stream.width, stream.pix_fmt = *pictures.shape[1:3], "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        packets = []
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = round((number / 10 + before) * 1000), Fraction(1, 1000)
            packets += stream.encode(frame)
        if sound:
            whole = tones(seconds + before, rate, 2 if layout == "stereo" else 1)
            first = round(max(0.0, late) * rate)
            last = len(whole[0]) if heard is None else first + round(heard * rate)
            add_sound(file, sound, whole[:, first:last], rate, layout, first)
        file.mux([*packets, *stream.encode()])
    return path


def add_sound(
    file: av.container.OutputContainer, codec: str, samples: np.ndarray, rate: int, layout: str, first: int = 0
) -> None:
    """A stream of samples (channels, n); first: the place of the first of them on the clock."""
    stream = file.add_stream(codec, rate=rate, layout=layout)
    kind = stream.codec_context.format.name if stream.codec_context.format else "fltp"
    resampler = av.AudioResampler(kind, layout, rate, frame_size=stream.codec_context.frame_size or 1024)
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout=layout)
    frame.sample_rate, frame.pts, frame.time_base = rate, first, Fraction(1, rate)
    for one in [*resampler.resample(frame), *resampler.resample(None)]:
        file.mux(stream.encode(one))
    file.mux(stream.encode(None))
