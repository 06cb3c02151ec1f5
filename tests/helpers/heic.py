"""A HEIC photo made of tiles, as phones write them: ISO/IEC 23008-12, sections 6.6.2.3 (grid) and 9.2."""

import io
import struct

import numpy as np
import pillow_heif
from PIL import Image


def tiled_heic(picture: np.ndarray, side: int) -> bytes:
    """The file of an (H, W, 3) uint8 picture whose sides are multiples of `side`, each tile coded by itself."""
    rows, columns = picture.shape[0] // side, picture.shape[1] // side
    tiles = [
        _coded(picture[side * row : side * (row + 1), side * column : side * (column + 1)])
        for row in range(rows)
        for column in range(columns)
    ]
    count = len(tiles)
    grid = struct.pack(">BBBBHH", 0, 0, rows - 1, columns - 1, picture.shape[1], picture.shape[0])
    items = [data for data, _ in tiles] + [grid]  # numbered from 1
    handler = _full("hdlr", 0, 0, struct.pack(">I4s12xB", 0, b"pict", 0))
    primary = _full("pitm", 0, 0, struct.pack(">H", count + 1))
    kinds = [_full("infe", 2, 0, struct.pack(">HH4sB", n, 0, b"hvc1", 0)) for n in range(1, count + 1)]
    kinds.append(_full("infe", 2, 0, struct.pack(">HH4sB", count + 1, 0, b"grid", 0)))
    listed = _full("iinf", 0, 0, struct.pack(">H", count + 1) + b"".join(kinds))
    derived = struct.pack(f">HH{count}H", count + 1, count, *range(1, count + 1))
    references = _full("iref", 0, 0, _box("dimg", derived))
    sizes = _size(side, side) + _size(picture.shape[1], picture.shape[0])
    properties = _box("ipco", tiles[0][1] + sizes)
    used = [struct.pack(">HBBB", n, 2, 0x81, 2) for n in range(1, count + 1)] + [struct.pack(">HBB", count + 1, 1, 3)]
    properties += _full("ipma", 0, 0, struct.pack(">I", count + 1) + b"".join(used))
    head = _box("ftyp", b"heic\0\0\0\0mif1heic")
    rest = handler + primary + listed + references + _box("iprp", properties)
    places = _places(items, 0)
    start = len(head) + len(_full("meta", 0, 0, rest + places)) + 8
    return head + _full("meta", 0, 0, rest + _places(items, start)) + _box("mdat", b"".join(items))


def _places(items: list[bytes], start: int) -> bytes:
    rows = b""
    for number, data in enumerate(items, 1):
        rows += struct.pack(">HHHII", number, 0, 1, start, len(data))
        start += len(data)
    return _full("iloc", 0, 0, struct.pack(">BBH", 0x44, 0, len(items)) + rows)


def _coded(tile: np.ndarray) -> tuple[bytes, bytes]:
    """HEVC's bytes of a tile, and the box that sets up its decoder."""
    file = io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(tile)).save(file, quality=95)
    data = file.getvalue()
    place = data.index(b"hvcC") - 4
    setup = data[place : place + struct.unpack(">I", data[place : place + 4])[0]]
    place = data.index(b"mdat") - 4
    return data[place + 8 : place + struct.unpack(">I", data[place : place + 4])[0]], setup


def _box(kind: str, content: bytes) -> bytes:
    return struct.pack(">I", len(content) + 8) + kind.encode() + content


def _full(kind: str, version: int, flags: int, content: bytes) -> bytes:
    return _box(kind, struct.pack(">I", version << 24 | flags) + content)


def _size(width: int, height: int) -> bytes:
    return _full("ispe", 0, 0, struct.pack(">II", width, height))
