"""Header: what a video says about itself, and the refusal of one that is too large or has no picture."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import av
from av.stream import Disposition

from aim_core.media.container import DAMAGE, open_file
from aim_core.media.errors import DAMAGED_VIDEO, NO_PICTURE, MediaError
from aim_core.media.limits import Limits
from aim_core.media.refuse import refuse_frame, refuse_long


@dataclass(frozen=True)
class Header:
    """Pixels of a stored frame, and the seconds of the video, 0 if it does not say."""

    width: int
    height: int
    duration: float


def read_header(path: Path, container: str) -> Header:
    """Decodes no more than FFmpeg needs in order to know the codec. Raises MediaError if there is no picture."""
    try:
        with open_file(path, container) as file:
            stream = file.streams.best("video")
            if (
                not isinstance(stream, av.VideoStream) or stream.disposition & Disposition.attached_pic
            ):  # the cover of a song
                raise MediaError(NO_PICTURE if file.streams.audio else DAMAGED_VIDEO)
            of_stream = float((stream.duration or 0) * (stream.time_base or 0))
            duration = max(of_stream, (file.duration or 0) / av.time_base)
            return Header(stream.codec_context.width, stream.codec_context.height, duration)
    except DAMAGE as error:
        raise MediaError(DAMAGED_VIDEO) from error


def refuse_header(header: Header, limits: Limits) -> None:
    """Raise MediaError if the frames have too many pixels or none, or if there are too many seconds."""
    if header.width <= 0 or header.height <= 0:
        raise MediaError(DAMAGED_VIDEO)
    refuse_frame(header.width, header.height, limits)
    refuse_long(header.duration, limits)
