"""Index: when each frame of a video appears, read from its packets without decoding them.

The header is no substitute: WebM, MKV and MPEG-TS count no frames there, and a cut-off file promises too many.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from aim_core.media.container import open_file, packets, video_stream

_SEEKABLE = ("mov", "matroska")  # these keep a table of key frames; elsewhere a jump may land too late


@dataclass(frozen=True, eq=False)
class Index:
    """The frames of a video in the order of their times, in units of the stream's time base.

    starts: (n,) int64, ascending.
    ends:   (n,) int64, equal to the start where the file does not say.
    keys:   (m,) int64, ascending, those starts that can be jumped to.
    """

    starts: np.ndarray
    ends: np.ndarray
    keys: np.ndarray


def read_index(path: Path, container: str) -> Index:
    """Reads the file once from start to end, or to where it is cut off; n may be 0."""
    rows = []
    with open_file(path, container) as file:
        for packet in packets(file, video_stream(file)):
            start = packet.dts if packet.pts is None else packet.pts
            if packet.size and start is not None and not packet.is_discard:
                rows.append((start, start + max(0, packet.duration or 0), packet.is_keyframe))
    table = np.array(sorted(rows), dtype=np.int64).reshape(-1, 3)
    keys = table[table[:, 2] == 1, 0] if container in _SEEKABLE else table[:0, 0]
    return Index(table[:, 0], table[:, 1], keys)
