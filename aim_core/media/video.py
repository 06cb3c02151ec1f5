"""Video: a few frames, evenly spaced in time, upright and small, without holding them all at full size.

PyAV lists the frames and their times. Then decord reads short videos, in sequence, as its jumps go wrong in open groups
of pictures. PyAV reads long ones, as it may jump to key frames, and what decord cannot read, or not with certainty:
AVI, some HEVC and MPEG-TS, transparent videos, those with a damaged or hidden frame; everything where decord is not
installed.
"""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import av
import numpy as np
from PIL import Image

from aim_core.media.animation import read_animation
from aim_core.media.chosen import chosen_frames
from aim_core.media.container import DAMAGE, is_guessed, open_file, video_stream
from aim_core.media.cost import decode_seconds
from aim_core.media.decord_reader import CannotReadError, decord_frames
from aim_core.media.errors import DAMAGED_VIDEO, MediaError
from aim_core.media.frames import Frames
from aim_core.media.header import Header, read_header, refuse_header
from aim_core.media.image import on_white
from aim_core.media.index import Index, read_index
from aim_core.media.limits import Limits
from aim_core.media.refuse import refuse_frame, refuse_long, refuse_work
from aim_core.media.resize import fitted_size, resize
from aim_core.media.sample import sample
from aim_core.media.sniff import ANIMATED_WEBP
from aim_core.media.sound import sound_of_film
from aim_core.media.stretches import nearest_keys, stretches

_SHORT_S = 0.3  # seconds of one core that all frames of a video take, where decord reads it; PyAV needs half of them
_SOUND_UNTIL = 0.8  # share of the time for a file after which it goes without its sound, or its pictures would be lost

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Film:
    """A file that has been looked through and not yet decoded."""

    path: Path
    container: str
    header: Header
    index: Index
    max_side: int
    limits: Limits


def read_video(
    path: Path, container: str, num_frames: int, max_side: int, limits: Limits, sound_seconds: float = 0.0
) -> Frames:
    """`num_frames` frames, rotated upright, transparency on white; and so many seconds of the sound, from the first on.

    Uses what decodes of a damaged file. Where the frames in the middles of the stretches of time would take too long,
    the nearest key frames take their places. Raises MediaError if nothing decodes, or for a video over the limits.
    """
    if container == ANIMATED_WEBP:
        return replace(read_animation(path, num_frames, max_side, limits), sound="none" if sound_seconds else "")
    until = time.monotonic() + _SOUND_UNTIL * limits.wall_seconds
    header, index = _looked_through(path, container, limits)
    chosen, duration = _choose(header, index, num_frames, limits)
    wanted, back = np.unique(chosen, return_inverse=True)
    frames, starts, reader = _read(_Film(path, container, header, index, max_side, limits), wanted)
    times = np.maximum((starts - index.starts[0]) * header.unit, 0.0).astype(np.float32)  # (u,)
    found = Frames(frames[back], times[back], duration, "video", reader)
    if not sound_seconds:
        return found
    begin = float(index.starts[0]) * header.unit
    sound = sound_of_film(path, container, begin, duration, sound_seconds, limits, until)
    return replace(found, audio=sound.samples, sound=sound.state)


def _choose(header: Header, index: Index, num_frames: int, limits: Limits) -> tuple[np.ndarray, float]:
    """Numbers of the frames to read, (num_frames,) int64, and the duration in seconds."""
    chosen, duration = sample(index.starts * header.unit, index.ends * header.unit, num_frames)
    refuse_long(duration, limits)  # the header may have lied
    if _cost(header, index, chosen) > limits.decode_seconds:
        chosen = nearest_keys(index, chosen, duration / header.unit)
    return chosen, duration


def _cost(header: Header, index: Index, chosen: np.ndarray) -> float:
    return decode_seconds(index, stretches(index, np.unique(chosen)), header.width, header.height)


def _looked_through(path: Path, container: str, limits: Limits) -> tuple[Header, Index]:
    try:
        with open_file(path, container) as file:
            header = read_header(file)
            refuse_header(header, limits)
            index = read_index(path, file, container, limits)
    except DAMAGE as error:
        raise MediaError(DAMAGED_VIDEO) from error
    if not len(index.starts):
        raise MediaError(DAMAGED_VIDEO)
    return header, index


def _read(film: _Film, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray, str]:
    """The frames with these numbers, (u, H, W, 3), the starts that they really have, (u,) int64, and who read them.

    wanted: (u,) int64, ascending, each once.

    A frame that does not decode, or turns out to be of an earlier time than that, is replaced by the one before it.
    """
    try:
        frames = _by_decord(film, wanted)
        log.info("decord has read this video")
        return frames, film.index.starts[wanted], "decord"
    except CannotReadError as error:
        log.info("PyAV reads this video: %s", error)
    return *_by_pyav(film, wanted), "PyAV"


