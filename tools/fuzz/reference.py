"""Reference: all frames of a video as the program ffmpeg gives them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import av
import numpy as np

from aim_core.media.frames import Frames
from tools.fuzz.clips import number_of

_CLOSE = 4.0  # mean difference out of 255: its scaler converts colours otherwise, twice where a film is turned


def program() -> str | None:
    """Where ffmpeg is, None if it is not installed."""
    return shutil.which("ffmpeg")


def differences(got: Frames, path: Path) -> list[str]:
    """What is otherwise, each in a few words, than in ffmpeg's frame of the same number."""
    height, width = got.frames.shape[1:3]
    with av.open(str(path)) as file:
        place = file.streams.best("video").index  # an AVIF has a picture beside its film
    command = [program(), "-v", "error", "-i", path, "-map", f"0:{place}", "-fps_mode", "passthrough"]
    command += ["-vf", f"scale={width}:{height}:flags=area", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    raw = subprocess.run(command, capture_output=True, check=False, timeout=300).stdout
    theirs = np.frombuffer(raw, np.uint8)
    if len(theirs) % (height * width * 3) or not len(theirs):
        return ["ffmpeg does not read it"]
    by_number = {number_of(frame): frame for frame in theirs.reshape(-1, height, width, 3)}
    found = []
    for frame in got.frames:
        number = number_of(frame)
        if number not in by_number:
            found.append(f"frame {number} is not in ffmpeg's")
        elif (off := float(np.abs(frame.astype(np.int16) - by_number[number]).mean())) > _CLOSE:
            found.append(f"frame {number} is {off:.1f} levels off")
    return found
