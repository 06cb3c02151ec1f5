"""Refuse: the caps on bytes, pixels and seconds, and the sentence for each."""

from __future__ import annotations

from aim_core.media.errors import MediaError
from aim_core.media.limits import Limits


def refuse_bytes(num_bytes: int, most: int, word: str) -> None:
    """Raise MediaError if a `word` ("video", "picture") takes more than `most` bytes."""
    if num_bytes > most:
        size, cap = num_bytes / 2**20, most / 2**20
        raise MediaError(f"This {word} is {size:,.0f} MB large; {cap:,.0f} MB is the most. Make it smaller or shorter.")


def refuse_picture(width: int, height: int, limits: Limits) -> None:
    """Raise MediaError if a picture of this size, in pixels, is over the limit."""
    if width * height > limits.picture_pixels:
        size, cap = width * height / 1e6, limits.picture_pixels / 1e6
        raise MediaError(f"This picture has {size:,.0f} million pixels; {cap:,.0f} million is the most. Shrink it.")


def refuse_frame(width: int, height: int, limits: Limits) -> None:
    """Raise MediaError if one frame of a video, in pixels, is over the limit."""
    if width * height > limits.frame_pixels:
        size, cap = width * height / 1e6, limits.frame_pixels / 1e6
        raise MediaError(
            f"The frames of this video have {size:,.0f} million pixels each; {cap:,.0f} million is the most. "
            "Export it in a smaller size."
        )


def refuse_long(seconds: float, limits: Limits) -> None:
    """Raise MediaError if a video is longer than the limit."""
    if seconds > limits.video_seconds:
        raise MediaError(
            f"This video is {_minutes(seconds)} long; {_minutes(limits.video_seconds)} is the most. "
            "Cut out the part you want to ask about."
        )


def refuse_many(limits: Limits) -> None:
    """Raise MediaError about a video with more frames than the limit."""
    raise MediaError(
        f"This video has more than {limits.video_frames:,} frames. Cut out the part you want to ask about."
    )


def refuse_work(seconds: float, limits: Limits) -> None:
    """Raise MediaError if it would take too long, by the seconds that cost.py tells, to decode a video."""
    if seconds > limits.decode_seconds:
        raise MediaError(
            "It would take too long to decode this video. Ask for fewer frames, cut out the part you want to ask "
            "about, or export it in a smaller size."
        )


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:,.0f} minutes" if seconds >= 120 else f"{seconds:,.3g} seconds"
