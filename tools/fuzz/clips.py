"""Clips: small films of every kind that people upload, in which each frame shows its own number."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

BITS = 8  # bars, each a bit of a frame's number
SIZE = (160, 120)  # pixels, width and height
_DARK, _LIGHT = (20, 40, 120), (230, 200, 60)
QUARTERS = {90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}  # clockwise turns, as MP4 matrices


@dataclass(frozen=True)
class Clip:
    """How one film is made.

    name:     of the file; FFmpeg knows the container by its end if `format` does not say.
    seconds:  when each frame appears.
    muxing:   options of the container.
    turned:   degrees clockwise that an MP4 says it must be turned.
    """

    name: str
    codec: str
    options: dict[str, str] = field(default_factory=dict)
    pixels: str = "yuv420p"
    format: str | None = None
    size: tuple[int, int] = SIZE
    rate: int = 10
    seconds: tuple[float, ...] = tuple(i / 10 for i in range(40))
    muxing: dict[str, str] = field(default_factory=dict)
    sound: bool = False
    cover: bool = False
    turned: int = 0


def numbered(number: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    """(H, W, 3) uint8 of size (W, H): bars for the bits of the number, the least on the left, with noise of its own."""
    bits = number >> np.arange(BITS) & 1  # (BITS,)
    bars = bits[np.arange(size[0]) * BITS // size[0]]  # (W,)
    row = np.where(bars[:, None], _LIGHT, _DARK).astype(np.uint8)  # (W, 3)
    noise = np.random.default_rng(number).integers(0, 13, (-(-size[1] // 8), -(-size[0] // 8), 1), dtype=np.uint8)
    return row + noise.repeat(8, 0).repeat(8, 1)[: size[1], : size[0]]


def number_of(picture: np.ndarray) -> int:
    """The number that a frame, (H, W, 3) upright, shows."""
    middles = (np.arange(BITS) + 0.5) * picture.shape[1] / BITS
    height, quarter = picture.shape[0], picture.shape[1] // (4 * BITS)
    bars = [picture[height // 8 : -height // 8, int(x) - quarter : int(x) + quarter] for x in middles]
    light = [int(bar[..., :2].mean()) > 120 for bar in bars]
    return sum(bit << place for place, bit in enumerate(light))


def write(clip: Clip, folder: Path) -> Path:
    """Make the film in a folder."""
    path = folder / clip.name
    with _same_priority(), av.open(str(path), "w", format=clip.format, options=clip.muxing) as file:
        stream = file.add_stream(clip.codec, rate=clip.rate, options={"threads": "1"} | clip.options)
        stream.width, stream.height, stream.pix_fmt = *clip.size, clip.pixels
        stream.codec_context.time_base = Fraction(1, _ticks(clip))
        sound = file.add_stream("aac" if path.suffix != ".webm" else "libopus", rate=48000) if clip.sound else None
        cover = _cover_stream(file) if clip.cover else None
        for packet in _packets(stream, clip):
            file.mux(packet)
        if sound:
            for packet in _silence(sound, clip.seconds[-1]):
                file.mux(packet)
        if cover:
            picture = av.VideoFrame.from_ndarray(numbered(255), format="rgb24").reformat(format="yuvj420p")
            file.mux([*cover.encode(picture), *cover.encode()])
    if clip.turned:
        turn(path, clip.turned)
    return path


def turn(path: Path, degrees: int) -> None:
    """Make an MP4 say that it is to be shown turned clockwise."""
    data = bytearray(path.read_bytes())
    matrix = data.index(b"tkhd") + 4 + 40
    a, b, c, d = (65536 * number for number in QUARTERS[degrees])
    data[matrix : matrix + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(data)


def _ticks(clip: Clip) -> int:
    """Units a second of the encoder's times; MPEG-1 and MPEG-2 know a few rates only."""
    return clip.rate if clip.codec.startswith(("mpeg1", "mpeg2")) else 1000


def _packets(stream: av.VideoStream, clip: Clip) -> Iterator[av.Packet]:
    for number, seconds in enumerate(clip.seconds):
        picture = numbered(number, clip.size)
        if clip.turned in (90, 270):
            picture = numbered(number, clip.size[::-1])
        if clip.turned:
            picture = np.ascontiguousarray(np.rot90(picture, clip.turned // 90))  # stored turned back
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=clip.pixels)
        frame.pts, frame.time_base = round(seconds * _ticks(clip)), Fraction(1, _ticks(clip))
        yield from stream.encode(frame)
    yield from stream.encode()


def _silence(stream: av.AudioStream, seconds: float) -> Iterator[av.Packet]:
    for start in range(0, int(48000 * max(seconds, 0.1)), 960):
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 960), np.float32), format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 48000, start, Fraction(1, 48000)
        yield from stream.encode(frame)
    yield from stream.encode()


def _cover_stream(file: av.container.OutputContainer) -> av.VideoStream:
    stream = file.add_stream("mjpeg", rate=1)
    stream.disposition = av.stream.Disposition.attached_pic
    stream.width, stream.height, stream.pix_fmt = *SIZE, "yuvj420p"
    return stream


@contextmanager
def _same_priority() -> Iterator[None]:
    """SVT-AV1 gives a process of root real-time priority and leaves it there; nothing else would get its core."""
    if not hasattr(os, "sched_getscheduler"):
        yield
        return
    before = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        os.sched_setscheduler(0, *before)
