"""Index: when each frame of a video appears, read from its packets without decoding them.

The header is no substitute: WebM, MKV and MPEG-TS count no frames there, and a cut-off file promises too many.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import av
import numpy as np

from aim_core.media.container import JUMPABLE, packets, video_stream
from aim_core.media.cut import is_cut, num_sure
from aim_core.media.limits import Limits
from aim_core.media.refuse import refuse_many

_UNTIMED = ("avi",)  # packets say when they are decoded, not when they are shown
_NEVER = np.iinfo(np.int64).max
_MOST_AHEAD = 16  # packets that H.264 and HEVC may decode before the one that is shown first


@dataclass(frozen=True, eq=False)
class Index:
    """The frames of a video in the order of their times, in units of the stream's time base.

    starts:      (n,) int64, ascending.
    ends:        (n,) int64, equal to the start where the file does not say.
    last_packet: (n,) int64 in [0, num_packets), the place in the file of the last packet that the frame needs.
    keys:        (m,) int64, ascending, the places of packets at which decoding may begin; the first packet is one.
    key_starts:  (m,) int64, when the frames of these appear.
    sizes:       (num_packets,) int64, bytes of each packet in the order of the file.
    is_timed:    False if a frame is known by its number only: the packets do not say when they are shown.
    codec:       FFmpeg's name of the decoder.
    """

    starts: np.ndarray
    ends: np.ndarray
    last_packet: np.ndarray
    keys: np.ndarray
    key_starts: np.ndarray
    sizes: np.ndarray
    is_timed: bool
    codec: str

    def read_on(self) -> Index:
        """The same, to be decoded from the first packet on."""
        return replace(self, keys=self.keys[:1], key_starts=self.key_starts[:1])


def read_index(path: Path, file: av.container.InputContainer, container: str, limits: Limits) -> Index:
    """Reads the file once from start to end, or to where it is cut off, without the last frames that this spoils.

    n may be 0.

    Raises MediaError if there are too many frames.
    """
    stream = video_stream(file)
    is_timed = container not in _UNTIMED
    rows = []
    for packet in packets(file, stream):
        start = packet.pts if is_timed and packet.pts is not None else packet.dts
        is_shown = start is not None and not packet.is_discard
        start = _NEVER if start is None else start
        rows.append((start, packet.duration or 0, is_shown, packet.is_keyframe, packet.size, packet.dts or 0))
        if len(rows) > limits.video_frames:
            refuse_many(limits)
    table = np.array(rows, dtype=np.int64).reshape(-1, 6)  # (num_packets, 6)
    index = _index(table, is_timed, stream.codec_context.codec.name)
    if len(index.starts) and is_cut(path, file, stream, container, index.ends):
        keep = num_sure(container, index.starts, last_start=rows[-1][0], last_decoded=rows[-1][5])
        index = replace(index, starts=index.starts[:keep], ends=index.ends[:keep], last_packet=index.last_packet[:keep])
    return index


def _index(table: np.ndarray, is_timed: bool, codec: str) -> Index:
    """table: (num_packets, 6) int64: start, duration, whether shown, whether a key, bytes, when decoded."""
    places = np.flatnonzero(table[:, 2])
    places = places[np.argsort(table[places, 0], kind="stable")]  # (n,)
    starts = table[places, 0]
    ends = starts + table[places, 1].clip(0)
    is_key, is_jumpable = table[:, 3].astype(bool), codec in JUMPABLE
    if not is_timed and not is_key.all():  # shown in another order than they lie in the file, nobody knows which
        places = np.minimum(places + _MOST_AHEAD, len(table) - 1)
        is_jumpable = False
    keys = np.union1d(np.arange(len(table))[:1], np.flatnonzero(is_key) if is_jumpable else [])
    keys = keys.astype(np.int64)
    return Index(starts, ends, places, keys, table[keys, 0], table[:, 4], is_timed, codec)
