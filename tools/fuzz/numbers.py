"""Numbers: where the headers of a file keep sizes, times and counts, so that each can be set to an extreme."""

from __future__ import annotations

import math
import re
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_WITHIN = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"mvex", b"moof", b"traf", b"meta", b"iprp", b"ipco")
_BOXES = {  # from the start of a box's content: names, places and bytes of its numbers
    b"mvhd": (("timescale", 12, 4), ("duration", 16, 4), ("rate", 20, 4)),
    b"tkhd": (("duration", 20, 4), ("matrix", 40, 4), ("width", 76, 4), ("height", 80, 4)),
    b"mdhd": (("timescale", 12, 4), ("duration", 16, 4)),
    b"elst": (("count", 4, 4), ("duration", 8, 4), ("start", 12, 4), ("rate", 16, 4)),
    b"stsd": (("count", 4, 4), ("size", 8, 4), ("width", 40, 2), ("height", 42, 2), ("frames", 56, 2)),
    b"stts": (("count", 4, 4), ("frames", 8, 4), ("frame duration", 12, 4)),
    b"ctts": (("count", 4, 4), ("frames", 8, 4), ("offset", 12, 4)),
    b"stss": (("count", 4, 4), ("key", 8, 4)),
    b"stsc": (("count", 4, 4), ("first", 8, 4), ("frames", 12, 4)),
    b"stsz": (("frame size", 4, 4), ("count", 8, 4), ("first size", 12, 4)),
    b"stco": (("count", 4, 4), ("place", 8, 4)),
    b"trex": (("frame duration", 12, 4), ("frame size", 16, 4)),
    b"tfhd": (("first", 8, 4),),
    b"tfdt": (("time", 4, 4), ("low time", 8, 4)),
    b"trun": (("count", 4, 4), ("place", 8, 4), ("first", 12, 4)),
    b"ispe": (("width", 4, 4), ("height", 8, 4)),
    b"iloc": (("count", 6, 2), ("place", 14, 4), ("size", 18, 4)),
}
_AVI = {
    b"avih": (("frame duration", 0, 4), ("frames", 16, 4), ("width", 32, 4), ("height", 36, 4)),
    b"strh": (("scale", 20, 4), ("rate", 24, 4), ("start", 28, 4), ("frames", 32, 4), ("frame size", 44, 4)),
    b"strf": (("size", 0, 4), ("width", 4, 4), ("height", 8, 4), ("bits", 14, 2), ("bytes", 20, 4)),
    b"idx1": (("place", 8, 4), ("frame size", 12, 4)),
}
_WEBP = {
    b"VP8X": (("width", 4, 3), ("height", 7, 3)),
    b"ANMF": (("left", 0, 3), ("top", 3, 3), ("width", 6, 3), ("height", 9, 3), ("frame duration", 12, 3)),
    b"VP8 ": (("width", 6, 2), ("height", 8, 2)),
    b"VP8L": (("sizes", 1, 4),),
}
_PNG = {
    b"IHDR": (("width", 0, 4), ("height", 4, 4), ("bits", 8, 1)),
    b"acTL": (("frames", 0, 4), ("plays", 4, 4)),
    b"fcTL": (
        *(("number", 0, 4), ("width", 4, 4), ("height", 8, 4), ("left", 12, 4), ("top", 16, 4)),
        *(("delay", 20, 2), ("delay's unit", 22, 2)),
    ),
    b"pHYs": (("across", 0, 4), ("down", 4, 4)),
}
_JPEG = (("bits", 0, 1), ("height", 1, 2), ("width", 3, 2), ("parts", 5, 1))
_BMP = (("pixels' place", 10, 4), ("head", 14, 4), ("width", 18, 4), ("height", 22, 4), ("bits", 28, 2))
_BMP_MORE = (("packing", 30, 4), ("bytes", 34, 4), ("colours", 46, 4))
_MATROSKA = {  # names of EBML elements, most of them with a size of one byte
    b"\x2a\xd7\xb1": "timescale",
    b"\x44\x89": "duration",
    b"\x23\xe3\x83": "frame duration",
    b"\xb0": "width",
    b"\xba": "height",
    b"\x54\xb0": "shown width",
    b"\x54\xba": "shown height",
    b"\xe7": "time of a cluster",
    b"\xf7": "track of a key",
    b"\xf1": "place of a key",
}
_ASF_FILE = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_ASF_STREAM = bytes.fromhex("9107dcb7b7a9cf118ee600c00c205365")
_ASF = (("bytes", 40, 8), ("packets", 56, 8), ("duration", 64, 8), ("preroll", 80, 8), ("packet size", 92, 4))
_ASF_SIZES = (("width", 78, 4), ("height", 82, 4), ("bits", 104, 2))
_FLV = (b"duration", b"width", b"height", b"framerate", b"filesize", b"videodatarate")
_MOST_OF_A_NAME = 3
_FLOATS = (0.0, -1.0, 5e-324, 1e308, math.inf, -math.inf, math.nan)


