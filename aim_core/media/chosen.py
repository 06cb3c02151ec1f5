"""Chosen: frames of a video by their numbers, decoded from the key frame before each and from nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from itertools import islice

import av
from av.video.frame import PictureType

from aim_core.media.container import DAMAGE, packets
from aim_core.media.index import Index
from aim_core.media.limits import Limits
from aim_core.media.refuse import refuse_frame
from aim_core.media.stretches import Stretch

Shown = tuple[int, av.VideoFrame]  # when a frame appears, in units of the stream's time base, and the frame


def chosen_frames(
    file: av.container.InputContainer, stream: av.VideoStream, index: Index, found: list[Stretch], limits: Limits
) -> Iterator[Shown | None]:
    """For each frame that the stretches want the one on screen at its time, or the first after it that decodes.

    None where nothing of its stretch decodes. The file must be newly opened. Raises MediaError if a frame turns out
    to be larger than `limits` allow.
    """
    stream.thread_type = "AUTO"
    stream.codec_context.thread_count = 2
    coming = packets(file, stream)
    place = 0
    for stretch in found:
        first, place = stretch.first - place, stretch.last + 1
        own = islice(coming, first, first + stretch.last + 1 - stretch.first)
        yield from _on_screen(_decoded(stream, own, index, stretch, limits), index, stretch)


def _on_screen(decoded: Iterator[Shown], index: Index, stretch: Stretch) -> Iterator[Shown | None]:
    shown = ahead = next(decoded, None)
    for frame in stretch.frames:
        while ahead is not None and ahead[0] <= index.starts[frame]:
            shown, ahead = ahead, next(decoded, None)
        yield shown
    for _ in decoded:  # the decoder must be empty before the next stretch
        pass


def _decoded(
    stream: av.VideoStream, own: Iterator[av.Packet], index: Index, stretch: Stretch, limits: Limits
) -> Iterator[Shown]:
    """All frames of a stretch that decode, in the order of their times, a broken packet skipped; none if the first
    needs others of before the stretch."""
    context, number, is_clean = stream.codec_context, stretch.first, stretch.first == 0
    for frames in _batches(context, own):
        number += frames is None
        for frame in frames or ():
            refuse_frame(frame.width, frame.height, limits)  # the header may have lied
            is_clean = is_clean or frame.key_frame or frame.pict_type == PictureType.I
            start = frame.pts if index.is_timed else _start(index, number)
            if is_clean and start is not None:
                yield start, frame
            number += 1


def _start(index: Index, number: int) -> int | None:
    return int(index.starts[number]) if number < len(index.starts) else None


def _batches(context: av.VideoCodecContext, own: Iterator[av.Packet]) -> Iterator[list[av.VideoFrame] | None]:
    """What comes out after each packet, None after one that makes no sense, and at last what the decoder still held."""
    for packet in own:
        try:
            yield context.decode(packet)
        except DAMAGE:
            yield None
    with suppress(*DAMAGE):
        yield context.decode(None)
    context.flush_buffers()
