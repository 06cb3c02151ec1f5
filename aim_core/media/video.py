"""Video: a few frames, evenly spaced in time, upright and small, without holding them all at full size.

PyAV lists the frames and their times. Then decord reads them, in sequence, as its jumps go wrong in open groups of
pictures. PyAV reads what decord cannot, or not with certainty: some HEVC and MPEG-TS, transparent videos, those with a
damaged or hidden frame; everything where decord is not installed; and long videos, as it may jump to key frames.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from PIL import Image

from aim_core.media.container import decoded, open_file, pixel_aspect, video_stream
from aim_core.media.decord_reader import CannotReadError, decord_frames
from aim_core.media.errors import DAMAGED_VIDEO, MediaError
from aim_core.media.frames import Frames
from aim_core.media.header import read_header, refuse_header
from aim_core.media.image import on_white
from aim_core.media.index import Index, read_index
from aim_core.media.limits import Limits
from aim_core.media.refuse import refuse_frame, refuse_long
from aim_core.media.resize import fitted_size, resize
from aim_core.media.sample import sample

_WHOLE_PIXELS = 3000 * 1280 * 720  # most that are decoded for a few frames: some ten seconds of one processor

log = logging.getLogger(__name__)


def read_video(path: Path, container: str, num_frames: int, max_side: int, limits: Limits) -> Frames:
    """`num_frames` frames, rotated upright, transparency on white.

    Uses what decodes of a damaged file. Raises MediaError if that is nothing, or for a video over the limits.
    """
    refuse_header(read_header(path, container), limits)
    index = read_index(path, container)
    if not len(index.starts):
        raise MediaError(DAMAGED_VIDEO)
    with open_file(path, container) as file:
        stream = video_stream(file)
        if stream.time_base is None:
            raise MediaError(DAMAGED_VIDEO)
        unit, aspect = float(stream.time_base), pixel_aspect(stream)
        chosen, duration = sample(index.starts * unit, index.ends * unit, num_frames)  # (num_frames,)
        refuse_long(duration, limits)  # the header may have lied
        unique, back = np.unique(chosen, return_inverse=True)
        try:
            first = _only_first(path, container, index)
            refuse_frame(first.width, first.height, limits)
            size = fitted_size(first.width, first.height, max_side, aspect)
            frames, starts = _by_decord(path, index.starts * unit, unique, first, size), index.starts[unique]
            log.info("decord has read this video")
        except CannotReadError as error:
            log.info("PyAV reads this video: %s", error)
            found = frames_at(file, stream, index.starts[unique], index.keys)
            frames, starts = _convert(found, aspect, max_side, limits)
    times = np.maximum((starts - index.starts[0]) * unit, 0.0).astype(np.float32)  # (u,)
    return Frames(frames[back], times[back], duration, "video")


def _only_first(path: Path, container: str, index: Index) -> av.VideoFrame:
    """The first frame of a video that decord might read, else CannotReadError: it has no choice of the stream."""
    with open_file(path, container) as file:
        if len(file.streams.video) > 1:
            raise CannotReadError("there are several pictures")
        frame = next(decoded(file, video_stream(file)), None)
    if frame is None or frame.pts != index.starts[0]:
        raise CannotReadError("the first frame does not decode")
    if _has_alpha(frame):
        raise CannotReadError("it is transparent")
    if len(index.starts) * frame.width * frame.height > _WHOLE_PIXELS:
        raise CannotReadError("it is long")
    return frame


def _by_decord(
    path: Path, seconds: np.ndarray, unique: np.ndarray, first: av.VideoFrame, size: tuple[int, int]
) -> np.ndarray:
    """The frames, (u, H, W, 3). Turned back before they are resized, so that they become what PyAV would give."""
    turns = _turns(first)
    upright = np.rot90(np.asarray(_picture(first)), turns)
    found = decord_frames(path, seconds, unique, upright)
    return np.stack([np.rot90(resize(Image.fromarray(np.rot90(one, -turns)), size), turns) for one in found])


def frames_at(
    file: av.container.InputContainer, stream: av.VideoStream, starts: np.ndarray, keys: np.ndarray
) -> Iterator[av.VideoFrame]:
    """For each of the ascending `starts` the frame on screen then, or the nearest that decodes.

    starts: (u,) int64 and keys: (m,) int64, ascending, in units of the stream's time base.

    Jumps ahead when a key lies between the last frame and the next; with no keys, reads straight on.
    Raises MediaError if nothing decodes.
    """
    stream.thread_type = "AUTO"
    stream.codec_context.thread_count = 2
    coming = decoded(file, stream)
    shown = ahead = next(coming, None)
    for start in starts:
        last = ahead or shown
        key = keys[keys <= start][-1:]  # (0,) or (1,)
        if len(key) and last is not None and key[0] > last.pts:
            file.seek(int(key[0]), stream=stream)
            coming = decoded(file, stream)
            ahead = next(coming, None)
            shown = ahead or last
        while ahead is not None and ahead.pts <= start:
            shown, ahead = ahead, next(coming, None)
        if shown is None:
            raise MediaError(DAMAGED_VIDEO)
        yield shown


def _convert(
    found: Iterator[av.VideoFrame], pixel_aspect: float, max_side: int, limits: Limits
) -> tuple[np.ndarray, np.ndarray]:
    """The frames, (u, H, W, 3), and the starts that they really have, (u,) int64."""
    frames, starts = [], []
    size = None
    for frame in found:
        refuse_frame(frame.width, frame.height, limits)
        size = size or fitted_size(frame.width, frame.height, max_side, pixel_aspect)  # the first decides for all
        frames.append(np.rot90(resize(_picture(frame), size), _turns(frame)))
        starts.append(frame.pts)
    return np.stack(frames), np.array(starts, dtype=np.int64)


def _picture(frame: av.VideoFrame) -> Image.Image:
    """One frame in RGB at its stored size, as it lies in the file."""
    if _has_alpha(frame):
        return on_white(Image.fromarray(frame.to_ndarray(format="rgba")))
    return Image.fromarray(frame.to_ndarray(format="rgb24"))


def _has_alpha(frame: av.VideoFrame) -> bool:
    return any(part.is_alpha for part in frame.format.components)


def _turns(frame: av.VideoFrame) -> int:
    """Quarter turns, counter-clockwise, that put the frame upright."""
    return round(frame.rotation / 90)
