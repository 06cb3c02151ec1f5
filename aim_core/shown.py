"""Shown: the frames and the sound that a model is asked about, from files, arrays, or what was read before."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from aim_core.adapters.base import Adapter
from aim_core.media.check import MediaKind
from aim_core.media.decode import load_frames, load_sound
from aim_core.media.errors import MediaError
from aim_core.media.frames import SOUND_RATE, Frames, together
from aim_core.turns import NOBODY, Asker

One = str | Path | np.ndarray
Media = One | Frames | Sequence[One]
Sound = bool | str | Path | np.ndarray


def frames_of(adapter: Adapter, media: Media, num_frames: int, sound: Sound = True, asker: Asker = NOBODY) -> Frames:
    """See `Engine.frames`."""
    beside = None if isinstance(sound, bool) else _samples(adapter, sound, asker)
    if isinstance(media, np.ndarray):
        frames = _of_array(media)
    elif isinstance(media, Frames):
        frames = media
    elif isinstance(media, Sequence) and not isinstance(media, str):
        frames = together([_picture(one, number, asker) for number, one in enumerate(media, 1)])
    else:
        frames = _of_file(adapter, media, num_frames, sound is True, asker)
    if beside is not None:
        most = round(frames.duration * SOUND_RATE) if frames.kind == "video" else len(beside)
        return frames.with_audio(beside[:most])
    return frames if sound else frames.without_audio()


def _samples(adapter: Adapter, sound: str | Path | np.ndarray, asker: Asker) -> np.ndarray:
    if adapter.hearing is None:
        raise adapter.deaf()
    return sound if isinstance(sound, np.ndarray) else load_sound(sound, adapter.hearing[1], asker=asker)


def _of_file(adapter: Adapter, path: str | Path, num_frames: int, hears: bool, asker: Asker) -> Frames:
    if adapter.hearing is None or not hears:
        return load_frames(path, num_frames, asker=asker)
    least, most = adapter.hearing
    frames = load_frames(path, num_frames, asker=asker, sound_seconds=most)
    is_short = frames.audio is not None and len(frames.audio) < least * SOUND_RATE
    return frames.without_audio("short") if is_short else frames


def _picture(media: One, number: int, asker: Asker) -> Frames:
    """One of several pictures; number: from 1, for what is said of a bad one."""
    if isinstance(media, np.ndarray):
        if media.ndim != 3:
            raise ValueError(f"picture {number} must be (H, W, 3) uint8, got {media.dtype} {media.shape}")
        return _of_array(media[None])
    name = Path(media).name
    try:
        frames = load_frames(media, 1, asker=asker)
    except MediaError as error:
        raise MediaError(f"Picture {number} ({name}): {error}") from error
    if frames.kind != "image":
        raise MediaError(f"Picture {number} ({name}) is a video: ask about it alone.")
    return frames


def _of_array(frames: np.ndarray) -> Frames:
    if frames.ndim != 4 or frames.shape[-1] != 3 or frames.dtype != np.uint8 or not frames.size:
        raise ValueError(f"frames must be (F, H, W, 3) uint8, got {frames.dtype} {frames.shape}")
    kind: MediaKind = "image" if len(frames) == 1 else "video"
    return Frames(frames, np.arange(len(frames), dtype=np.float32), float(len(frames)), kind)