def _by_decord(film: _Film, wanted: np.ndarray) -> np.ndarray:
    """The frames, (u, H, W, 3). Turned back before they are resized, so that they become what PyAV would give."""
    header, starts = film.header, film.index.starts
    if not film.index.is_timed:
        raise CannotReadError("its frames are known by their numbers only")
    everything = stretches(film.index.read_on(), np.arange(len(starts))[-1:])
    if decode_seconds(film.index, everything, header.width, header.height) > min(_SHORT_S, film.limits.decode_seconds):
        raise CannotReadError("it is long")
    if not is_guessed(film.path, film.container):  # decord takes no list of containers
        raise CannotReadError("it could be taken for something else")
    first = _only_first(film)
    size, turns = fitted_size(first.width, first.height, film.max_side, header.pixel_aspect), _turns(first)
    upright = np.rot90(first.to_ndarray(format="rgb24"), turns)
    found = decord_frames(film.path, starts * header.unit, wanted, upright)
    return np.stack([np.rot90(resize(Image.fromarray(np.rot90(one, -turns)), size), turns) for one in found])


def _only_first(film: _Film) -> av.VideoFrame:
    """The first frame of a video that decord might read, else CannotReadError: it has no choice of the stream."""
    frame = None
    with open_file(film.path, film.container) as file, suppress(*DAMAGE):
        if len(file.streams.video) > 1:
            raise CannotReadError("there are several pictures")
        if not 0 <= video_stream(file).frames <= len(film.index.sizes):  # decord makes room for all that are promised
            raise CannotReadError("its header promises more frames than there are")
        frame = next(file.decode(video_stream(file)), None)
    if frame is None or frame.pts != film.index.starts[0]:
        raise CannotReadError("the first frame does not decode")
    if _has_alpha(frame):
        raise CannotReadError("it is transparent")
    refuse_frame(frame.width, frame.height, film.limits)  # the header may have lied
    return frame


def _by_pyav(film: _Film, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """As `_read`, by PyAV. Where a frame does not decode after a jump, the key frame may not have been one, so that all
    is read again without jumps, if the limits allow."""
    frames, starts = _decode(film, film.index, wanted)
    exact = film.index.starts[wanted]
    if starts != exact.tolist() and len(film.index.keys) > 1:
        with suppress(MediaError):  # it may take too long
            frames, starts = _decode(film, film.index.read_on(), wanted)
    known = _in_time(starts)
    if not known:
        raise MediaError(DAMAGED_VIDEO)
    nearest = np.array(known)[np.maximum(np.searchsorted(known, np.arange(len(frames)), side="right") - 1, 0)]
    return np.stack([frames[n] for n in nearest]), np.array([starts[n] for n in nearest], dtype=np.int64)


def _in_time(starts: list[int | None]) -> list[int]:
    """Which frames decode and do not appear before one that comes before them: a file may give one a wrong time."""
    known: list[int] = []
    latest = None
    for number, start in enumerate(starts):
        if start is not None and (latest is None or start >= latest):
            known.append(number)
            latest = start
    return known


def _decode(film: _Film, index: Index, wanted: np.ndarray) -> tuple[list[np.ndarray | None], list[int | None]]:
    """The frames, each (H, W, 3), and their starts; None where nothing decodes."""
    found = stretches(index, wanted)
    refuse_work(decode_seconds(index, found, film.header.width, film.header.height), film.limits)
    frames: list[np.ndarray | None] = []
    starts: list[int | None] = []
    size = None
    with open_file(film.path, film.container) as file:
        for shown in chosen_frames(file, video_stream(file), index, found, film.limits):
            if shown is None:
                frames.append(None)
                starts.append(None)
                continue
            start, frame = shown
            size = size or fitted_size(frame.width, frame.height, film.max_side, film.header.pixel_aspect)  # for all
            frames.append(np.rot90(resize(_picture(frame, size), size), _turns(frame)))
            starts.append(start)
    return frames, starts


def _picture(frame: av.VideoFrame, size: tuple[int, int]) -> Image.Image:
    """One frame in RGB as it lies in the file, at its stored size or at twice `size` (width, height) or more."""
    if _has_alpha(frame):
        return on_white(Image.fromarray(frame.to_ndarray(format="rgba")))
    return Image.fromarray(_smaller(frame, size).to_ndarray(format="rgb24"))


def _smaller(frame: av.VideoFrame, size: tuple[int, int]) -> av.VideoFrame:
    """A large frame made smaller by a whole factor before its colours are converted, which takes long at 8K.

    In its own format: FFmpeg's scaler turns white into 253 when it converts as well.
    """
    factor = min(frame.width // size[0], frame.height // size[1]) // 2
    if factor < 2 or not frame.format.name.startswith("yuv"):
        return frame
    return frame.reformat(round(frame.width / factor), round(frame.height / factor), interpolation="AREA")


def _has_alpha(frame: av.VideoFrame) -> bool:
    return any(part.is_alpha for part in frame.format.components)


def _turns(frame: av.VideoFrame) -> int:
    """Quarter turns, counter-clockwise, that put the frame upright."""
    return round(frame.rotation / 90)