@dataclass(frozen=True)
class Number:
    """A number in a file.

    name: what it says. place: of its first byte. size: in bytes; order: "big" or "little". is_float: of 8 bytes.
    """

    name: str
    place: int
    size: int
    order: str
    is_float: bool = False

    def extremes(self) -> list[bytes]:
        """Nothing, one, the most with and without a sign, what is negative with one, and all of it."""
        if self.is_float:
            return [struct.pack(f"{'<' if self.order == 'little' else '>'}d", value) for value in _FLOATS]
        top = 1 << (8 * self.size - 1)
        return [value.to_bytes(self.size, self.order) for value in (0, 1, top - 1, top, 2 * top - 1)]


def numbers(data: bytes) -> list[Number]:
    """Those of the headers of a film or a picture, the first few of each name; none of an unknown kind."""
    named: dict[str, list[Number]] = {}
    for start, find in _KINDS:
        if re.match(start, data, re.DOTALL):
            for own in find(data):
                named.setdefault(own.name, []).append(own)
    return [own for found in named.values() for own in found[:_MOST_OF_A_NAME] if own.place + own.size <= len(data)]


def changed(data: bytes, number: Number, value: bytes) -> bytes:
    """The file with another value; a PNG with the check sums of it."""
    own = bytearray(data)
    own[number.place : number.place + number.size] = value
    if data.startswith(b"\x89PNG"):
        for kind, place, size in _png_chunks(data):
            own[place + size : place + size + 4] = struct.pack(">I", zlib.crc32(kind + own[place : place + size]))
    return bytes(own)


def extremes(files: dict[str, bytes]) -> Iterator[tuple[str, str, bytes]]:
    """For every file, number and extreme: the file's name, the number's, and the bytes that came of it."""
    for name, data in sorted(files.items()):
        for number in numbers(data):
            for value in number.extremes():
                if data[number.place : number.place + number.size] != value:
                    yield name, number.name, changed(data, number, value)


def _listed(kind: str, content: int, table: tuple, order: str = "little") -> Iterator[Number]:
    for name, place, size in table:
        yield Number(f"{kind} {name}", content + place, size, order)


def _boxes(data: bytes, start: int = 0, end: int | None = None) -> Iterator[Number]:
    place, end = start, len(data) if end is None else end
    while place + 8 <= end:
        size, kind = int.from_bytes(data[place : place + 4], "big"), data[place + 4 : place + 8]
        name = kind.decode("latin-1")
        yield Number(f"{name} size", place, 4, "big")
        yield from _listed(name, place + 8, _BOXES.get(kind, ()), "big")
        if kind in _WITHIN:
            inside = place + 8 + 4 * (kind == b"meta")
            yield from _boxes(data, inside, min(end, place + size))
        if size < 8:
            return
        place += size


