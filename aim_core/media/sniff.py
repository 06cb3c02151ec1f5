"""Sniff: which container a file is, from its first bytes and never from its name."""

from __future__ import annotations

from aim_core.media.errors import NO_PICTURE, NO_SOUND, MediaError

HEAD_BYTES = 1 << 16  # enough for every test below
PICTURES = ("png", "jpeg", "webp", "bmp", "tiff", "avif", "heif")  # Pillow's names of them
ANIMATED_WEBP = "webp animation"

# Those of videos are also the names of FFmpeg's demuxers, so a file is opened as this kind or not at all.
_STARTS = (
    (b"\x1a\x45\xdf\xa3", "matroska"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"\x00\x00\x01\xba", "mpeg"),
    (b"FLV\x01", "flv"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "asf"),
    (b"OggS", "ogg"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
)
_SOUND_STARTS = (
    (b"ID3", "mp3"),
    (b"\xff\xfb", "mp3"),
    (b"\xff\xfa", "mp3"),
    (b"\xff\xf3", "mp3"),
    (b"\xff\xf2", "mp3"),
    (b"\xff\xf1", "aac"),
    (b"\xff\xf9", "aac"),
    (b"fLaC", "flac"),
    (b"FORM", "aiff"),
    (b"#!AMR", "amr"),
)
_SILENT = ("gif", "apng", ANIMATED_WEBP)
_MOV_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
_PNG = b"\x89PNG\r\n\x1a\n"
_PHOTOS = (b"heic", b"heix", b"heim", b"heis", b"mif1")  # of one picture or a few; sequences of many are films
_PLAYLISTS = (b"#extm3u", b"ffconcat", b"[playlist]", b"<mpd", b"<smil", b"<asx")
_PAGES = (b"<!doctype", b"<html", b"<head", b"<?xml", b"<svg")


def sniff(head: bytes) -> str:
    """Name of the container that starts with `head` (at least HEAD_BYTES bytes, or the whole file).

    One of PICTURES, or a video container: "mov" (MP4 too), "matroska" (WebM too), "avi", "gif", "apng", ANIMATED_WEBP,
    "mpegts", "mpeg", "flv", "asf", "ogg". Raises MediaError for anything else, saying what it seems to be.
    """
    for start, name in _STARTS:
        if head.startswith(start):
            return name
    if head.startswith(_PNG):
        return _png(head)
    if head[:4] == b"RIFF":
        return _riff(head)
    if head[4:8] in _MOV_BOXES:
        return _mov(head)
    if head[:2] == b"BM" and head[6:10] == bytes(4):  # the reserved field keeps text that starts with "BM" out
        return "bmp"
    if _is_mpegts(head):
        return "mpegts"
    if head.startswith(tuple(start for start, _ in _SOUND_STARTS)):
        raise MediaError(NO_PICTURE)
    raise MediaError(_what_else(head))


def sniff_sound(head: bytes) -> str:
    """Name of the container, FFmpeg's too, of a file of sound, or of a film, which may have one. Raises MediaError for
    anything else."""
    for start, name in _SOUND_STARTS:
        if head.startswith(start):
            return name
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return "wav"
    container = sniff(head)
    if container in PICTURES or container in _SILENT:
        raise MediaError(NO_SOUND)
    return container


def _png(head: bytes) -> str:
    """An animation tells its number of frames before its first pixels."""
    place = head.find(b"acTL", 0, head.find(b"IDAT") % len(head))
    return "apng" if place > 0 and int.from_bytes(head[place + 4 : place + 8], "big") > 1 else "png"


def _riff(head: bytes) -> str:
    form = head[8:12]
    if form == b"AVI ":
        return "avi"
    if form == b"WEBP":
        return ANIMATED_WEBP if head[12:16] == b"VP8X" and head[20:21] and head[20] & 2 else "webp"
    raise MediaError(NO_PICTURE if form == b"WAVE" else _UNKNOWN)


def _mov(head: bytes) -> str:
    if head[4:8] != b"ftyp":
        return "mov"
    brand, others = head[8:12], head[16 : int.from_bytes(head[:4], "big")]
    if brand == b"avif" or (brand in _PHOTOS and b"avif" in others):
        return "avif"
    return "heif" if brand in _PHOTOS else "mov"


def _is_mpegts(head: bytes) -> bool:
    """Three sync bytes a packet apart: 188 bytes, or 192 with a time code before each (M2TS)."""
    return any(head[first::size][:3] == b"GGG" for first, size in ((0, 188), (4, 192)))


def _what_else(head: bytes) -> str:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith(_PLAYLISTS) or b"<mpd" in text:
        return "This file is a playlist: it only points to other files. Choose the video itself."
    if text.startswith(_PAGES):
        return "This file is a web page or a drawing, not a video: download the video itself and choose that."
    if text and b"\x00" not in text and _is_utf8(text):
        return "This file is text, not a video or a picture. Choose another file."
    return _UNKNOWN


def _is_utf8(text: bytes) -> bool:
    try:
        text[:-3].decode()  # the last character may be cut
    except UnicodeDecodeError as error:
        return error.start >= len(text) - 6
    return True


_UNKNOWN = (
    "This is no video or picture that can be read here. Use MP4, MOV, WebM, MKV, AVI or GIF, or a picture in PNG, "
    "JPEG, WebP, HEIC, AVIF or TIFF."
)
