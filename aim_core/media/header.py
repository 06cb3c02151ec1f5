"""Header: what a video says about itself, and the refusal of one that is too large or has no picture."""

from __future__ import annotations

from dataclasses import dataclass

import av
from av.stream import Disposition

from aim_core.media.container import pixel_aspect, video_stream
from aim_core.media.errors import DAMAGED_VIDEO, NO_PICTURE, MediaError
from aim_core.media.limits import Limits
from aim_core.media.refuse import refuse_frame, refuse_long


@dataclass(frozen=True)
class Header:
    """Pixels of a stored frame, the width of one over its height, seconds of one unit of time, and the seconds of the
    video, 0 if it does not say."""

    width: int
    height: int
    pixel_aspect: float
    unit: float
    duration: float


def read_header(file: av.container.InputContainer) -> Header:
    """Decodes no more than FFmpeg needs in order to know the codec. Raises MediaError if there is no picture."""
    best = file.streams.best("video")
    if not isinstance(best, av.VideoStream) or best.disposition & Disposition.attached_pic:  # the cover of a song
        raise MediaError(NO_PICTURE if file.streams.audio else DAMAGED_VIDEO)
    stream = video_stream(file)
    if not stream.time_base:
        raise MediaError(DAMAGED_VIDEO)
    unit = float(stream.time_base)
    duration = max((stream.duration or 0) * unit, (file.duration or 0) / av.time_base)
    size = stream.codec_context.width, stream.codec_context.height
    return Header(*size, pixel_aspect(stream), unit, duration)


def refuse_header(header: Header, limits: Limits) -> None:
    """Raise MediaError if the frames have too many pixels or none, or if there are too many seconds."""
    if header.width <= 0 or header.height <= 0:
        raise MediaError(DAMAGED_VIDEO)
    refuse_frame(header.width, header.height, limits)
    refuse_long(header.duration, limits)
