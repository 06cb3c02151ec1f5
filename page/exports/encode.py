"""Encoding: a film as an MP4 that every browser plays, or as a GIF."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
from PIL import Image

from visual.film import Shot

FPS = 5  # every shot stays for a multiple of 0.2 s
QUALITY = "18"  # of H.264, where lower is better; thin lines stay crisp


def write_mp4(shots: Iterable[Shot], path: Path) -> None:
    """H.264 in MP4, 4:2:0, each shot repeated for as long as it stays; ready to play before all of it is loaded."""
    shots = iter(shots)
    first = next(shots)
    with av.open(str(path), "w", options={"movflags": "faststart"}) as file:
        stream = file.add_stream("libx264", rate=FPS, options={"crf": QUALITY, "preset": "veryfast"})
        stream.height, stream.width = first.picture.shape[:2]
        stream.pix_fmt = "yuv420p"
        time = 0
        for shot in chain([first], shots):
            for _ in range(round(shot.seconds * FPS)):
                frame = av.VideoFrame.from_ndarray(shot.picture, format="rgb24")
                frame.pts, frame.time_base = time, Fraction(1, FPS)
                file.mux(stream.encode(frame))
                time += 1
        file.mux(stream.encode())


def write_gif(shots: Iterable[Shot], path: Path) -> None:
    """An endless GIF; each shot has its own 256 colours."""
    shots = list(shots)
    pictures = [Image.fromarray(shot.picture).quantize(256, dither=Image.Dither.NONE) for shot in shots]
    stays = [round(1000 * shot.seconds) for shot in shots]
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=stays, loop=0, optimize=False)
