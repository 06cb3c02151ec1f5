"""Animation: an animated WebP as a video. FFmpeg reads none; Pillow goes through its frames from the first on."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
from PIL import Image

from aim_core.media.errors import DAMAGED_PICTURE, MediaError
from aim_core.media.frames import Frames
from aim_core.media.image import on_white, open_picture
from aim_core.media.limits import Limits
from aim_core.media.refuse import refuse_frame, refuse_long, refuse_work
from aim_core.media.resize import fitted_size, resize
from aim_core.media.sample import sample

_USUAL_S, _LEAST_S = 0.1, 0.011  # what browsers do with a frame that is said to stay for no time
_PIXELS_A_SECOND = 20e6  # of one core


def read_animation(path: Path, num_frames: int, max_side: int, limits: Limits) -> Frames:
    """`num_frames` frames of an animated WebP, transparency on white. Raises MediaError as `read_video` does."""
    seconds = _frame_seconds(path)
    if not len(seconds):
        raise MediaError(DAMAGED_PICTURE)
    ends = np.cumsum(seconds)
    chosen, duration = sample(ends - seconds, ends, num_frames)
    refuse_long(duration, limits)
    try:
        with open_picture(path) as image:
            refuse_frame(*image.size, limits)
            refuse_work((chosen[-1] + 1) * image.width * image.height / _PIXELS_A_SECOND, limits)
            size = fitted_size(*image.size, max_side)
            frames = {}
            for number in np.unique(chosen).tolist():
                image.seek(number)
                frames[number] = resize(on_white(image), size)
    except MediaError:
        raise
    except Image.DecompressionBombError:
        refuse_frame(1 << 16, 1 << 16, limits)
    except (OSError, SyntaxError, ValueError, OverflowError, EOFError) as error:
        raise MediaError(DAMAGED_PICTURE) from error
    times = (ends - seconds)[chosen].astype(np.float32)
    return Frames(np.stack([frames[number] for number in chosen.tolist()]), times, duration, "video", "pictures")


def _frame_seconds(path: Path) -> np.ndarray:
    """How long each frame stays, (n,), from the heads of the chunks that hold them."""
    found = []
    data = path.read_bytes()
    place = 12
    while place + 24 <= len(data):
        kind, size = struct.unpack_from("<4sI", data, place)
        if kind == b"ANMF":
            found.append(int.from_bytes(data[place + 20 : place + 23], "little") / 1000)
        place += 8 + size + size % 2
    return np.array([seconds if seconds >= _LEAST_S else _USUAL_S for seconds in found])
