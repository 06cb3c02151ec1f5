"""Stretches: which packets of a video must be decoded for a few of its frames."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aim_core.media.index import Index


@dataclass(frozen=True)
class Stretch:
    """Packets that are decoded together.

    first, last: places of packets in the file, both included; decoding can begin at the first.
    frames:      numbers of the frames that are wanted of them, ascending.
    """

    first: int
    last: int
    frames: tuple[int, ...]


def stretches(index: Index, wanted: np.ndarray) -> list[Stretch]:
    """The packets for the frames with these numbers, from the last key before each; in the order of the file.

    wanted: (u,) int64 in [0, n), ascending, each once. Two stretches share no packet.
    """
    found: list[Stretch] = []
    for frame in wanted.tolist():
        first, last = _key_before(index, frame), int(index.last_packet[frame])
        if found and first <= found[-1].last:
            before = found.pop()
            found.append(Stretch(min(before.first, first), max(before.last, last), (*before.frames, frame)))
        else:
            found.append(Stretch(first, last, (frame,)))
    return found


def nearest_keys(index: Index, chosen: np.ndarray, duration: float) -> np.ndarray:
    """For each frame the nearest that needs no other frame, of its own stretch of time; itself where there is none.

    chosen:   (f,) int64 in [0, n), the frames in the middles of f equal stretches of time.
    duration: of the whole video, in units of the stream's time base.
    """
    alone = np.flatnonzero(np.isin(index.last_packet, index.keys) & np.isin(index.starts, index.key_starts))  # (k,)
    if not len(alone):
        return chosen
    times = index.starts[alone]
    after = np.searchsorted(times, index.starts[chosen]).clip(0, len(alone) - 1)  # (f,)
    sides = np.stack([(after - 1).clip(0), after])  # (2, f)
    away = np.abs(times[sides] - index.starts[chosen])
    nearest = alone[np.take_along_axis(sides, away.argmin(0)[None], 0)[0]]
    return np.where(away.min(0) <= duration / len(chosen) / 2, nearest, chosen)


def _key_before(index: Index, frame: int) -> int:
    """The last packet at which the decoding of this frame may begin.

    Frames that are decoded after a key but shown before it may need others of before it, so its time counts too.
    """
    usable = (index.keys <= index.last_packet[frame]) & (index.key_starts <= index.starts[frame])
    return int(index.keys[usable][-1]) if usable.any() else int(index.keys[0])
