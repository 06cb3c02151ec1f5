"""Container: open a video file with PyAV as one known kind, and walk through its packets.

One list for everything that is opened: a file is read as the kind that sniff.py saw, by a decoder of the list below,
and nothing in it may name another file.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import av

from aim_core.media.errors import DAMAGED_VIDEO, SECOND_FILE, UNREADABLE_VIDEO, MediaError

# What FFmpeg says of bytes that make no sense.
DAMAGE = (av.error.InvalidDataError, av.error.EOFError, av.error.PatchWelcomeError)

_BUFFER_BYTES = 1 << 18

# Decoders by their names in FFmpeg: those that may begin at any key frame, and others.
_CLEAN = (
    "av1,cfhd,dnxhd,dvvideo,ffv1,ffvhuff,flv,h263,h264,hevc,huffyuv,libdav1d,magicyuv,mjpeg,mpeg1video,mpeg2video,mpeg4,"
    "msmpeg4,msmpeg4v2,prores,rawvideo,theora,utvideo,v210,vc1,vp3,vp8,vp9,vvc,wmv1,wmv2,wmv3"
)
_OTHERS = "apng,cinepak,gif,h261,msmpeg4v1,msrle,msvideo1,png,qtrle,rpza,svq1,svq3,vp6,vp6f"
JUMPABLE = frozenset(_CLEAN.split(","))
CODECS = JUMPABLE | frozenset(_OTHERS.split(","))


@contextmanager
def open_file(
    path: Path, container: str, is_told: bool = True, codecs: frozenset[str] = CODECS
) -> Iterator[av.container.InputContainer]:
    """Open a plain file as this container or not at all. FFmpeg gets its bytes and no name; whatever it asks for beside
    them (an address, a playlist's parts, the data of another film) is refused with MediaError.

    is_told: False to let FFmpeg guess first, which then must have guessed this container. codecs: what may decode it.
    """
    options = {
        "protocol_whitelist": "none",
        "format_whitelist": container,  # of what a file may hold inside, such as subtitles in a format of their own
        "codec_whitelist": ",".join(sorted(codecs)),
    }
    with (
        open(path, "rb") as bytes_only,
        av.open(
            bytes_only,
            format=container if is_told else None,
            options=options,
            metadata_errors="replace",
            buffer_size=_BUFFER_BYTES,
            io_open=_open_nothing,
        ) as file,
    ):
        assert isinstance(file, av.container.InputContainer)  # "r" is what it opens for
        yield file


def is_guessed(path: Path, container: str) -> bool:
    """Whether a reader of FFmpeg's that cannot be told the container finds this one by itself."""
    try:
        with open_file(path, container, is_told=False):
            return True
    except (av.error.FFmpegError, MediaError):
        return False


def _open_nothing(url: str, flags: int, options: dict) -> None:
    raise MediaError(SECOND_FILE)


def pixel_aspect(stream: av.VideoStream) -> float:
    """Width of a stored pixel over its height; 1 if the file does not say."""
    return float(stream.sample_aspect_ratio or 1)


def video_stream(file: av.container.InputContainer) -> av.VideoStream:
    """The video in a file. Raises MediaError if there is none, or none that may be decoded."""
    stream = file.streams.best("video")
    if not isinstance(stream, av.VideoStream):
        raise MediaError(DAMAGED_VIDEO)
    if stream.codec_context is None or stream.codec_context.codec.name not in CODECS:
        raise MediaError(UNREADABLE_VIDEO)
    return stream


def packets(file: av.container.InputContainer, stream: av.VideoStream | av.AudioStream) -> Iterator[av.Packet]:
    """The packets of a stream as they lie in the file, without empty ones. Ends quietly where it is cut off, and before
    packets that are not whole."""
    partial = []
    with suppress(*DAMAGE):
        for packet in file.demux(stream):
            partial.append(packet)
            if packet.size and not packet.is_corrupt:
                yield from (one for one in partial if one.size)
                partial.clear()
