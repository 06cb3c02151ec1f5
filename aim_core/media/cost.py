"""Cost: how long the decoding of a video will take at most, told from its index before anything is decoded.

The rates are those of one core of a rented server, rounded down; docs/files.md says how they were measured.
"""

from __future__ import annotations

from collections.abc import Sequence

from aim_core.media.index import Index
from aim_core.media.stretches import Stretch

# Pixels and bytes a second, by FFmpeg's name of the decoder.
_RATES = {
    "h264": (300e6, 14e6),
    "hevc": (180e6, 8e6),
    "vp8": (400e6, 15e6),
    "vp9": (200e6, 10e6),
    "libdav1d": (300e6, 16e6),
    "ffv1": (200e6, 30e6),
    "gif": (150e6, 100e6),
    "png": (100e6, 100e6),
    "apng": (100e6, 100e6),
}
_OTHER = (200e6, 40e6)
_LEAST_PIXELS = 1 << 14  # what a frame counts at least, however small it is


def decode_seconds(index: Index, found: Sequence[Stretch], width: int, height: int) -> float:
    """Seconds of one core to decode these stretches of a video whose frames have this size in pixels."""
    num_packets = sum(stretch.last + 1 - stretch.first for stretch in found)
    num_bytes = sum(int(index.sizes[stretch.first : stretch.last + 1].sum()) for stretch in found)
    pixels_a_second, bytes_a_second = _RATES.get(index.codec, _OTHER)
    return num_packets * max(width * height, _LEAST_PIXELS) / pixels_a_second + num_bytes / bytes_a_second
