"""Limits: how large a file may be, and what its decoding may cost."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Limits:
    """Bounds on one file and on the child process that decodes it. Every value must be positive.

    The first seven are read from the file and its header, before anything is decoded. The last three stop a
    decoder that a header has misled: `memory_bytes` counts address space, which is more than what is in use.
    """

    video_bytes: int = 1 << 30
    picture_bytes: int = 64 << 20
    picture_pixels: int = 50_000_000
    frame_pixels: int = 40_000_000  # 8K is 33 million
    video_seconds: float = 3600.0
    video_frames: int = 500_000  # an hour at 120 a second has 432,000
    decode_seconds: float = 20.0  # of one core, as cost.py tells it from the index
    sound_cpu_seconds: float = 5.0  # after which a film goes without its sound
    memory_bytes: int = 4 << 30
    cpu_seconds: int = 60  # of all its threads
    wall_seconds: float = 30.0

    def __post_init__(self):
        for field in fields(self):
            if not getattr(self, field.name) > 0:
                raise ValueError(f"{field.name} must be positive, got {getattr(self, field.name)}")
