"""Bombs: small files that cost much to decode, each of some hundred kilobytes at most."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
from PIL import Image

_GIF_FRAME = b"\x21\xf9\x04\0\x0a\0\0\0\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\0"


def gif(width: int, height: int, num_frames: int) -> bytes:
    """A GIF of one changed pixel a frame."""
    head = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(3) + b"\xff" * 3
    return head + _GIF_FRAME * num_frames + b"\x3b"


def apng(width: int, height: int, num_frames: int) -> bytes:
    """An APNG whose first frame is grey and whose others change one pixel each."""
    rows = zlib.compress(bytes((1 + width) * height), 9)
    parts = [b"\x89PNG\r\n\x1a\n", _png("IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))]
    parts.append(_png("acTL", struct.pack(">II", num_frames, 0)))
    parts += [_png("fcTL", struct.pack(">IIIIIHHBB", 0, width, height, 0, 0, 1, 10, 0, 0)), _png("IDAT", rows)]
    pixel = zlib.compress(bytes(2))
    for number in range(1, 2 * num_frames - 1, 2):
        parts.append(_png("fcTL", struct.pack(">IIIIIHHBB", number, 1, 1, 0, 0, 1, 10, 0, 0)))
        parts.append(_png("fdAT", struct.pack(">I", number + 1) + pixel))
    return b"".join([*parts, _png("IEND", b"")])


def animated_webp(width: int, height: int, num_frames: int) -> bytes:
    """A WebP of one changed pixel a frame."""
    file = io.BytesIO()
    Image.new("RGB", (2, 2)).save(file, "WEBP", lossless=True)
    pixels = file.getvalue()[12:]
    frame = bytes(6) + bytes([1, 0, 0, 1, 0, 0]) + b"\x64\0\0" + b"\0" + pixels
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = (
        b"WEBP" + _riff(b"VP8X", b"\x02\0\0\0" + size) + _riff(b"ANIM", bytes(6)) + _riff(b"ANMF", frame) * num_frames
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body


def layered_jpeg(width: int, height: int, num_scans: int) -> bytes:
    """A progressive JPEG that repeats its last layer."""
    file = io.BytesIO()
    Image.new("RGB", (width, height), (9, 9, 9)).save(file, "JPEG", progressive=True)
    data = file.getvalue()
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * num_scans + data[-2:]


def wide_png(side: int) -> bytes:
    """A square of black pixels, a bit each."""
    file = io.BytesIO()
    Image.new("1", (side, side)).save(file, "PNG")
    return file.getvalue()


def text_png(num_bytes: int) -> bytes:
    """A small picture with a note that swells when it is unpacked."""
    file = io.BytesIO()
    Image.new("L", (8, 8)).save(file, "PNG")
    note = _png("zTXt", b"note\0\0" + zlib.compress(bytes(num_bytes), 9))
    return file.getvalue()[:33] + note * 20 + file.getvalue()[33:]


def wide_tiff(side: int) -> bytes:
    """A square whose rows are packed to almost nothing."""
    file = io.BytesIO()
    Image.new("L", (side, side)).save(file, "TIFF", compression="tiff_adobe_deflate")
    return file.getvalue()


def still_film(folder: Path, size: tuple[int, int], num_frames: int) -> bytes:
    """H.264 in one group in which nothing moves: its second frame again and again."""
    with av.open(str(folder / "short.mp4"), "w") as file:
        options = {"preset": "ultrafast", "g": "999", "sc_threshold": "0"}
        stream = file.add_stream("libx264", rate=100, options=options)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        black = av.VideoFrame.from_ndarray(np.zeros((size[1] * 3 // 2, size[0]), np.uint8), format="yuv420p")
        for number in range(3):
            black.pts = number
            file.mux(stream.encode(black))
        file.mux(stream.encode())
    with av.open(str(folder / "short.mp4")) as old, av.open(str(folder / "long.mp4"), "w") as new:
        stream = new.add_stream_from_template(old.streams.video[0])
        packets = [packet for packet in old.demux(video=0) if packet.size]
        for number in range(num_frames):
            source = packets[min(number, 2)]
            packet = av.Packet(bytes(source))
            packet.stream, packet.time_base, packet.is_keyframe = stream, source.time_base, number == 0
            packet.pts = packet.dts = number * (packets[1].dts - packets[0].dts)
            new.mux(packet)
    return (folder / "long.mp4").read_bytes()


def many_packets(folder: Path, count: int) -> bytes:
    """A film of `count` frames of 16 x 16 pixels."""
    path = folder / "many.avi"
    with av.open(str(path), "w") as file:
        stream = file.add_stream("rawvideo", rate=1000)
        stream.width, stream.height, stream.pix_fmt = 2, 2, "gray"
        for number in range(count):
            packet = av.Packet(bytes(4))
            packet.stream, packet.pts, packet.dts, packet.is_keyframe = stream, number, number, True
            file.mux(packet)
    return path.read_bytes()


def noise_film(folder: Path, size: tuple[int, int], num_frames: int) -> bytes:
    """H.264 of pure noise at its best quality: the most bits a pixel."""
    path, chance = folder / "noise.mp4", np.random.default_rng(0)
    with av.open(str(path), "w") as file:
        stream = file.add_stream(
            "libx264", rate=30, options={"qp": "4", "preset": "ultrafast", "coder": "1", "g": "999"}
        )
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for _ in range(num_frames):
            noise = chance.integers(0, 256, (size[1] * 3 // 2, size[0]), dtype=np.uint8)
            file.mux(stream.encode(av.VideoFrame.from_ndarray(noise, format="yuv420p")))
        file.mux(stream.encode())
    return path.read_bytes()


def _png(kind: str, content: bytes) -> bytes:
    named = kind.encode() + content
    return struct.pack(">I", len(content)) + named + struct.pack(">I", zlib.crc32(named))


def _riff(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)


BOMBS: dict[str, Callable[[Path], bytes]] = {
    "GIF, 6000 x 6000, 5,000 frames": lambda _: gif(6000, 6000, 5000),
    "GIF, 6000 x 6000, 80 frames": lambda _: gif(6000, 6000, 80),
    "GIF, 500 x 500, 14,000 frames": lambda _: gif(500, 500, 14_000),
    "APNG, 6000 x 6000, 5,000 frames": lambda _: apng(6000, 6000, 5000),
    "APNG, 6000 x 6000, 50 frames": lambda _: apng(6000, 6000, 50),
    "WebP, 6000 x 6000, 5,000 frames": lambda _: animated_webp(6000, 6000, 5000),
    "WebP, 6000 x 6000, 11 frames": lambda _: animated_webp(6000, 6000, 11),
    "WebP, 16383 x 16383, 2 frames": lambda _: animated_webp(16383, 16383, 2),
    "JPEG, 2 megapixels, 600 layers": lambda _: layered_jpeg(2000, 1000, 600),
    "JPEG, 2 megapixels, 450 layers": lambda _: layered_jpeg(2000, 1000, 450),
    "JPEG, 49 megapixels": lambda _: layered_jpeg(7000, 7000, 1),
    "PNG, 169 megapixels": lambda _: wide_png(13_000),
    "PNG, 49 megapixels": lambda _: wide_png(7000),
    "PNG, notes of 60 MB": lambda _: text_png(60 << 20),
    "TIFF, 400 megapixels": lambda _: wide_tiff(20_000),
    "TIFF, 49 megapixels": lambda _: wide_tiff(7000),
    "H.264, 7680 x 4320, 5,000 frames in one group": lambda folder: still_film(folder, (7680, 4320), 5000),
    "H.264, 7680 x 4320, 180 frames in one group": lambda folder: still_film(folder, (7680, 4320), 180),
    "H.264, 64 x 64, 300,000 frames in one group": lambda folder: still_film(folder, (64, 64), 300_000),
    "H.264, noise, 1280 x 720, 60 frames": lambda folder: noise_film(folder, (1280, 720), 60),
    "AVI, 600,000 frames": lambda folder: many_packets(folder, 600_000),
    "AVI, 490,000 frames": lambda folder: many_packets(folder, 490_000),
}
