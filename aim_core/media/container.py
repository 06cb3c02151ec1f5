"""Container: open a video file with PyAV as one known kind, and walk through its packets and frames."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av

from aim_core.media.errors import DAMAGED_VIDEO, MediaError

DAMAGE = (av.error.InvalidDataError, av.error.EOFError)  # what FFmpeg says of bytes that make no sense


def open_file(path: Path, container: str) -> av.container.InputContainer:
    """Open a plain file as this container or not at all: no address, no playlist, no second file."""
    options = {"protocol_whitelist": "file"}
    return av.open(str(path), format=container, options=options, metadata_errors="replace")


def pixel_aspect(stream: av.VideoStream) -> float:
    """Width of a stored pixel over its height; 1 if the file does not say."""
    return float(stream.sample_aspect_ratio or 1)


def video_stream(file: av.container.InputContainer) -> av.VideoStream:
    """The video in a file. Raises MediaError if there is none."""
    stream = file.streams.best("video")
    if not isinstance(stream, av.VideoStream):
        raise MediaError(DAMAGED_VIDEO)
    return stream


def packets(file: av.container.InputContainer, stream: av.VideoStream) -> Iterator[av.Packet]:
    """The packets of a stream as they lie in the file. Ends quietly where the file is cut off."""
    try:
        yield from file.demux(stream)
    except DAMAGE:
        return


def decoded(file: av.container.InputContainer, stream: av.VideoStream) -> Iterator[av.VideoFrame]:
    """All frames that decode and have a time, in the order of their times; a broken packet is skipped."""
    for packet in packets(file, stream):
        try:
            frames = packet.decode()
        except DAMAGE:
            continue
        yield from (frame for frame in frames if frame.pts is not None)