def _riff(table: dict[bytes, tuple]) -> Callable[[bytes], Iterator[Number]]:
    def find(data: bytes) -> Iterator[Number]:
        yield Number("file size", 4, 4, "little")
        for kind, numbers_in in table.items():
            for found in re.finditer(re.escape(kind), data):
                yield Number(f"{kind.decode().strip()} size", found.end(), 4, "little")
                yield from _listed(kind.decode().strip(), found.end() + 4, numbers_in)

    return find


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Kind, place of the content, and its bytes."""
    place = 8
    while place + 8 <= len(data):
        size = int.from_bytes(data[place : place + 4], "big")
        yield data[place + 4 : place + 8], place + 8, size
        place += size + 12


def _png(data: bytes) -> Iterator[Number]:
    for kind, place, _ in _png_chunks(data):
        yield Number(f"{kind.decode()} size", place - 8, 4, "big")
        yield from _listed(kind.decode(), place, _PNG.get(kind, ()), "big")


def _gif(data: bytes) -> Iterator[Number]:
    yield from _listed("GIF", 6, (("width", 0, 2), ("height", 2, 2), ("colours", 4, 1)))
    for found in list(re.finditer(b"\x21\xf9\x04.(..).\x00\x2c", data, re.DOTALL))[:3]:
        yield Number("frame duration", found.start(1), 2, "little")
        yield from _listed("frame", found.end(), (("left", 0, 2), ("top", 2, 2), ("width", 4, 2), ("height", 6, 2)))


def _tiff(data: bytes) -> Iterator[Number]:
    order = "little" if data[:2] == b"II" else "big"
    start = int.from_bytes(data[4:8], order)
    yield from (Number("pages' place", 4, 4, order), Number("tags", start, 2, order))
    for place in range(start + 2, start + 2 + 12 * int.from_bytes(data[start : start + 2], order), 12):
        tag = int.from_bytes(data[place : place + 2], order)
        size = 2 if int.from_bytes(data[place + 2 : place + 4], order) == 3 else 4
        yield Number(f"tag {tag} count", place + 4, 4, order)
        yield Number(f"tag {tag}", place + 8, size, order)


def _bmp(data: bytes) -> Iterator[Number]:
    yield from _listed("BMP", 0, (*_BMP, *_BMP_MORE))


def _matroska(data: bytes) -> Iterator[Number]:
    for name, told in _MATROSKA.items():
        for found in list(re.finditer(re.escape(name) + b"[\x81-\x88]", data[:8192]))[:4]:
            size = found.group()[-1] & 15
            yield Number(told, found.end(), size, "big", told == "duration" and size == 8)
            yield Number(f"{told} size", found.end() - 1, 1, "big")


def _asf(data: bytes) -> Iterator[Number]:
    for start, table in ((_ASF_FILE, _ASF), (_ASF_STREAM, _ASF_SIZES)):
        for found in re.finditer(re.escape(start), data):
            yield from _listed("ASF", found.start(), table)


def _flv(data: bytes) -> Iterator[Number]:
    for name in _FLV:
        for found in re.finditer(name + b"\0", data[:1024]):
            yield Number(name.decode(), found.end(), 8, "big", is_float=True)
    yield from _listed("first tag", 13, (("size", 1, 3), ("time", 4, 3), ("high time", 7, 1)), "big")


def _mpeg(data: bytes) -> Iterator[Number]:
    for found in list(re.finditer(b"\0\0\x01\xb3", data[:65536]))[:1]:
        yield Number("sizes", found.end(), 3, "big")
        yield Number("aspect and rate", found.end() + 3, 1, "big")
    for found in list(re.finditer(b"\0\0\x01\xe0..\x80[\x80\xc0].(.....)", data, re.DOTALL))[:3]:
        yield Number("time", found.start(1), 5, "big")


def _jpeg(data: bytes) -> Iterator[Number]:
    for found in re.finditer(b"\xff[\xc0-\xc2]..", data):
        yield from _listed(
            "JPEG", found.end(), (("bits", 0, 1), ("height", 1, 2), ("width", 3, 2), ("parts", 5, 1)), "big"
        )
    yield from _listed("JFIF", 14, (("across", 0, 2), ("down", 2, 2)), "big")


_KINDS: tuple[tuple[bytes, Callable[[bytes], Iterator[Number]]], ...] = (
    (b"....ftyp|....moov|....mdat|....wide|....free", _boxes),
    (b"RIFF....AVI ", _riff(_AVI)),
    (b"RIFF....WEBP", _riff(_WEBP)),
    (b"\x89PNG", _png),
    (b"GIF8", _gif),
    (b"II\\*\0|MM\0\\*", _tiff),
    (b"BM", _bmp),
    (b"\x1a\x45\xdf\xa3", _matroska),
    (b"\x30\x26\xb2\x75", _asf),
    (b"FLV", _flv),
    (b"\0\0\x01\xba|G", _mpeg),
    (b"\xff\xd8", _jpeg),
)
